from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wfrun.runner.child.output import OutputTail


@given(st.lists(st.binary(max_size=40)), st.integers(2, 60))
def test_both_ends_are_kept_and_the_middle_is_counted(parts: list[bytes], most: int) -> None:
    ascii_parts = [bytes(97 + byte % 26 for byte in part) for part in parts]
    whole = b"".join(ascii_parts).decode()
    tail = OutputTail(most)
    for part in ascii_parts:
        tail.feed(part)

    text, dropped = tail.take()

    half = most // 2
    if len(whole) <= 2 * half:
        assert (text, dropped) == (whole, 0)
    else:
        assert dropped == len(whole) - 2 * half
        assert text == f"{whole[:half]}\n… {dropped} bytes dropped …\n{whole[-half:]}"


def test_taking_starts_anew() -> None:
    tail = OutputTail(100)
    tail.feed(b"first")
    tail.take()
    tail.feed(b"second")

    assert tail.take() == ("second", 0)


def test_half_a_character_is_not_an_error() -> None:
    tail = OutputTail(100)
    tail.feed("ä".encode()[:1])

    assert tail.take() == ("\N{REPLACEMENT CHARACTER}", 0)
