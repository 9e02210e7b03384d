"""The system called ``channels`` that suites drive: this package's channels, or what others offer in their place.

An adapter is thin on purpose: it passes on what the foreign system does, and refuses by name what it lacks. Only the
end of a channel is added to ``asyncio.Queue``, because nothing that has stages can be written without one.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol, TypeVar

from wfrun.concurrency.channel_facts import ChannelMode
from wfrun.concurrency.errors import ChannelClosed, ChannelTimeout, EndOfChannel, Unsupported, WouldBlock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Sequence

    from wfrun.concurrency.channel_facts import ChannelStatistics

__all__ = ["AnyioChannels", "AsyncioChannels", "ChannelLike", "ChannelTarget", "WfrunChannels"]

T = TypeVar("T")


class ChannelLike(Protocol[T]):
    """What a scenario may do with a channel of any target; see :class:`wfrun.concurrency.Channel` for the meaning."""

    @property
    def capacity(self) -> int | None:
        """Most items buffered at once."""

    @property
    def closed(self) -> bool:
        """Whether it was closed."""

    def __len__(self) -> int:
        """Return how many items are buffered."""

    def __aiter__(self) -> AsyncIterator[T]:
        """Iterate until the channel is closed and empty."""

    async def send(self, item: T, timeout_s: float | None = None) -> None:
        """Put an item in, waiting for room."""

    def try_send(self, item: T) -> None:
        """Put an item in without waiting."""

    async def send_many(self, items: Sequence[T], timeout_s: float | None = None) -> None:
        """Put several in, in order."""

    async def receive(self, timeout_s: float | None = None) -> T:
        """Take the oldest item, waiting for one."""

    def try_receive(self) -> T:
        """Take the oldest item without waiting."""

    async def receive_many(self, max_items: int = ..., timeout_s: float | None = None) -> list[T]:
        """Take what is there."""

    def batches(self, max_items: int = ...) -> AsyncIterator[list[T]]:
        """Iterate over lists of what is there."""

    def close(self) -> None:
        """Accept nothing more; what is buffered can still be received."""

    def statistics(self) -> ChannelStatistics:
        """Return what went through."""


class ChannelTarget(Protocol):
    """Makes channels of one system. What the system does not offer raises :class:`Unsupported`, naming it."""

    @property
    def name(self) -> str:
        """What the system is called in messages."""

    def create(self, capacity: int | None, mode: ChannelMode = ChannelMode.MPMC, name: str = "") -> ChannelLike[Any]:
        """Return a channel bounded by items."""

    def create_bytes(
        self,
        capacity_bytes: int,
        weigh: Callable[[Any], int] | None = None,
        mode: ChannelMode = ChannelMode.MPMC,
        name: str = "",
    ) -> ChannelLike[Any]:
        """Return a channel bounded by the weight of its items."""

    def create_priority(
        self,
        capacity: int | None,
        priority: Callable[[Any], Any],
        mode: ChannelMode = ChannelMode.MPMC,
        name: str = "",
    ) -> ChannelLike[Any]:
        """Return a channel that gives its items out by priority."""

    async def select(self, *arms: Any, timeout_s: float | None = None) -> Any:  # noqa: ANN401 - each system's own arms
        """Wait for one of several operations and do exactly that one."""


class WfrunChannels:
    """The channels of this package."""

    name: Final = "wfrun"

    def create(self, capacity: int | None, mode: ChannelMode = ChannelMode.MPMC, name: str = "") -> ChannelLike[Any]:
        """Return a :class:`wfrun.concurrency.Channel`."""
        from wfrun.concurrency.channel import Channel  # noqa: PLC0415 - one kind of channel is rarely used with another

        return Channel(capacity, mode=mode, name=name)

    def create_bytes(
        self,
        capacity_bytes: int,
        weigh: Callable[[Any], int] | None = None,
        mode: ChannelMode = ChannelMode.MPMC,
        name: str = "",
    ) -> ChannelLike[Any]:
        """Return a :class:`wfrun.concurrency.ByteChannel`."""
        from wfrun.concurrency.byte_channel import ByteChannel  # noqa: PLC0415 - as above

        if weigh is None:
            return ByteChannel(capacity_bytes, mode=mode, name=name)
        return ByteChannel(capacity_bytes, weigh=weigh, mode=mode, name=name)

    def create_priority(
        self,
        capacity: int | None,
        priority: Callable[[Any], Any],
        mode: ChannelMode = ChannelMode.MPMC,
        name: str = "",
    ) -> ChannelLike[Any]:
        """Return a :class:`wfrun.concurrency.PriorityChannel`."""
        from wfrun.concurrency.priority import PriorityChannel  # noqa: PLC0415 - as above

        return PriorityChannel(capacity, priority=priority, mode=mode, name=name)

    async def select(self, *arms: Any, timeout_s: float | None = None) -> Any:  # noqa: ANN401 - arms of any item type
        """Do exactly one of several operations: :func:`wfrun.concurrency.select`."""
        from wfrun.concurrency.selecting import select  # noqa: PLC0415 - as above

        return await select(*arms, timeout_s=timeout_s)


class _ItemsOnly:
    """What neither foreign system has, refused by name."""

    system: str

    async def send_many(self, items: Sequence[Any], timeout_s: float | None = None) -> NoReturn:  # noqa: ARG002
        """Refuse.

        Raises:
            Unsupported: Always.
        """
        self._lacks("batches")

    async def receive_many(self, max_items: int = 0, timeout_s: float | None = None) -> NoReturn:  # noqa: ARG002
        """Refuse.

        Raises:
            Unsupported: Always.
        """
        self._lacks("batches")

    def batches(self, max_items: int = 0) -> NoReturn:  # noqa: ARG002
        """Refuse.

        Raises:
            Unsupported: Always.
        """
        self._lacks("batches")

    def statistics(self) -> NoReturn:
        """Refuse.

        Raises:
            Unsupported: Always.
        """
        self._lacks("counts of what went through")

    def _lacks(self, what: str) -> NoReturn:
        raise Unsupported(f"{self.system} has no {what}")


class _PlainChannels:
    """Makes channels of a system that knows no modes, no weights, no priorities and no select."""

    name: str

    def create_bytes(self, *_: object, **__: object) -> NoReturn:
        """Refuse.

        Raises:
            Unsupported: Always.
        """
        raise Unsupported(f"{self.name} has no channel bounded by bytes")

    def create_priority(self, *_: object, **__: object) -> NoReturn:
        """Refuse.

        Raises:
            Unsupported: Always.
        """
        raise Unsupported(f"{self.name} has no channel with priorities that can be closed")

    async def select(self, *_: object, **__: object) -> NoReturn:
        """Refuse.

        Raises:
            Unsupported: Always.
        """
        raise Unsupported(f"{self.name} has no select over several channels")

    def _check_mode(self, mode: ChannelMode) -> None:
        if mode is not ChannelMode.MPMC:
            raise Unsupported(f"{self.name} has no {mode.name} mode: it refuses no second sender or receiver")


class AsyncioChannels(_PlainChannels):
    """``asyncio.Queue``, with an end."""

    name = "asyncio.Queue"

    def create(self, capacity: int | None, mode: ChannelMode = ChannelMode.MPMC, name: str = "") -> ChannelLike[Any]:  # noqa: ARG002 - a queue has no name
        """Return a queue of ``capacity`` items; ``mode`` must be MPMC."""
        self._check_mode(mode)
        return _QueueChannel(capacity)


class _QueueChannel(_ItemsOnly):
    """A queue that can be closed. Senders that wait when it is closed still get through: a queue cannot refuse them.

    The end travels through the queue as an item of its own, and only when nothing can come after it.
    """

    system = "asyncio.Queue"
    _END: Final = object()

    def __init__(self, capacity: int | None) -> None:
        self.capacity: Final = capacity
        self.closed = False
        self._queue: asyncio.Queue[Any] = asyncio.Queue(capacity or 0)
        self._putting = 0
        self._ended = False

    def __len__(self) -> int:
        # The end is put in only when nothing else is or will be there, and it is not an item.
        return 0 if self._ended else self._queue.qsize()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:  # noqa: ANN401 - items of any type
        try:
            return await self.receive()
        except EndOfChannel:
            raise StopAsyncIteration from None

    async def send(self, item: Any, timeout_s: float | None = None) -> None:  # noqa: ANN401 - items of any type
        self._check_open()
        self._putting += 1
        try:
            await _within(timeout_s, self._queue.put(item))
        finally:
            self._putting -= 1
            self._end_if_last()

    def try_send(self, item: Any) -> None:  # noqa: ANN401 - items of any type
        self._check_open()
        try:
            self._queue.put_nowait(item)
        except asyncio.QueueFull:
            raise WouldBlock(f"the queue is full with {len(self)} items") from None

    async def receive(self, timeout_s: float | None = None) -> Any:  # noqa: ANN401 - items of any type
        return self._unwrap(await _within(timeout_s, self._queue.get()))

    def try_receive(self) -> Any:  # noqa: ANN401 - items of any type
        try:
            return self._unwrap(self._queue.get_nowait())
        except asyncio.QueueEmpty:
            raise WouldBlock("the queue is empty") from None

    def close(self) -> None:
        self.closed = True
        self._end_if_last()

    def _unwrap(self, item: Any) -> Any:  # noqa: ANN401 - items of any type
        if item is self._END:
            self._queue.put_nowait(self._END)
            raise EndOfChannel("the queue is closed and empty")
        self._end_if_last()
        return item

    def _end_if_last(self) -> None:
        if self.closed and not self._putting and self._queue.empty():
            self._ended = True
            self._queue.put_nowait(self._END)

    def _check_open(self) -> None:
        if self.closed:
            raise ChannelClosed("the queue is closed; it takes no more items")


class AnyioChannels(_PlainChannels):
    """The memory object streams of anyio, which must be installed: ``pip install wfrun[anyio]``."""

    name = "anyio"

    def create(self, capacity: int | None, mode: ChannelMode = ChannelMode.MPMC, name: str = "") -> ChannelLike[Any]:  # noqa: ARG002 - a stream has no name
        """Return a pair of streams with a buffer of ``capacity`` items; ``mode`` must be MPMC."""
        self._check_mode(mode)
        return _StreamChannel(capacity)


class _StreamChannel(_ItemsOnly):
    """Both ends of a memory object stream."""

    system = "anyio"

    def __init__(self, capacity: int | None) -> None:
        try:
            import anyio  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise Unsupported("anyio is not installed; pip install wfrun[anyio]") from error
        self._anyio: Final = anyio
        self.capacity: Final = capacity
        self.closed = False
        self._sender, self._receiver = anyio.create_memory_object_stream[Any](
            math.inf if capacity is None else capacity
        )

    def __del__(self) -> None:
        # Streams complain when they are forgotten open; a channel need not be closed.
        self._sender.close()
        self._receiver.close()

    def __len__(self) -> int:
        return self._receiver.statistics().current_buffer_used

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:  # noqa: ANN401 - items of any type
        try:
            return await self.receive()
        except EndOfChannel:
            raise StopAsyncIteration from None

    async def send(self, item: Any, timeout_s: float | None = None) -> None:  # noqa: ANN401 - items of any type
        self._check_open()
        await _within(timeout_s, self._sender.send(item))

    def try_send(self, item: Any) -> None:  # noqa: ANN401 - items of any type
        self._check_open()
        try:
            self._sender.send_nowait(item)
        except self._anyio.WouldBlock:
            raise WouldBlock(f"the stream is full with {len(self)} items") from None

    async def receive(self, timeout_s: float | None = None) -> Any:  # noqa: ANN401 - items of any type
        try:
            return await _within(timeout_s, self._receiver.receive())
        except self._anyio.EndOfStream:
            raise EndOfChannel("the stream is closed and empty") from None

    def try_receive(self) -> Any:  # noqa: ANN401 - items of any type
        try:
            return self._receiver.receive_nowait()
        except self._anyio.WouldBlock:
            raise WouldBlock("the stream is empty") from None
        except self._anyio.EndOfStream:
            raise EndOfChannel("the stream is closed and empty") from None

    def close(self) -> None:
        self.closed = True
        self._sender.close()

    def _check_open(self) -> None:
        if self.closed:
            raise ChannelClosed("the stream is closed; it takes no more items")


async def _within(timeout_s: float | None, operation: Coroutine[Any, Any, T]) -> T:
    if timeout_s is None:
        return await operation
    try:
        return await asyncio.wait_for(operation, timeout_s)
    except TimeoutError:
        raise ChannelTimeout(f"nothing happened for {timeout_s} s") from None
