"""Whether what the command line names is there, and whether what it wants written can be: asked before the session."""

from __future__ import annotations

import os
import shlex
import tempfile
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from wfrun.errors import FileError, UsageError
from wfrun.runner.record.store import resolve_baseline

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wfrun.runner.options import Outputs, Tools

__all__ = ["check_outputs", "check_paths", "check_tools", "check_writable"]


def check_paths(paths: Sequence[Path], verbs: Iterable[str]) -> None:
    """Refuse a path where nothing is, naming what its writer may have meant: a similar path, or a verb.

    Raises:
        UsageError: A path does not exist.
    """
    for path in paths:
        if not os.path.lexists(path):
            raise UsageError(f"there is no file or folder {str(path)!r}{_meant(path, list(verbs))}")
        if not path.exists():
            raise UsageError(f"{str(path)!r} is a link to {str(path.readlink())!r}, where nothing is")


def check_outputs(outputs: Outputs) -> None:
    """Refuse output files that could not be written, or that would overwrite each other.

    Raises:
        FileError: A file cannot be written.
        UsageError: Two options name the same file.
    """
    baseline = None if outputs.baseline_path is None else resolve_baseline(outputs.baseline_path, Path.cwd())
    files = {
        "--junit": outputs.junit_path,
        "--json": outputs.json_path,
        "--html": outputs.html_path,
        "--markdown": outputs.markdown_path,
        "--baseline": baseline,
    }
    if outputs.folder is not None and outputs.folder.exists() and not outputs.folder.is_dir():
        raise FileError(f"--output {outputs.folder}: this is a file; name a folder, which is made where it is missing")
    seen: dict[Path, str] = {}
    for option, path in files.items():
        if path is None or (option == "--json" and str(path) == "-"):
            continue
        check_writable(option, path)
        other = seen.setdefault(path.absolute(), option)
        if other != option and (path.is_file() or not path.exists()):
            raise UsageError(f"{other} and {option} both name {path}; one would overwrite the other")


def check_tools(tools: Tools) -> None:
    """Refuse a folder in which the files of tools could not be made.

    Raises:
        FileError: Nothing can be written there; the text says why.
    """
    for option, wanted in (("--profile", tools.profile), ("--trace", tools.trace)):
        if wanted:
            check_writable(option, tools.folder / option.removeprefix("--") / "file")


def check_writable(option: str, path: Path) -> None:
    """Refuse a file that could not be written, by trying: a session's results must not be lost at its end.

    Folders that are missing are made when the file is written; here only the nearest existing one is tried.

    Raises:
        FileError: Nothing can be written there; the text says why.
    """
    if path.is_dir():
        raise FileError(f"{option} {path}: this is a folder; name a file in it")
    if path.exists() and not path.is_file():
        return  # a device or a named pipe: opening it may have effects, so it is left for the one real write
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise FileError(f"{option} {path}: cannot write in {folder}: {error.strerror or error}") from error


def _meant(path: Path, verbs: list[str]) -> str:
    word = str(path)
    if word in verbs:
        return f"; {word!r} is a verb and goes first: wfrun {word} …"
    if "::" in word:
        return f"; one case is selected by its id: wfrun --case {shlex.quote(word)}"
    verb = get_close_matches(word, verbs, n=1)
    if verb:
        return f"; did you mean the verb {verb[0]}: wfrun {verb[0]} …?"
    similar = _similar(path)
    if similar:
        return f"; did you mean {' or '.join(str(each) for each in similar)}?"
    return "; the verbs are " + ", ".join(verbs) + ", and any other word is a path to suites"


def _similar(path: Path) -> list[Path]:
    # The first part that is missing is the one mistyped: what follows it is kept where it then exists.
    parts = path.parts
    for count in range(1, len(parts) + 1):
        head = Path(*parts[:count])
        if os.path.lexists(head):
            continue
        try:
            names = sorted(entry.name for entry in head.parent.iterdir())
        except OSError:
            return []
        near = [head.parent / name for name in get_close_matches(head.name, names, n=3)]
        return [each.joinpath(*parts[count:]) if each.joinpath(*parts[count:]).exists() else each for each in near]
    return []
