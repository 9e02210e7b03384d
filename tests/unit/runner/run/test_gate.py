"""Who may run beside whom."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from wfrun.runner.run.gate import Gate, is_gated

if TYPE_CHECKING:
    from tests.unit.runner.conftest import Maker
    from wfrun.authoring.info import CaseInfo


class Crowd:
    """Cases that try to get through a gate, and stay inside until they are let go."""

    def __init__(self, *cases: CaseInfo) -> None:
        self.gate = Gate(cases)
        self.inside: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def send(self, case: CaseInfo) -> None:
        self._ends[case.id] = asyncio.Event()
        self._tasks.append(asyncio.create_task(self._pass(case)))
        await self.settle()

    async def let_go(self, case: CaseInfo) -> None:
        self._ends[case.id].set()
        await self.settle()

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    async def _pass(self, case: CaseInfo) -> None:
        async with self.gate.entered(case):
            self.inside.append(case.id)
            await self._ends[case.id].wait()
            self.inside.remove(case.id)


@pytest.fixture
def cases(make: Maker) -> dict[str, CaseInfo]:
    return {
        "plain": make.info(id="plain"),
        "other": make.info(id="other"),
        "alone": make.info(id="alone", exclusive=True),
        "db1": make.info(id="db1", groups=(("db", 3),)),
        "db2": make.info(id="db2", groups=(("db", 2),)),
        "db3": make.info(id="db3", groups=(("db", 2), ("net", 1))),
    }


async def test_nothing_runs_beside_an_exclusive_case_and_nothing_overtakes_it(cases: dict[str, CaseInfo]) -> None:
    crowd = Crowd(*cases.values())

    await crowd.send(cases["plain"])
    await crowd.send(cases["alone"])
    await crowd.send(cases["other"])
    assert crowd.inside == ["plain"]

    await crowd.let_go(cases["plain"])
    assert crowd.inside == ["alone"]

    await crowd.let_go(cases["alone"])
    assert crowd.inside == ["other"]


async def test_a_group_has_the_smallest_of_its_limits(cases: dict[str, CaseInfo]) -> None:
    crowd = Crowd(*cases.values())

    for name in ("db1", "db2", "db3", "plain"):
        await crowd.send(cases[name])
    assert crowd.inside == ["db1", "db2", "plain"]

    await crowd.let_go(cases["db1"])
    assert crowd.inside == ["db2", "plain", "db3"]


async def test_where_no_case_asks_for_anything_the_gate_is_open(cases: dict[str, CaseInfo]) -> None:
    crowd = Crowd(cases["plain"], cases["other"])

    await crowd.send(cases["plain"])
    await crowd.send(cases["other"])

    assert crowd.inside == ["plain", "other"]
    assert not is_gated(cases["plain"])
    assert is_gated(cases["alone"])
