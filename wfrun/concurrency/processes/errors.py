"""How work in other processes is refused, fails, or is lost."""

from __future__ import annotations

from wfrun.concurrency.errors import ChannelError

__all__ = [
    "ChildFailed",
    "FunctionNotImportable",
    "ItemNotPicklable",
    "WorkerItemFailed",
    "WorkerStartFailed",
    "shortened",
]


class FunctionNotImportable(ChannelError, TypeError):
    """A function that another process cannot find by its name: a lambda, a closure, a bound method."""


class ItemNotPicklable(ChannelError, TypeError):
    """An item that cannot be written for another process; it was not sent, and the channel goes on."""


class WorkerStartFailed(ChannelError):
    """Worker processes did not come up; the text has the child's own traceback, or how the process ended."""


class ChildFailed(ChannelError):
    """The function at the other end of a process channel raised, or its process died.

    Args:
        message: What happened, in a sentence.
        traceback_text: The traceback as the child wrote it; empty when the process died.
    """

    def __init__(self, message: str, traceback_text: str = "") -> None:
        super().__init__(f"{message}\n{traceback_text}".rstrip())
        self.traceback_text = traceback_text


class WorkerItemFailed(ChannelError):
    """One item of process workers has no result. The other items are not touched by it.

    Args:
        item_id: The item's position in the order of acceptance, from 0.
        item_text: The item in words, shortened.
        reason: What happened, in a sentence.
        error_type: Full name of the exception's class; empty when no exception was raised, as when the worker died.
        traceback_text: The traceback as the worker wrote it; empty when there is none.
    """

    def __init__(
        self, item_id: int, item_text: str, reason: str, *, error_type: str = "", traceback_text: str = ""
    ) -> None:
        super().__init__(f"item {item_id} ({item_text}): {reason}\n{traceback_text}".rstrip())
        self.item_id = item_id
        self.reason = reason
        self.error_type = error_type
        self.traceback_text = traceback_text


def shortened(item: object, most: int = 80) -> str:
    """Return ``repr(item)``, cut to ``most`` characters; for an item whose repr fails, its class."""
    # The repr of a large buffer would cost more than the item itself.
    if isinstance(item, bytes | bytearray | str) and len(item) > most:
        return f"{type(item).__name__} of {len(item)}"
    try:
        text = repr(item)
    except Exception:  # noqa: BLE001 - any item may be sent, and its repr is only for the message
        return f"a {type(item).__qualname__}"
    return text if len(text) <= most else f"{text[: most - 1]}…"
