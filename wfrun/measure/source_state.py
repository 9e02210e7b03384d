"""Which source a record was made from: the commit, and what differed from it in the working tree."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wfrun.measure.git import call_git
from wfrun.measure.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["SourceState", "git_setting", "has_commit", "source_state"]

GIT_TIMEOUT_S: Final = 20

LARGE_FILE_BYTES: Final = 16 * 2**20
"""A changed file above this counts by its size and time of change: reading a forgotten data set would take minutes."""


@dataclass(frozen=True, slots=True)
class SourceState:
    """A commit and the difference to it."""

    sha: str | None
    """The commit that is checked out; None before the first one."""
    branch: str | None
    """The branch; None when none is checked out."""
    dirty: bool
    """Whether files differ from the commit, or are there and neither committed nor ignored."""
    diff_hash: str | None
    """The same for the same difference, staged or not; None when there is none."""


def source_state(folder: Path, ignore: Callable[[Path], bool] = lambda _: False) -> Reading[SourceState]:
    """Return the state of the git repository around ``folder``, which is only read; None with the reason otherwise.

    There is none outside a repository, without git, for an owner git does not trust, and after 20 seconds. A changed
    file whose path satisfies ``ignore`` counts as unchanged: what was written about a source is no part of it.
    """
    top = _git(folder, "rev-parse", "--show-toplevel")
    if top.value is None:
        return Reading(None, top.doubt)
    root = Path(os.fsdecode(top.value.removesuffix(b"\n")))
    listing = _git(
        root, "status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all", "--no-renames", "--no-ahead-behind"
    )
    if listing.value is None:
        return Reading(None, listing.doubt)
    records = [os.fsdecode(record) for record in listing.value.split(b"\0") if record]
    facts = dict(record[2:].split(" ", 1) for record in records if record.startswith("# "))
    changed = [record for record in records if not record.startswith("# ") and not ignore(root / _path(record))]
    sha, branch = facts.get("branch.oid", "(initial)"), facts.get("branch.head", "(detached)")
    return Reading(
        SourceState(
            sha=None if sha == "(initial)" else sha,
            branch=None if branch == "(detached)" else branch,
            dirty=bool(changed),
            diff_hash=_hash_of(root, changed) if changed else None,
        )
    )


def has_commit(folder: Path, sha: str) -> Reading[bool]:
    """Return whether the repository around ``folder`` has this commit with its files; None with the reason if unknown.

    A shallow clone lacks the older ones.
    """
    inside = _git(folder, "rev-parse", "--git-dir")
    if inside.value is None:
        return Reading(None, inside.doubt)
    return Reading(_git(folder, "cat-file", "-e", f"{sha}^{{tree}}").value is not None)


def git_setting(folder: Path, name: str) -> str:
    """Return a setting of git as it holds in ``folder``, such as ``user.name``; empty where there is none."""
    return os.fsdecode(_git(folder, "config", "--get", name).value or b"").strip()


def _git(folder: Path, *arguments: str) -> Reading[bytes]:
    try:
        done = call_git(folder, *arguments, timeout_s=GIT_TIMEOUT_S, looks_only=True)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Reading(None, f"git in {folder}: {error}")
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        return Reading(None, f"git in {folder}: {said[0] if said else f'exit code {done.returncode}'}")
    return Reading(done.stdout)


def _hash_of(root: Path, records: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for path, submodule in sorted(_paths(records)):
        # Git says of a submodule only that it differs; which commit it is at makes the difference.
        commit = (_git(root / path, "rev-parse", "HEAD").value or b"") if submodule else b""
        for part in (os.fsencode(path), submodule.encode(), commit, *_content(root / path)):
            # Each part with its length, so that no two differences can run together into one text.
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return digest.hexdigest()[:16]


def _paths(records: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the path of each status record, and for a submodule what is different in it."""
    for record in records:
        submodule = "N" if record[0] == "?" else record.split(" ", 3)[2]
        yield _path(record), "" if submodule.startswith("N") else submodule


def _path(record: str) -> str:
    # "? path", "1 XY sub mH mI mW hH hI path", and for conflicts "u XY sub m1 m2 m3 mW h1 h2 h3 path".
    return record.split(" ", {"?": 1, "1": 8}.get(record[0], 10))[-1]


def _content(path: Path) -> tuple[bytes, ...]:
    """Return what tells one state of a file from another; never opens what could block."""
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            return b"link", os.fsencode(path.readlink())
        if not stat.S_ISREG(status.st_mode):
            return b"other", stat.S_IFMT(status.st_mode).to_bytes(4, "big")
        mode = b"program" if status.st_mode & stat.S_IXUSR else b"file"
        if status.st_size > LARGE_FILE_BYTES:
            return mode, f"{status.st_size} bytes of {status.st_mtime_ns}".encode()
        return mode, path.read_bytes()
    except FileNotFoundError:
        return (b"deleted",)
    except OSError as error:
        return b"unreadable", str(error.errno).encode()
