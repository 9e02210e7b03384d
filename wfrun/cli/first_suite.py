"""The first suite of a newcomer: short, commented, passing, and meant to be changed."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from wfrun.errors import FileError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FIRST_SUITE", "write_first_suite"]

FIRST_SUITE: Final = '''\
"""A first suite: two end-to-end cases and one benchmark. Change it into your own.

wfrun                                      runs the cases
wfrun --performance                        measures the benchmark, in fresh processes
wfrun --performance --baseline first       ... and keeps the figures in baselines/first.json
wfrun --performance --compare first        ... and says whether it got slower since
"""

import asyncio

from wfrun import Context, Suite
from wfrun.concurrency import Channel

# wfrun finds every Suite in files called suite_*.py. Tags are words to select by: wfrun --tag first
suite = Suite("First steps", tags=("first",))


# A case is a function, async or not. It passes when it returns and fails when it raises;
# when an assert does not hold, the values of its parts are shown.
@suite.case("Every item arrives once and in order", kinds=("e2e",))
async def every_item_arrives_once(context: Context) -> None:
    channel = Channel[int](capacity=10)  # holds at most 10 items: then send() waits, which is the backpressure

    async def produce() -> None:
        for number in range(100):
            await channel.send(number)
        channel.close()  # what is buffered still arrives; then the "async for" below ends

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(produce())
        received = [number async for number in channel]

    assert received == list(range(100))
    context.note("received", len(received))  # shown by wfrun --verbose, kept by wfrun --json FILE


# With parameters one function is several cases, each with its own result.
@suite.case("Workers share the work", kinds=("e2e",), parameters={"workers": [1, 4]})
async def workers_share_the_work(context: Context, workers: int) -> None:
    # context.random starts from a seed that wfrun prints: --seed brings the same numbers back.
    jobs = [context.random.randrange(1_000) for _ in range(200)]
    to_do = Channel[int](capacity=len(jobs))
    done: list[int] = []

    async def work() -> None:
        async for job in to_do:
            await asyncio.sleep(0)  # where real work would wait for something
            done.append(job * 2)

    await to_do.send_many(jobs)
    to_do.close()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(workers):
            tasks.create_task(work())

    assert sorted(done) == sorted(job * 2 for job in jobs)


# A benchmark is measured: repeated in several fresh processes when --performance is given.
@suite.benchmark("Send and receive")
async def send_and_receive(context: Context) -> None:
    items = 10_000
    channel = Channel[int](capacity=100)

    async def produce() -> None:
        for number in range(items):
            await channel.send(number)
        channel.close()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(produce())
        received = sum([1 async for _ in channel])

    context.count(received)  # throughput is counted in these: items per second
    assert received == items
'''


def write_first_suite(folder: Path) -> str:
    """Write ``suites/suite_first.py`` in ``folder`` and return what to tell: what was written and what to do next.

    Raises:
        FileError: The file exists already, and stays as it is; or it cannot be written.
    """
    path = folder / "suites" / "suite_first.py"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as stream:
            stream.write(FIRST_SUITE)
    except FileExistsError as error:
        if not path.is_file():
            raise FileError(f"cannot make {path.parent}: {error.filename} is in its place") from None
        raise FileError(f"{path} exists already and stays as it is; run it with: {_next_command(folder)}") from None
    except OSError as error:
        raise FileError(f"cannot write {path}: {error.strerror or error}") from error
    return f"wrote {path}\nnext: {_next_command(folder)}"


def _next_command(folder: Path) -> str:
    # In the current folder ./suites is found without being named.
    return "wfrun" if str(folder) == "." else f"wfrun {shlex.quote(str(folder / 'suites'))}"
