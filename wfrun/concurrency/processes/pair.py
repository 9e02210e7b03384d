"""A child process and a channel to it or from it, started and ended together."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from wfrun.concurrency.errors import ChannelError
from wfrun.concurrency.processes.channel import AsyncReceiver, AsyncSender
from wfrun.concurrency.processes.errors import ChildFailed, WorkerStartFailed
from wfrun.concurrency.processes.importable import FunctionReference
from wfrun.concurrency.processes.items import Batch
from wfrun.concurrency.processes.loop import LoopReader, LoopWriter
from wfrun.concurrency.processes.role import Role
from wfrun.concurrency.processes.start import ChildProcess, start_child
from wfrun.concurrency.processes.wire import Kind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from wfrun.concurrency.processes.wire import Frame, FrameReader

__all__ = ["ProcessReceiver", "ProcessSender"]

T = TypeVar("T")

FAREWELL_S: Final = 2.0
"""How long a child whose function has returned may take to end by itself."""


class ProcessSender(AsyncSender[T]):
    """A channel into a child process, which calls ``function(receiver, *arguments)`` there.

    A plain function gets a :class:`PipeReceiver` and loops over it with ``for``; a coroutine function gets an
    :class:`AsyncReceiver`. Enter to start the process, leave to end it at once, whatever it does::

        async with ProcessSender(add_up) as numbers:
            await numbers.send_many(range(1000))
            numbers.close()
            total = await numbers.result()

    Args:
        function: At the top level of a module, where another process can import it.
        arguments: More arguments of ``function``.
        capacity: Most items that wait at this end.
        name: Shown in errors.

    Raises:
        FunctionNotImportable: Another process could not find ``function``; nothing was started.
        InvalidCapacity: ``capacity`` is less than 1.
    """

    def __init__(
        self,
        function: Callable[..., object],
        *,
        arguments: tuple[object, ...] = (),
        capacity: int = 1000,
        name: str = "",
    ) -> None:
        self._partner: Final = _Partner(function, Role.CONSUME, arguments, capacity)
        super().__init__(capacity, name or f"into {self._partner.label}")

    async def __aenter__(self) -> Self:
        """Start the child and wait until it has found its function.

        Raises:
            WorkerStartFailed: It did not; the text says why. Nothing is left behind.
        """
        child, writer = self._partner.start(self._deliver, self.fail)
        self.write_to(writer).add_done_callback(lambda _: child.end_input())
        await self._partner.until_ready()
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the child and give everything back."""
        try:
            await self.stop()
        finally:
            await self._partner.end()

    async def result(self) -> Any:  # noqa: ANN401 - whatever the function returns
        """Wait until the function has returned, and return its value.

        Raises:
            ChildFailed: It raised, or its process died.
        """
        return await self._partner.result()

    @property
    def pid(self) -> int | None:
        """Id of the child process, while there is one."""
        return self._partner.pid

    async def _deliver(self, reader: FrameReader, frame: Frame) -> None:
        reader.load(frame)
        raise ChildFailed(f"{self._partner.label} sent items against the channel's direction")


