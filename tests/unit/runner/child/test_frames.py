from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfrun.runner.child.frames import DamagedFrame, FrameDecoder, encode_frame, read_frame, write_frame

MESSAGES = st.lists(
    st.dictionaries(st.text(), st.one_of(st.integers(-(2**53), 2**53), st.text(), st.none())), max_size=5
)


@given(MESSAGES, st.integers(1, 50))
def test_messages_survive_any_chopping(messages: list[dict[str, object]], piece: int) -> None:
    stream = b"".join(encode_frame(message) for message in messages)
    decoder = FrameDecoder()

    received = [m for start in range(0, len(stream), piece) for m in decoder.feed(stream[start : start + piece])]

    assert received == messages


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_is_noticed_or_waits_for_more(position: int, change: int) -> None:
    frame = bytearray(encode_frame({"text": "x" * 100}))
    frame[position % len(frame)] ^= change

    decoder = FrameDecoder()
    try:
        messages = list(decoder.feed(bytes(frame)))
    except DamagedFrame:
        return
    assert messages == []


def test_frames_pass_through_a_pipe_until_its_other_end_is_gone() -> None:
    reader, writer = os.pipe()
    write_frame(writer, {"do": "run", "n": 1})
    os.close(writer)

    assert read_frame(reader) == {"do": "run", "n": 1}
    assert read_frame(reader) is None
    os.close(reader)


def test_values_json_has_no_word_for_become_their_text() -> None:
    (message,) = FrameDecoder().feed(encode_frame({"note": {1, 2}, "other": {3: complex(1, 2)}}))

    assert message == {"note": "{1, 2}", "other": {"3": "(1+2j)"}}


SURROGATES = st.text(st.characters(categories=["Cs", "Ll"]))
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), SURROGATES, st.binary()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.one_of(SURROGATES, st.integers()), inner)),
)


@given(ANYTHING)
def test_whatever_a_case_notes_makes_a_frame(value: object) -> None:
    (message,) = FrameDecoder().feed(encode_frame({"id": "case", "note": value}))

    assert message["id"] == "case"


def test_a_circle_makes_a_frame() -> None:
    circle: list[object] = []
    circle.append(circle)

    (message,) = FrameDecoder().feed(encode_frame({"id": "case", "note": circle}))

    assert message["id"] == "case"


def test_a_claimed_length_beyond_reason_is_damage() -> None:
    with pytest.raises(DamagedFrame, match="claims 4294967295 bytes"):
        list(FrameDecoder().feed(b"\xff" * 8))


def test_messages_before_the_damage_are_good() -> None:
    messages = FrameDecoder().feed(encode_frame({"number": 1}) + encode_frame({"number": 2}) + b"\xff" * 8)

    assert [next(messages), next(messages)] == [{"number": 1}, {"number": 2}]
    with pytest.raises(DamagedFrame):
        next(messages)
