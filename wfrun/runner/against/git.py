"""Git as the comparison of two trees needs it: every call with its answer or its reason."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wfrun.errors import UsageError
from wfrun.measure.git import call_git

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["GitFailed", "changed_since", "commit_of", "git", "project_of", "submodules_of", "untracked_in"]

TIMEOUT_S: Final = 120


class GitFailed(UsageError):
    """Git refused; the text is what it said."""


def git(folder: Path, *words: str) -> str:
    """Run git in ``folder`` and return what it wrote.

    Raises:
        GitFailed: It is not installed, ended with another exit code than 0, or took longer than two minutes.
    """
    try:
        done = call_git(folder, *words, timeout_s=TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GitFailed(f"git in {folder}: {error}") from None
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        raise GitFailed(said.splitlines()[-1] if said else f"git {words[0]} ended with exit code {done.returncode}")
    return os.fsdecode(done.stdout)


def project_of(folder: Path) -> Path:
    """Return the top folder of the repository around ``folder``.

    Raises:
        UsageError: There is none.
    """
    try:
        return Path(git(folder, "rev-parse", "--show-toplevel").removesuffix("\n")).resolve()
    except GitFailed as error:
        raise UsageError(
            f"--against: {folder} is in no git repository ({error}); name a folder to compare with instead"
        ) from None


def commit_of(project: Path, ref: str) -> str:
    """Return the commit that ``ref`` names.

    Raises:
        UsageError: Nothing is called so, or a shallow clone does not hold it; the text says what to do.
    """
    if not ref or ref.startswith("-"):
        raise UsageError(f"--against: {ref!r} is no name of a commit")
    try:
        return git(project, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}").strip()
    except GitFailed:
        pass
    shallow = git(project, "rev-parse", "--is-shallow-repository").strip() == "true"
    hint = (
        "this clone is shallow and may lack it: git fetch --unshallow, or in CI check out with the whole history"
        if shallow
        else _nearest(project, ref)
    )
    raise UsageError(f"--against: no commit, branch or tag is called {ref!r}, and no folder; {hint}")


def submodules_of(project: Path, commit: str) -> dict[str, str]:
    """Return the commit of each submodule by its path, as ``commit`` has them."""
    entries = git(project, "ls-tree", "-r", "-z", commit).split("\0")
    found = {}
    for entry in entries:
        head, _, path = entry.partition("\t")
        if head.startswith("160000 "):
            found[path] = head.split(" ")[2]
    return found


def changed_since(project: Path, commit: str, places: Iterable[Path]) -> tuple[Path, ...]:
    """Return the files at ``places`` that differ from ``commit``, those that are not committed included.

    Raises:
        GitFailed: It cannot be told.
    """
    names = [str(place) for place in places]
    if not names:
        return ()
    differing = git(project, "diff", "--name-only", "--no-renames", "-z", commit, "--", *names)
    fresh = git(project, "ls-files", "--others", "--exclude-standard", "-z", "--", *names)
    return tuple(project / name for name in (differing + fresh).split("\0") if name)


def untracked_in(project: Path) -> tuple[str, ...]:
    """Return the files that are neither committed nor ignored, from the top of the project."""
    listed = git(project, "ls-files", "--others", "--exclude-standard", "-z")
    return tuple(path for path in listed.split("\0") if path)


def _nearest(project: Path, ref: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only to explain a refusal

    try:
        names = git(project, "for-each-ref", "--format=%(refname:short)").split()
    except GitFailed:
        names = []
    near = get_close_matches(ref, names, n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"there are {', '.join(names[:8])}" if names else "nothing is committed yet"
