"""What ``--against`` names, as two trees on disk for as long as they are compared."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wfrun.errors import UsageError
from wfrun.runner.against.environment import prepare_environment
from wfrun.runner.against.git import GitFailed, commit_of, project_of, untracked_in
from wfrun.runner.against.overlay import overlay_suites
from wfrun.runner.against.side import Side, import_roots
from wfrun.runner.against.worktree import copied_tree, worktree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from wfrun.runner.options import Trees

__all__ = ["Sides", "opened_sides"]


@dataclass(frozen=True, slots=True)
class Sides:
    """Two trees: the base and the changed one."""

    base: Side
    changed: Side
    notes: tuple[str, ...] = ()
    """What the reader should know of how they came about."""

    @property
    def both(self) -> tuple[Side, Side]:
        """The base, then the changed tree."""
        return self.base, self.changed


@contextlib.contextmanager
def opened_sides(
    asked: Trees, suite_files: Sequence[Path], say: Callable[[str], None] = lambda _: None
) -> Iterator[Sides]:
    """Have both trees on disk while in here.

    Args:
        asked: Which.
        suite_files: The suite files of the working tree that are to run on both sides.
        say: Told what takes a while.

    Raises:
        UsageError: What was asked for is not there, or cannot be checked out; the text says what to do.
        FileError: There is no room for a tree.
    """
    here = Path.cwd().resolve()
    with contextlib.ExitStack() as stack:
        before, dots, after = asked.against.partition("..")
        folder = Path(asked.against).expanduser().resolve()
        if not dots and folder.is_dir() and not _names_commit(here, asked.against):
            sides = _against_folder(stack, here, folder)
        else:
            sides = _against_refs(stack, project_of(here), before, after if dots else None)
        ours = [side for side in sides.both if side.root != side.project]
        if not asked.suites_from_each:
            for side in ours:
                overlay_suites(suite_files, side.project, side.root)
        if asked.setup:
            base, changed = (
                replace(side, python=prepare_environment(side, asked.setup, say))
                for side in (sides.base, sides.changed)
            )
            sides = replace(sides, base=base, changed=changed)
        yield sides


def _names_commit(here: Path, name: str) -> bool:
    try:
        commit_of(project_of(here), name)
    except UsageError:
        return False
    return True


def _against_folder(stack: contextlib.ExitStack, here: Path, folder: Path) -> Sides:
    if folder == here:
        raise UsageError("--against: that is the folder itself; name another one, or a commit")
    roots = import_roots(here)
    root = stack.enter_context(copied_tree(here, folder))
    base = Side(folder.name, root, here, roots=roots)
    return Sides(base, Side("working tree", here, here, roots=roots))


def _against_refs(stack: contextlib.ExitStack, project: Path, before: str, after: str | None) -> Sides:
    roots = import_roots(project)
    base = _of_commit(stack, project, before or "HEAD", "base", roots)
    if after is not None:
        return Sides(base, _of_commit(stack, project, after or "HEAD", "changed", roots))
    changed = Side("working tree", project, project, roots=roots)
    return Sides(base, changed, _said_of_untracked(project))


def _of_commit(stack: contextlib.ExitStack, project: Path, ref: str, role: str, roots: tuple[Path, ...]) -> Side:
    commit = commit_of(project, ref)
    root = stack.enter_context(worktree(project, commit, role))
    name = ref if ref != commit else commit[:10]
    return Side(name, root, project, commit=commit, roots=roots)


def _said_of_untracked(project: Path) -> tuple[str, ...]:
    try:
        files = untracked_in(project)
    except GitFailed:
        return ()
    if not files:
        return ()
    named = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
    return (f"not committed, so only the working tree has it unless it lies in a folder suites: {named}",)
