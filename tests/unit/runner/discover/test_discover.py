from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wfrun.errors import UsageError
from wfrun.runner.discover.discover import find_suite_files

if TYPE_CHECKING:
    from pathlib import Path


def made(folder: Path, *names: str) -> list[str]:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    return [str(folder / name) for name in names]


def test_files_are_found_in_the_order_of_their_paths(tmp_path: Path) -> None:
    """Folder by folder: as text, ``a.b/`` would come before ``a/``."""
    expected = made(tmp_path, "a/suite_z.py", "a.b/suite_a.py", "b/c/suite_a.py", "b/suite_a.py", "suite_a.py")

    assert find_suite_files([tmp_path]) == expected
    assert find_suite_files([tmp_path / "b", tmp_path / "suite_a.py", tmp_path]) == [
        *expected[2:],
        *expected[:2],
    ]


def test_hidden_folders_links_to_folders_and_other_files_are_left_out(tmp_path: Path) -> None:
    (file,) = made(tmp_path, "suite_a.py")
    made(tmp_path, ".venv/suite_b.py", "__pycache__/suite_c.py", "suite.py", "suite_d.txt", "my_suite_e.py")
    (tmp_path / "link").symlink_to(tmp_path)

    assert find_suite_files([tmp_path]) == [file]
    # Whoever names a hidden folder means it.
    assert find_suite_files([tmp_path / ".venv"]) == [str(tmp_path / ".venv" / "suite_b.py")]


def test_a_file_of_another_name_is_refused(tmp_path: Path) -> None:
    made(tmp_path, "helper.py")

    with pytest.raises(UsageError, match=r"suite files are called suite_\*\.py"):
        find_suite_files([tmp_path / "helper.py"])
