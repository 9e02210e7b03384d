from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from wfrun.errors import FileError
from wfrun.files import read_bytes, write_atomically

FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from wfrun.errors import FileError
from wfrun.files import write_atomically
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_atomically(Path(sys.argv[1]), b"new" * 1000)
except FileError as error:
    print(error)
"""


def test_a_file_is_replaced_whole_and_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.json"
    write_atomically(path, b"old")
    path.chmod(0o640)

    write_atomically(path, b"new")

    assert read_bytes(path) == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [entry.name for entry in path.parent.iterdir()] == ["file.json"]


def test_a_full_disk_leaves_the_old_file_whole_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(b"old")

    told = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=True
    ).stdout

    assert told == f"cannot write {path}: File too large; the file that was there is unchanged\n"
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.json"]


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"cannot read .*missing: No such file or directory"):
        read_bytes(tmp_path / "missing")
