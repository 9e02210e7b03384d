"""How the concurrency core refuses: one family, each member a fact in words."""

from __future__ import annotations

from wfrun.errors import ExitCode, WfrunError

__all__ = [
    "ChannelClosed",
    "ChannelError",
    "ChannelTimeout",
    "EndOfChannel",
    "InvalidCapacity",
    "InvalidMeasure",
    "ModeViolation",
    "Unsupported",
    "WouldBlock",
    "WrongEventLoop",
]


class ChannelError(WfrunError):
    """Base of everything a channel raises."""

    exit_code = ExitCode.CASE_FAILED


class EndOfChannel(ChannelError):
    """The channel is closed and empty: the normal end of receiving."""


class ChannelClosed(ChannelError):
    """A send met a closed channel; the item was not taken, or of many only the first ``sent``."""

    sent: int = 0


class WouldBlock(ChannelError):
    """A non-blocking operation found the channel full, or empty."""


class ChannelTimeout(ChannelError, TimeoutError):
    """A timed operation ran out of time; it did not happen, or of many items only the first ``sent`` were sent."""

    sent: int = 0


class ModeViolation(ChannelError):
    """A second sender or receiver at once, where the channel's mode allows one."""


class WrongEventLoop(ChannelError):
    """The channel is in use by another event loop."""


class InvalidCapacity(ChannelError, ValueError):
    """A capacity that no channel can have."""


class InvalidMeasure(ChannelError, ValueError):
    """A weight or a priority that cannot be counted or ordered; the item was not sent."""


class Unsupported(ChannelError):
    """A channel target does not offer what was asked for."""
