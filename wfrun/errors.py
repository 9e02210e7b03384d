"""What can go wrong, in families that answer "whose mistake?", each with one documented exit code."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

__all__ = [
    "BaselineError",
    "ExitCode",
    "FileError",
    "InternalError",
    "NothingSelected",
    "SuiteError",
    "UsageError",
    "WfrunError",
]


class ExitCode(IntEnum):
    """What ``wfrun`` tells the shell.

    Where several apply, the first of this order counts: INTERRUPTED, INTERNAL, CASE_FAILED, USAGE, REGRESSION.
    """

    OK = 0
    CASE_FAILED = 1
    """A case failed, or a suite could not be loaded."""
    USAGE = 2
    """The command line was wrong, or a file could not be read or written."""
    REGRESSION = 3
    """Every case passed, and at least one measurement got worse than its threshold allows."""
    NOTHING = 4
    """Nothing was selected, or nothing was measured where a measurement was asked for."""
    INTERNAL = 5
    """A fault of wfrun itself."""
    INTERRUPTED = 130
    """Ctrl-C."""


class WfrunError(Exception):
    """Every error wfrun raises on purpose. Its text says what, where and what next; users see no traceback."""

    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL


class UsageError(WfrunError):
    """The command line, or a call of the programming interface, asks for something that cannot be."""

    exit_code = ExitCode.USAGE


class FileError(WfrunError):
    """A file or folder that cannot be read or written."""

    exit_code = ExitCode.USAGE


class BaselineError(FileError):
    """A baseline that is missing, damaged, of a newer format, or would be overwritten by accident."""


class SuiteError(WfrunError):
    """A mistake in a suite: it does not load, or declares something contradictory."""

    exit_code = ExitCode.CASE_FAILED


class NothingSelected(WfrunError):
    """No case matches, so a green end would be a lie."""

    exit_code = ExitCode.NOTHING


class InternalError(WfrunError):
    """wfrun contradicted itself; the session's verdict cannot be trusted."""

    exit_code = ExitCode.INTERNAL
