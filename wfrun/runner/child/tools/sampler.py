"""Counters of a traced process: memory, processor time, the turns of its event loop, and how full its channels are.

A thread takes them every ten milliseconds. It asks nothing of the loop, which it would wake: how long a turn of the
loop takes, for which everything else that is ready has to wait, is seen between two visits to its selector.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from wfrun.measure.memory import rss_bytes
from wfrun.virtual_time import VirtualTimeLoop

if TYPE_CHECKING:
    import asyncio
    import weakref

    from wfrun.runner.child.tools.recorder import Recorder

__all__ = ["Sampler"]

EVERY_S: Final = 0.01
MOST_CHANNELS: Final = 200


class Sampler:
    """Records counters until the process ends."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._channels: list[weakref.ref[Any]] = []
        self._names: WeakKeyDictionary[Any, tuple[str, int]] = WeakKeyDictionary()
        self._numbers = 0
        self._wall_ns, self._cpu_ns = time.monotonic_ns(), time.process_time_ns()
        self._turn_began_ns = 0
        self._longest_turn_ns = 0

    def start(self) -> None:
        """Begin to take samples."""
        threading.Thread(target=self._work, name="wfrun trace", daemon=True).start()

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Notice how long the loop's turns take; on virtual time nothing waits, so there it means nothing."""
        selector = getattr(loop, "_selector", None)
        if selector is None or isinstance(loop, VirtualTimeLoop):
            return
        select = type(selector).select

        def watched(timeout: float | None = None) -> Any:  # noqa: ANN401 - what a selector returns
            self._end_turn()
            try:
                return select(selector, timeout)
            finally:
                self._turn_began_ns = time.monotonic_ns()

        vars(selector)["select"] = watched

    def count(self, channel: weakref.ref[Any]) -> None:
        """Record how full a channel is from now on."""
        if len(self._channels) < MOST_CHANNELS:
            self._channels.append(channel)

    def look_at(self, channel: Any) -> None:  # noqa: ANN401 - any kind of channel
        """Record how full a channel is at this moment, where that has changed."""
        name, last = self._names.get(channel, ("", -1))
        if not name:
            self._numbers += 1
            name = f"{channel._label()} #{self._numbers}"
        fill = len(channel)
        if fill != last:
            self._names[channel] = name, fill
            self._recorder.counter(name, items=fill)

    def sample(self) -> None:
        """Record everything now."""
        recorder = self._recorder
        wall_ns, cpu_ns = time.monotonic_ns(), time.process_time_ns()
        share = (cpu_ns - self._cpu_ns) / max(1, wall_ns - self._wall_ns)
        self._wall_ns, self._cpu_ns = wall_ns, cpu_ns
        recorder.counter("memory", bytes=rss_bytes())
        recorder.counter("processor", percent=round(100 * share, 1))
        running_ns = wall_ns - self._turn_began_ns if self._turn_began_ns else 0
        recorder.counter("loop lag", ms=round(max(self._longest_turn_ns, running_ns) / 1e6, 3))
        self._longest_turn_ns = 0
        for reference in tuple(self._channels):
            channel = reference()
            if channel is None:
                self._channels.remove(reference)
            else:
                self.look_at(channel)

    def rest(self) -> None:
        """Hear that the loop does not run for now."""
        self._turn_began_ns = 0

    def _end_turn(self) -> None:
        if self._turn_began_ns:
            self._longest_turn_ns = max(self._longest_turn_ns, time.monotonic_ns() - self._turn_began_ns)
        self._turn_began_ns = 0

    def _work(self) -> None:
        for number in range(1, 2**62):
            time.sleep(EVERY_S)
            self.sample()
            if number % 10 == 0:
                self._recorder.flush()
