from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wfrun.runner.child.output import MarkedOutput, OutputTail


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


@given(st.lists(st.sampled_from([b"", b"a", b"MAR", b"M", b"line\n", b"K"]), max_size=8), st.integers(1, 7))
def test_each_case_is_given_what_it_printed_however_the_stream_is_cut(printed: list[bytes], piece: int) -> None:
    mark = b"MARK!"
    stream = b"".join(text + mark for text in printed)
    output = MarkedOutput(1000, mark)

    for start in range(0, len(stream), piece):
        output.feed(stream[start : start + piece])

    assert [output.take()[0] for _ in printed] == [text.decode() for text in printed]
    assert output.take() == ("", 0)


def test_what_comes_after_the_last_mark_can_be_taken_too() -> None:
    output = MarkedOutput(1000, b"MARK!")

    output.feed(b"one MARK!two MA")

    assert output.take() == ("one ", 0)
    assert output.take() == ("two MA", 0)
