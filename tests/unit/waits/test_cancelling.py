from __future__ import annotations

import asyncio

import pytest

from wfrun.clock import settle
from wfrun.waits import cancel_task


@pytest.mark.parametrize("gathered", [False, True])
async def test_tasks_that_await_each_other_are_cancelled(gathered: bool) -> None:
    """asyncio's own cancel goes round in such a circle until the stack is full."""
    tasks: dict[str, asyncio.Task[None]] = {}

    async def wait_for(name: str) -> None:
        await asyncio.sleep(0)
        await (asyncio.gather(tasks[name]) if gathered else tasks[name])

    async def wait_for_all() -> None:
        await asyncio.gather(*tasks.values())

    for name, other in {"a": "b", "b": "c", "c": "a"}.items():
        tasks[name] = asyncio.create_task(wait_for(other))
    await settle()
    main = asyncio.create_task(wait_for_all())
    await settle()

    cancel_task(main, asyncio.get_running_loop())
    await asyncio.wait([main, *tasks.values()], timeout=5)

    assert main.cancelled()
    assert all(task.cancelled() for task in tasks.values())


async def test_a_task_without_a_circle_is_just_cancelled() -> None:
    main = asyncio.create_task(asyncio.Event().wait())
    await settle()

    cancel_task(main, asyncio.get_running_loop())
    await asyncio.wait([main], timeout=5)

    assert main.cancelled()
