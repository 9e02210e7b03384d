"""Channels for the scenarios, made by whatever target the session drives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wfrun.concurrency.channel import ChannelMode
from wfrun.concurrency.errors import Unsupported

if TYPE_CHECKING:
    from wfrun.concurrency.targets import ChannelLike, ChannelTarget

__all__ = ["make_channel"]


def make_channel(
    channels: ChannelTarget, capacity: int, mode: ChannelMode = ChannelMode.MPMC, name: str = ""
) -> ChannelLike[Any]:
    """Return a channel of the mode; of none where the target has no modes.

    A mode is a promise to refuse more senders or receivers than it names. The scenarios keep to it themselves, so they
    can run on systems that cannot refuse.
    """
    try:
        return channels.create(capacity, mode=mode, name=name)
    except Unsupported:
        if mode is ChannelMode.MPMC:
            raise
        return channels.create(capacity, name=name)
