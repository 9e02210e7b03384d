"""A second tree on disk for as long as it is compared: a git worktree or a copy, its path as long as the project's.

The length of a path moves what lies behind it in memory, in every process, so a longer one is a difference that the
code does not make. Whatever happens, the tree is taken away: at the end, at an error, at Ctrl-C, and by the next
session where a session was killed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil  # type: ignore[import-untyped]

from wfrun.errors import FileError, UsageError
from wfrun.runner.against.git import GitFailed, git, submodules_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["copied_tree", "same_length_path", "worktree"]

_SIGN: Final = "wfrun"
_FEWEST_LETTERS: Final = 4
_TRIES: Final = 100
_NOT_COPIED: Final = shutil.ignore_patterns(
    ".git", ".venv", "venv", "__pycache__", "node_modules", ".wfrun", ".mypy_cache", ".ruff_cache", ".pytest_cache"
)


@contextlib.contextmanager
def worktree(project: Path, commit: str, role: str) -> Iterator[Path]:
    """Check ``commit`` out to a path of its own while in here; the repository is left as it was.

    The same role gives the same path where it is free, so that an installation which wrote the path down stays true.
    Submodules are checked out from what the project holds of them, without the network.

    Raises:
        UsageError: Git cannot do it; the text says why.
        FileError: There is no place for it.
    """
    _remove_forgotten(project)
    path = same_length_path(project, role)
    try:
        git(project, "worktree", "add", "--detach", "--force", str(path), commit)
        # Nobody's "git worktree prune" takes it away meanwhile, and who it belongs to can be read.
        git(project, "worktree", "lock", "--reason", _owner(), str(path))
        held = _check_out_submodules(project, path, commit)
        try:
            yield path
        finally:
            for module in held:
                _remove(module, path / module.relative_to(project))
    except GitFailed as error:
        raise UsageError(f"--against: {commit[:10]} could not be checked out: {error}") from None
    finally:
        _remove(project, path)


@contextlib.contextmanager
def copied_tree(project: Path, folder: Path) -> Iterator[Path]:
    """Copy ``folder`` to a path as long as ``project``'s while in here; environments and caches are left out.

    Raises:
        FileError: It cannot be copied.
    """
    path = same_length_path(project, str(folder))
    try:
        shutil.copytree(folder, path, symlinks=True, ignore=_NOT_COPIED, dirs_exist_ok=True)
        yield path
    except (OSError, shutil.Error) as error:
        raise FileError(f"--against: {folder} could not be copied: {error}") from None
    finally:
        shutil.rmtree(path, ignore_errors=True)


def same_length_path(project: Path, key: str) -> Path:
    """Make an empty folder whose path has as many bytes as ``project``'s, and return it.

    The same key gives the same path where it is free, so that what an installation wrote down of it stays true.

    Raises:
        FileError: No folder can be made.
    """
    wanted = len(os.fsencode(project))
    problem = "its path is too short for another as long"
    for parent in (Path(tempfile.gettempdir()).resolve(), project.parent):
        letters = wanted - len(os.fsencode(parent)) - 1
        if letters < _FEWEST_LETTERS or letters > 255:
            continue
        for number in range(_TRIES):
            name = hashlib.sha256(f"{project}\0{key}\0{number}".encode()).hexdigest() * 4
            path = parent / f"w{name}"[:letters]
            try:
                path.mkdir(mode=0o700)
            except FileExistsError:
                continue
            except OSError as error:
                problem = str(error)
                break
            return path
    try:
        return Path(tempfile.mkdtemp(prefix=f"{_SIGN}-")).resolve()
    except OSError as error:
        raise FileError(f"--against: no folder could be made for the other tree ({problem}; {error})") from None


def _check_out_submodules(project: Path, path: Path, commit: str) -> list[Path]:
    held = []
    for name, wanted in submodules_of(project, commit).items():
        module = project / name
        if not (module / ".git").exists():
            continue  # It is not here either, so neither side has it.
        try:
            git(module, "worktree", "add", "--detach", "--force", str(path / name), wanted)
        except GitFailed as error:
            raise UsageError(f"--against: submodule {name} could not be checked out: {error}") from None
        held.append(module)
    return held


def _remove(project: Path, path: Path) -> None:
    with contextlib.suppress(GitFailed):
        git(project, "worktree", "unlock", str(path))
    with contextlib.suppress(GitFailed):
        git(project, "worktree", "remove", "--force", "--force", str(path))
    shutil.rmtree(path, ignore_errors=True)
    with contextlib.suppress(GitFailed):
        git(project, "worktree", "prune")


def _owner() -> str:
    own = psutil.Process()
    return f"{_SIGN} {own.pid} {own.create_time()}"


def _remove_forgotten(project: Path) -> None:
    """Take away the trees of sessions that were killed."""
    path = None
    for line in git(project, "worktree", "list", "--porcelain").splitlines():
        word, _, rest = line.partition(" ")
        if word == "worktree":
            path = Path(rest)
        elif word == "locked" and path is not None and rest.startswith(f"{_SIGN} ") and not _lives(rest):
            _remove(project, path)


def _lives(owner: str) -> bool:
    try:
        _, pid, created = owner.split(" ")
        return bool(psutil.Process(int(pid)).create_time() == float(created))
    except (ValueError, psutil.Error):
        return False
