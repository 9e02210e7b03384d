"""A workflow whose state survives its process: checkpoints, results and a record of what was begun, in one folder.

The state counts, and it chains every outcome to all before it, so that a lost, doubled or reordered item changes it.
A checkpoint also says how long the results file was. Whoever resumes cuts the file back to that length and goes on
with the next item: what was done since the checkpoint is done again, and leaves no trace of having been done twice.

The record of what was begun is only ever appended to. It is how an onlooker knows what a killed process had reached
and where its successor took over. Run by :func:`main`, the workflow can stop at an item and wait there to be killed.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import json
import os
import random
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wfrun.concurrency.channel import ChannelMode
from wfrun.concurrency.checkpoint import CheckpointStore

from .packets import DamagedPacket, digest_packet, make_packets
from .plumbing import make_channel

if TYPE_CHECKING:
    from collections.abc import Callable

    from wfrun.concurrency.targets import ChannelLike, ChannelTarget

    from .packets import Packet

__all__ = [
    "EVERY",
    "FAILING",
    "ITEMS",
    "PAUSED",
    "SIZE_BYTES",
    "State",
    "WorkflowFolder",
    "failing_ids",
    "main",
    "run_workflow",
]

ITEMS: Final = 1000
FAILING: Final = 100
"""So many items arrive damaged and cannot be processed."""
EVERY: Final = 100
"""A checkpoint is saved after so many items."""
SIZE_BYTES: Final = 256
PAUSED: Final = b"paused\n"
"""What :func:`main` prints when it has reached the item at which it is to be killed."""


@dataclass(slots=True)
class State:
    """Everything the workflow must not forget."""

    processed: int = 0
    failed: int = 0
    chain: str = ""
    results_bytes: int = 0
    """Length of the results file."""

    @property
    def done(self) -> int:
        """Items with an outcome; also the id of the next."""
        return self.processed + self.failed

    def add(self, line: str) -> None:
        """Take one line of the results file into account."""
        self.chain = hashlib.sha256(f"{self.chain}{line}".encode()).hexdigest()
        self.results_bytes += len(line.encode())


class WorkflowFolder:
    """Where one workflow keeps everything."""

    def __init__(self, folder: Path) -> None:
        self.folder: Final = folder
        self.checkpoints: Final = folder / "checkpoints"
        self.results: Final = folder / "results"
        self._begun: Final = folder / "begun"

    def begun(self) -> list[int]:
        """Return the ids of all items that were ever begun, in order."""
        return [int(line) for line in self._begun.read_text().splitlines()]

    def begin(self, item: int) -> None:
        """Note that work on ``item`` begins, in a way that survives the very next instruction."""
        self._append(self._begun, f"{item}\n")

    def add_result(self, line: str) -> None:
        """Append one outcome to the results."""
        self._append(self.results, line)

    def cut_results(self, length_bytes: int) -> None:
        """Forget the results behind ``length_bytes``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.results.open("ab") as stream:
            stream.truncate(length_bytes)

    @staticmethod
    def _append(path: Path, line: str) -> None:
        with path.open("ab", buffering=0) as stream:
            stream.write(line.encode())


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run of the workflow ended."""

    state: State
    resumed_from: int
    """Items that a checkpoint made unnecessary to do again."""
    damaged: tuple[str, ...]
    """Names of checkpoint files that were passed over."""


async def run_workflow(
    folder: WorkflowFolder, channels: ChannelTarget, seed: int, reached: Callable[[int], None] = lambda _: None
) -> Ending:
    """Take the workflow from its last good checkpoint, or from its beginning, to its end.

    Args:
        folder: An empty one, or that of an earlier run.
        channels: Makes the channel between the sender and the processor.
        seed: Of the packets; the same as in the earlier run.
        reached: Called with every item before it is processed.
    """
    store = CheckpointStore(folder.checkpoints)
    loaded = await asyncio.to_thread(store.load_latest)
    state = State() if loaded.latest is None else State(**loaded.latest.state)
    resumed_from = state.done
    folder.cut_results(state.results_bytes)
    inbox: ChannelLike[Packet] = make_channel(channels, 100, mode=ChannelMode.SPSC, name="work")
    async with asyncio.TaskGroup() as group:
        group.create_task(_send(inbox, seed, resumed_from), name="sender")
        async for packet in inbox:
            folder.begin(packet.id)
            reached(packet.id)
            line = _outcome(packet, state)
            folder.add_result(line)
            state.add(line)
            if state.done % EVERY == 0:
                await asyncio.to_thread(store.save, asdict(state), state.done)
    return Ending(state, resumed_from, tuple(damaged.path.name for damaged in loaded.damaged))


def failing_ids(seed: int) -> set[int]:
    """Return the ids of the packets that arrive damaged."""
    return set(random.Random(f"{seed}/failing").sample(range(ITEMS), FAILING))  # noqa: S311 - repeatable on purpose


def main() -> None:
    """Run the workflow as a process of its own, as the one argument says, and print how it ended, as JSON."""
    told: dict[str, Any] = json.loads(sys.argv[-1])

    def reached(item: int) -> None:
        if item != told["pause_at"]:
            return
        os.write(1, PAUSED)
        # Whoever wanted this process stopped here kills it now. The end of its input means that nobody is left to.
        os.read(0, 1)
        os._exit(1)

    module, _, name = told["channels"].partition(":")
    channels: ChannelTarget = getattr(importlib.import_module(module), name)()
    ending = asyncio.run(run_workflow(WorkflowFolder(Path(told["folder"])), channels, told["seed"], reached))
    print(json.dumps(asdict(ending)))


async def _send(inbox: ChannelLike[Packet], seed: int, first: int) -> None:
    failing = failing_ids(seed)
    for packet in make_packets(ITEMS - first, SIZE_BYTES, seed, first_id=first):
        await inbox.send(_damage(packet) if packet.id in failing else packet)
    inbox.close()


def _damage(packet: Packet) -> Packet:
    return replace(packet, payload=bytes([packet.payload[0] ^ 1]) + packet.payload[1:])


def _outcome(packet: Packet, state: State) -> str:
    try:
        digest = digest_packet(packet)
    except DamagedPacket:
        state.failed += 1
        return f"{packet.id} failed\n"
    state.processed += 1
    return f"{packet.id} {digest.sha256}\n"
