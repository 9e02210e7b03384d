from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.authoring.attachments import MOST_BYTES, Attachment

if TYPE_CHECKING:
    from pathlib import Path


def test_text_stays_text_and_bytes_come_back() -> None:
    assert Attachment.of("a", "tea") == Attachment("a", 3, text="tea")
    assert Attachment.of("a", b"\xff\x00").content() == b"\xff\x00"


def test_a_long_text_is_cut_between_characters() -> None:
    kept = Attachment.of("a", "ä" * MOST_BYTES)

    assert kept.size_bytes == 2 * MOST_BYTES
    assert kept.text == "ä" * (MOST_BYTES // 2)
    assert Attachment.of("a", "x" + "ä" * MOST_BYTES).text == "x" + "ä" * (MOST_BYTES // 2 - 1)


def test_of_a_file_no_more_is_read_than_is_kept(tmp_path: Path) -> None:
    (tmp_path / "dump").write_bytes(b"\xff" * (MOST_BYTES + 1))

    kept = Attachment.of("dump", tmp_path / "dump")

    assert kept.size_bytes == MOST_BYTES + 1
    assert len(kept.content()) == MOST_BYTES
