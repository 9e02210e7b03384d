"""State that outlives its process: killed without warning, resumed from the last checkpoint that is good."""

from __future__ import annotations

import asyncio
import hashlib
import json
import signal
import sys
from asyncio.subprocess import PIPE
from typing import TYPE_CHECKING, Any, Final

from wfrun import Context, Suite

from .packets import expected_digests
from .persistent import EVERY, FAILING, ITEMS, PAUSED, SIZE_BYTES, WorkflowFolder, failing_ids, run_workflow

if TYPE_CHECKING:
    from pathlib import Path

    from wfrun.concurrency.targets import ChannelTarget

suite = Suite("State Management", tags=("state",))

PROGRAM: Final = f"""
import json, sys
sys.path[:] = json.loads(sys.argv[-1])["path"]
from {__package__}.persistent import main
main()
"""


@suite.case(
    "Workflow with persistent state",
    kinds=("e2e",),
    parameters={"last_checkpoint": ("good", "damaged")},
    pinned=False,
)
async def persistent_state(context: Context, last_checkpoint: str) -> None:
    channels: ChannelTarget = context.target("channels")
    kill_at = context.random.randrange(2 * EVERY + 1, ITEMS)
    folder = WorkflowFolder(context.folder / "killed")
    job = {
        "path": sys.path,
        "folder": str(folder.folder),
        "channels": f"{type(channels).__module__}:{type(channels).__qualname__}",
        "seed": context.seed,
        "pause_at": kill_at,
    }

    await run_and_kill(job)
    saved = sorted(folder.checkpoints.iterdir())
    begun_before = folder.begun()
    results_before = folder.results.read_bytes()
    if last_checkpoint == "damaged":
        damage(saved[-1])
    resumed = await run_to_end({**job, "pause_at": None})
    uninterrupted_folder = WorkflowFolder(context.folder / "uninterrupted")
    uninterrupted = await run_workflow(uninterrupted_folder, channels, context.seed)

    # The one that was killed had left results behind its last checkpoint, which are to be done again.
    assert begun_before == list(range(kill_at + 1))
    assert results_before == b"".join(expected_lines(context.seed)[:kill_at])
    last_saved = kill_at // EVERY * EVERY
    resumed_from = last_saved - EVERY if last_checkpoint == "damaged" else last_saved
    assert folder.begun()[kill_at + 1 :] == list(range(resumed_from, ITEMS))
    assert resumed["resumed_from"] == resumed_from
    assert resumed["damaged"] == ([saved[-1].name] if last_checkpoint == "damaged" else [])

    # What it all comes to is what a run without interruption comes to, and what a plain computation says.
    lines = expected_lines(context.seed)
    for results in (folder.results, uninterrupted_folder.results):
        assert results.read_bytes() == b"".join(lines)
    assert resumed["state"] == {
        "processed": ITEMS - FAILING,
        "failed": FAILING,
        "chain": chain_of(lines),
        "results_bytes": sum(map(len, lines)),
    }
    assert resumed["state"]["chain"] == uninterrupted.state.chain
    assert (uninterrupted.state.processed, uninterrupted.state.failed) == (900, 100)
    assert uninterrupted_folder.begun() == list(range(ITEMS))
    context.count(ITEMS)
    context.note("killed_at", kill_at)
    context.note("resumed_from", resumed_from)


async def run_and_kill(job: dict[str, Any]) -> None:
    """Run the workflow in a process of its own until it has reached the item it is to be killed at, and kill it."""
    process = await start(job)
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == PAUSED
    finally:
        process.kill()
        ending = await process.wait()
    assert ending == -signal.SIGKILL


async def run_to_end(job: dict[str, Any]) -> dict[str, Any]:
    """Run the workflow in a process of its own and return what it printed at its end."""
    process = await start(job)
    try:
        printed, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0
    ending: dict[str, Any] = json.loads(printed)
    return ending


async def start(job: dict[str, Any]) -> asyncio.subprocess.Process:
    """Start a process of the workflow. What it writes to its standard error becomes output of the case."""
    return await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, json.dumps(job), stdin=PIPE, stdout=PIPE)


def damage(checkpoint: Path) -> None:
    """Change the last digit of a saved number: what is left is as well-formed as before, and wrong."""
    content = bytearray(checkpoint.read_bytes())
    content[content.index(b',"failed":') - 1] ^= 1
    checkpoint.write_bytes(content)


def expected_lines(seed: int) -> list[bytes]:
    """Return the results file, line by line, computed from the seed alone."""
    failing = failing_ids(seed)
    return [
        f"{id_} {'failed' if id_ in failing else digest.sha256}\n".encode()
        for id_, digest in expected_digests(ITEMS, SIZE_BYTES, seed).items()
    ]


def chain_of(lines: list[bytes]) -> str:
    """Return the chain of all ``lines``."""
    chain = ""
    for line in lines:
        chain = hashlib.sha256(chain.encode() + line).hexdigest()
    return chain
