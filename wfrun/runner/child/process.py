"""A child process as its parent holds it: started, asked, listened to, interrupted, and ended for certain."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from wfrun.errors import WfrunError
from wfrun.runner.child.frames import DamagedFrame, FrameDecoder, write_frame
from wfrun.runner.child.guardian import guardian
from wfrun.runner.child.leftovers import MARK
from wfrun.runner.child.messages import DEAF_AND_DUMB
from wfrun.runner.child.output import MarkedOutput
from wfrun.runner.child.shared_memory import unlink_shared_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["HERE", "ChildDied", "ChildProcess", "Place"]

CHUNK_BYTES: Final = 2**18
PAUSE_S: Final = 0.002
"""A child that runs many short cases is listened to no more often than this: each look costs as much as several."""
MUCH_BYTES: Final = 2**14
"""A child that printed so much since the last look is listened to at once: it must not wait for room in the pipe."""
STACKS_S: Final = 0.3
"""How long a child that does not react gets to print its stacks before it is killed."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a child runs, and whose code it imports."""

    folder: Path | None = None
    """Its working folder; ``None`` for this process's."""
    python: str = sys.executable
    program: tuple[str, ...] = ("-m", "wfrun.runner.child.main")
    """What the interpreter runs, before the words that every child is given."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables beside those of this process."""


HERE: Final = Place()
"""As this process itself."""


