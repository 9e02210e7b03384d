from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from wfrun.runner.child.counts import DESCRIPTORS, DescriptorCount, FolderLook

COUNTED = sys.platform == "linux" and Path(DESCRIPTORS).stat().st_size > 0
LONG_AGO_NS = 1_000_000_000 * 10**9


def kept_open(count: DescriptorCount) -> int:
    number = count._folder
    assert number >= 0
    return number


@pytest.mark.skipif(not COUNTED, reason="only Linux from 6.2 on says how many there are")
def test_a_case_that_closes_what_counts_does_not_end_the_counting() -> None:
    count = DescriptorCount()
    before = count()
    os.close(kept_open(count))

    # The number is somebody else's now.
    with socket.socket() as taken:
        assert (taken.fileno(), count()) == (taken.fileno(), before + 1)
    assert count() == before
    os.close(kept_open(count))


def test_each_descriptor_that_stays_open_counts() -> None:
    count = DescriptorCount()
    before = count()

    with socket.socket(), socket.socket():
        during = count()

    assert (during > before, count()) == (True, before)


def test_a_folder_that_changed_must_be_listed_again(tmp_path: Path) -> None:
    look = FolderLook(str(tmp_path))
    os.utime(tmp_path, ns=(LONG_AGO_NS, LONG_AGO_NS))
    look.begin()
    before = look.unchanged

    (tmp_path / "new").touch()

    assert (before, look.unchanged) == (True, False)


def test_a_folder_that_has_only_just_changed_is_listed_each_time(tmp_path: Path) -> None:
    """The next change may carry the same time."""
    look = FolderLook(str(tmp_path))
    (tmp_path / "new").touch()

    look.begin()

    assert not look.unchanged


def test_a_folder_that_is_gone_is_no_known_one(tmp_path: Path) -> None:
    look = FolderLook(str(tmp_path / "gone"))

    look.begin()

    assert not look.unchanged