class ProcessReceiver(AsyncReceiver[T]):
    """A channel out of a child process, which calls ``function(sender, *arguments)`` there.

    A plain function gets a :class:`PipeSender`, a coroutine function an :class:`AsyncSender`. When the function returns
    the channel ends; when it raises, or its process dies, receivers get :class:`ChildFailed` after the last item that
    came. Enter to start the process, leave to end it at once.

    Args and raises: as for :class:`ProcessSender`; ``capacity`` is the most items that wait at this end.
    """

    def __init__(
        self,
        function: Callable[..., object],
        *,
        arguments: tuple[object, ...] = (),
        capacity: int = 1000,
        name: str = "",
    ) -> None:
        self._partner: Final = _Partner(function, Role.PRODUCE, arguments, capacity)
        super().__init__(capacity, name or f"out of {self._partner.label}")

    async def __aenter__(self) -> Self:
        """Start the child and wait until it has found its function.

        Raises:
            WorkerStartFailed: It did not; the text says why. Nothing is left behind.
        """
        self._partner.start(self.deliver, self.finish)
        await self._partner.until_ready()
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the child and give everything back."""
        try:
            await self._partner.end()
        finally:
            await self.stop()

    async def result(self) -> Any:  # noqa: ANN401 - whatever the function returns
        """Wait until the function has returned, and return its value. Receive everything first, or it cannot end.

        Raises:
            ChildFailed: It raised, or its process died.
        """
        return await self._partner.result()

    @property
    def pid(self) -> int | None:
        """Id of the child process, while there is one."""
        return self._partner.pid


class _Partner:
    """The child at the other end: started, listened to, and ended."""

    def __init__(
        self, function: Callable[..., object], role: Role, arguments: tuple[object, ...], capacity: int
    ) -> None:
        self._function: Final = FunctionReference.of(function, coroutine_allowed=True)
        self._role: Final = role
        self._arguments: Final = arguments
        self._capacity: Final = capacity
        self._child: ChildProcess | None = None
        self._writer: LoopWriter | None = None
        self._listener: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._over = asyncio.Event()
        self._value: object = None
        self._failure: ChannelError | None = None
        self.label: Final = f"{self._function.module}.{self._function.name}"

    @property
    def pid(self) -> int | None:
        return None if self._child is None else self._child.pid

    def start(
        self, deliver: Callable[[FrameReader, Frame], Awaitable[None]], finish: Callable[[ChannelError | None], None]
    ) -> tuple[ChildProcess, LoopWriter]:
        if self._listener is not None:
            raise WorkerStartFailed(f"{self.label} was started before; make a new channel")
        child = start_child(self._function, self._role, arguments=self._arguments, capacity=self._capacity)
        self._child = child
        self._writer = LoopWriter(child.writer)
        self._listener = asyncio.create_task(self._listen(child, deliver, finish), name=f"listening to {self.label}")
        return child, self._writer

    async def until_ready(self) -> None:
        try:
            await self._ready.wait()
        except asyncio.CancelledError:
            await self.end()
            raise
        if isinstance(self._failure, WorkerStartFailed):
            await self.end()
            raise self._failure

    async def result(self) -> object:
        await self._over.wait()
        if self._failure is not None:
            raise self._failure
        return self._value

    async def end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        try:
            if self._listener is not None:
                self._listener.cancel()
                await asyncio.gather(self._listener, return_exceptions=True)
            if not self._over.is_set() or self._failure is not None:
                child.kill()
            with suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL_S):
                    await child.ended()
        finally:
            if self._writer is not None:
                self._writer.stop()
            child.close()

    async def _listen(
        self,
        child: ChildProcess,
        deliver: Callable[[FrameReader, Frame], Awaitable[None]],
        finish: Callable[[ChannelError | None], None],
    ) -> None:
        waiting = LoopReader(child.reader)
        returned = False
        try:
            while not (child.reader.ended or returned):
                for frame in await waiting.frames():
                    returned = await self._hear(child, frame, deliver)
            if not returned:
                child.kill()
                await child.ended()
                died = f"its process ended by {child.ending()}"
                if not self._ready.is_set():
                    raise WorkerStartFailed(f"{self.label} did not start: {died}")
                raise ChildFailed(f"{self.label} did not return: {died}")
        except ChannelError as failure:
            self._failure = failure
        self._over.set()
        self._ready.set()
        finish(self._failure)

    async def _hear(
        self, child: ChildProcess, frame: Frame, deliver: Callable[[FrameReader, Frame], Awaitable[None]]
    ) -> bool:
        """Act on one frame; return whether the function has returned."""
        if frame.kind is Kind.ITEMS:
            await deliver(child.reader, frame)
            return False
        content = child.reader.load(frame)
        match frame.kind:
            case Kind.READY:
                self._ready.set()
            case Kind.REFUSED:
                raise WorkerStartFailed(f"{self.label} did not start: {content[0]}: {content[1]}\n{content[2]}")
            case Kind.RAISED:
                raise ChildFailed(f"{self.label} raised {content[0]}: {content[1]}", content[2])
            case Kind.RETURNED:
                batch = Batch.opened(content)
                for failure in batch.failures.values():
                    raise ChildFailed(f"what {self.label} returned cannot be read here: {failure.message}")
                self._value = batch.values[0]
                return True
        return False