class ChildDied(WfrunError):
    """The child ended, or spoke nonsense, before it answered."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class ChildProcess:
    """One child. Its own session and process group, no standard input, both outputs captured into one bounded text.

    Without ``capture`` they go to where those of this process go.
    """

    def __init__(self, output_bytes: int, *, capture: bool = True, place: Place = HERE) -> None:
        command_read, self._command_fd = os.pipe()
        self._reply_fd, reply_write = os.pipe()
        self._output_fd, output_write = os.pipe()
        theirs = (command_read, reply_write)
        self._temporary_folder: Final = _make_temporary_folder()
        environment = {**os.environ, **place.environment, **MARK}
        if self._temporary_folder:
            environment["TMPDIR"] = self._temporary_folder
        try:
            self._process = subprocess.Popen(
                [
                    place.python,
                    *place.program,
                    *map(str, theirs),
                    str(os.getpid()),
                    self._temporary_folder,
                ],
                stdin=subprocess.DEVNULL,
                stdout=output_write if capture else None,
                stderr=output_write if capture else None,
                pass_fds=theirs,
                start_new_session=True,
                cwd=place.folder,
                env=environment,
            )
        finally:
            for descriptor in (*theirs, output_write):
                os.close(descriptor)
        guardian.watch(self.pid)
        self._loop: Final = asyncio.get_running_loop()
        self._decoder: Final = FrameDecoder()
        mark = f"\x1e{secrets.token_hex(8)}\x1e"
        self.mark: Final = mark if capture else ""
        """What the child is to write between the outputs of cases that it runs in one go."""
        self._output: Final = MarkedOutput(output_bytes, mark.encode())
        self._pauses = False
        self._on_event: Callable[[dict[str, Any]], None] | None = None
        self._reply: asyncio.Future[dict[str, Any]] | None = None
        self._ended: Final[asyncio.Future[None]] = self._loop.create_future()
        self._damage = ""
        for descriptor, reader in ((self._reply_fd, self._read_reply), (self._output_fd, self._hear_output)):
            os.set_blocking(descriptor, False)
            self._loop.add_reader(descriptor, reader)
        self._watch_end()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the child can be asked something."""
        return not self._ended.done() and not self._damage

    async def ask(
        self,
        command: dict[str, Any],
        on_event: Callable[[dict[str, Any]], None] | None = None,
        *,
        pauses: bool = False,
    ) -> dict[str, Any]:
        """Send a command and return the child's answer; events on the way go to ``on_event``.

        With ``pauses`` events are looked for only now and then, which costs far less where many come.

        Cancelling leaves the child in the middle of its work: interrupt or end it.

        Raises:
            ChildDied: It ended before it answered; the text says how.
        """
        self._reply = self._loop.create_future()
        self._on_event = on_event
        self._pauses = pauses
        with contextlib.suppress(BrokenPipeError):
            # The child has nothing else to do than to read it, so this waits for no longer than its start takes.
            write_frame(self._command_fd, command)
        await asyncio.wait((self._reply, self._ended), return_when=asyncio.FIRST_COMPLETED)
        self._read_reply()
        if self._reply.done():
            return self._reply.result()
        raise ChildDied(self._damage or self._how_it_ended())

    def interrupt(self) -> None:
        """Ask the case that runs in the child to stop: its task is cancelled, its tear-downs run."""
        self._signal(signal.SIGINT)

    def let_finish(self) -> None:
        """Ask a child that runs several cases to begin no other."""
        self._signal(signal.SIGUSR2)

    def hang_up(self) -> None:
        """Tell the child that nothing more will be asked of it, by closing the pipe that it hears from."""
        if self._command_fd >= 0:
            os.close(self._command_fd)
            self._command_fd = -1

    async def kill_with_stacks(self, within_s: float = STACKS_S) -> None:
        """Let a child print the stack of each of its threads, then kill it."""
        self._signal(signal.SIGUSR1)
        await asyncio.wait((self._ended,), timeout=within_s)
        await self.kill()

    async def kill(self) -> None:
        """End the child and everything in its process group at once, and wait until it is gone."""
        self._kill_group()
        await self.close()

    async def close(self) -> None:
        """End the child by closing its command pipe, kill what does not go, and release everything held here."""
        if self._command_fd >= 0:
            os.close(self._command_fd)
            self._command_fd = -1
        await asyncio.wait((self._ended,), timeout=1.0)
        if not self._ended.done():
            self._kill_group()
            await asyncio.wait((self._ended,))
        for descriptor in (self._reply_fd, self._output_fd):
            self._stop_reading(descriptor)
        self._reply_fd = self._output_fd = -1

    def take_output(self) -> tuple[str, int]:
        """Return what was printed since the last call, at most up to a mark, and how many bytes of it were dropped."""
        if not self._output.ready:
            self._read_output()
        return self._output.take()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def _read_reply(self) -> None:
        for data in self._read(self._reply_fd):
            self._pause(self._reply_fd, self._read_reply)
            try:
                for message in self._decoder.feed(data):
                    self._hear(message)
            except DamagedFrame as error:
                self._damage = f"its answer was damaged: {error}"
                self._stop_reading(self._reply_fd)
                self._reply_fd = -1
                self._kill_group()
                return

    def _hear(self, message: dict[str, Any]) -> None:
        kind = message.pop("type")
        if kind == "reply" and self._reply is not None and not self._reply.done():
            self._reply.set_result(message)
        elif kind == "event" and self._on_event is not None:
            self._on_event(message)

    def _pause(self, descriptor: int, reader: Callable[[], None]) -> None:
        """Where pauses are wanted, stop listening for a while; a stream that ended is not listened to again."""
        if self._pauses and self._loop.remove_reader(descriptor):
            self._loop.call_later(PAUSE_S, self._listen_again, descriptor, reader)

    def _listen_again(self, descriptor: int, reader: Callable[[], None]) -> None:
        if descriptor in (self._reply_fd, self._output_fd):
            self._loop.add_reader(descriptor, reader)

    def _hear_output(self) -> None:
        if self._read_output() < MUCH_BYTES:
            self._pause(self._output_fd, self._hear_output)

    def _read_output(self) -> int:
        """Take in what can be read now; return how many bytes that was."""
        parts = self._read(self._output_fd)
        for data in parts:
            self._output.feed(data)
        return sum(map(len, parts))

    def _read(self, descriptor: int) -> list[bytes]:
        """Return what can be read now; a stream that ended is not listened to any more."""
        parts = []
        for _ in range(16):
            if descriptor < 0:
                break
            try:
                data = os.read(descriptor, CHUNK_BYTES)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                self._loop.remove_reader(descriptor)
                break
            parts.append(data)
            if len(data) < CHUNK_BYTES:
                break
        return parts

    def _stop_reading(self, descriptor: int) -> None:
        if descriptor >= 0:
            self._loop.remove_reader(descriptor)
            os.close(descriptor)

    def _watch_end(self) -> None:
        if hasattr(os, "pidfd_open"):
            descriptor = os.pidfd_open(self.pid)
            self._loop.add_reader(descriptor, self._on_end, descriptor)
        else:
            # No descriptor tells of a child's end here, so a thread waits for it.
            waiting = self._loop.run_in_executor(None, self._process.wait)
            waiting.add_done_callback(lambda _: self._on_end(-1))

    def _on_end(self, descriptor: int) -> None:
        if descriptor >= 0:
            self._stop_reading(descriptor)
        # What its cases started and left goes with it: before it is collected, while its id is still its own.
        self._kill_group()
        guardian.forget(self.pid)
        self._process.wait()
        if self._temporary_folder:
            shutil.rmtree(self._temporary_folder, ignore_errors=True)
            # Its name is nobody else's, so it serves for memory too.
            unlink_shared_memory(os.path.basename(self._temporary_folder))  # noqa: PTH119 - it is text
        if not self._ended.done():
            self._ended.set_result(None)

    def _how_it_ended(self) -> str:
        code = self._process.returncode
        if code is not None and code < 0:
            try:
                name = signal.Signals(-code).name
            except ValueError:
                name = f"signal {-code}"
            return f"its process was killed by {name}"
        if code == DEAF_AND_DUMB:
            return "its process closed the descriptors to wfrun and ended in the middle of the case"
        return f"its process ended with exit code {code} in the middle of the case"


def _make_temporary_folder() -> str:
    """Return a folder for what one child alone makes; nothing where there is no room, as the child may do without."""
    try:
        return tempfile.mkdtemp(prefix="wfrun-")
    except OSError:
        return ""
