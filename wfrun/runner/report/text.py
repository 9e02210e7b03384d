"""Names and captured text made fit to print: nothing in them may command the terminal or break a line."""

from __future__ import annotations

import contextlib
import os
import re
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wfrun.authoring.info import CaseInfo
    from wfrun.runner.plan.planned import PlannedCase

__all__ = [
    "case_name",
    "case_title",
    "first_and_last_lines",
    "one_line",
    "plural",
    "printable",
    "shown_path",
    "turn_name",
]

# Colours, cursor movements and titles that programs write to terminals: CSI, OSC and two-character sequences.
_SEQUENCE: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_]?)")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Titled(Protocol):
    """A case as the plan or the record knows it."""

    @property
    def title(self) -> str:
        """What people call it."""

    @property
    def parameters(self) -> Mapping[str, str]:
        """Each parameter's value, as text."""


def printable(text: str) -> str:
    """Return ``text`` without terminal sequences; control characters but tabs and line ends become escapes."""
    plain = _SEQUENCE.sub("", text.replace("\r\n", "\n"))
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], plain)


def one_line(text: str) -> str:
    """Return ``text`` made printable, with every run of white space as one space."""
    if text.isprintable() and "  " not in text and text[:1] != " " != text[-1:]:
        # It is so already, as nearly every name is.
        return text
    return " ".join(printable(text).split())


def case_name(info: CaseInfo) -> str:
    """Return what people call a case: its suite and its title, with the parameters."""
    return one_line(f"{info.suite_title} · {case_title(info)}")


def turn_name(case: PlannedCase) -> str:
    """Return the name of a case, with ``#3`` behind it where this is its third turn of several."""
    return case_name(case.info) + (f" #{case.turn}" if case.turn else "")


def case_title(case: Titled) -> str:
    """Return the title of a case, with those parameters that the title does not show itself."""
    if not case.parameters:
        return one_line(case.title)
    parameters = (f"{name}={value}" for name, value in case.parameters.items())
    hidden = ", ".join(parameter for parameter in parameters if parameter not in case.title)
    return one_line(f"{case.title} [{hidden}]" if hidden else case.title)


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
    shown = str(path)
    with contextlib.suppress(OSError):
        # As text, which takes a twentieth of the time that paths take.
        return shown.removeprefix(os.path.join(os.getcwd(), ""))  # noqa: PTH109, PTH118
    return shown
