"""Names and captured text made fit to print: nothing in them may command the terminal or break a line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from wfrun.authoring.info import CaseInfo

__all__ = ["case_name", "first_and_last_lines", "one_line", "plural", "printable", "shown_path"]

# Colours, cursor movements and titles that programs write to terminals: CSI, OSC and two-character sequences.
_SEQUENCE: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_]?)")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def printable(text: str) -> str:
    """Return ``text`` without terminal sequences; control characters but tabs and line ends become escapes."""
    plain = _SEQUENCE.sub("", text.replace("\r\n", "\n"))
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], plain)


def one_line(text: str) -> str:
    """Return ``text`` made printable, with every run of white space as one space."""
    return " ".join(printable(text).split())


def case_name(info: CaseInfo) -> str:
    """Return what people call a case: its suite, its title, and its parameters where the title does not show them."""
    name = one_line(f"{info.suite_title} · {info.title}")
    shown = ", ".join(f"{parameter}={value}" for parameter, value in info.parameters.items())
    return f"{name} [{one_line(shown)}]" if shown and shown not in info.title else name


def first_and_last_lines(text: str, first: int, last: int) -> str:
    """Return ``text`` with the lines between the ``first`` and the ``last`` replaced by one that counts them."""
    lines = text.splitlines()
    left_out = len(lines) - first - last
    if left_out < 2:
        return text
    return "\n".join([*lines[:first], f"… {plural(left_out, 'line')} not shown …", *lines[len(lines) - last :]])


def plural(count: int, noun: str) -> str:
    """Return ``1 case`` or ``2,000 cases``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def shown_path(path: str | Path) -> str:
    """Return ``path`` relative to the current folder where it is below it, else as it is."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)
