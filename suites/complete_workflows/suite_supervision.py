"""Groups of workers under a policy: what a crash of one means for it, for its group, and for the others."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from wfrun import Context, FaultPlan, InjectedFault, Suite
from wfrun.concurrency.groups import collect_errors, fail_fast
from wfrun.concurrency.retrying import RetryPolicy
from wfrun.concurrency.supervision import RestartsExceeded, SupervisionEventKind, Supervisor

from .packets import check_exactly_once, expected_digests, fold_digests
from .worker_groups import SIZE_BYTES, Done, WorkerGroup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wfrun.concurrency.targets import ChannelTarget

suite = Suite("Supervision", tags=("supervision",))

GROUPS: Final = 4
WORKERS: Final = 4
ITEMS: Final = 100
"""Of each group."""
CRASHES_AT: Final = 5
"""The victim crashes at its fifth packet."""
MAX_RESTARTS: Final = 3
BACKOFF: Final = RetryPolicy(base_delay_s=0.002, factor=2.0)


@dataclass(frozen=True, slots=True)
class Scene:
    """Sixteen workers, full inboxes, and the one that will crash."""

    context: Context
    groups: Sequence[WorkerGroup]
    victim: int
    """Its number within the group."""
    victims_group: WorkerGroup

    @property
    def victims_name(self) -> str:
        """What the supervisor knows it by."""
        return f"group {self.victims_group.number}/{self.victim}"

    def supervisor(self) -> Supervisor:
        """Return a supervisor of all sixteen."""
        supervisor = Supervisor(max_restarts=MAX_RESTARTS, within_s=60.0, backoff=BACKOFF, clock=self.context.clock)
        for group in self.groups:
            supervisor.add_group(f"group {group.number}", group.work, group.workers)
        return supervisor


@suite.case(
    "Worker groups",
    kinds=("e2e",),
    parameters={"policy": ("one for one", "restarts exhausted", "fail fast", "collect errors")},
    virtual_time=True,
)
async def worker_groups(context: Context, policy: str) -> None:
    channels: ChannelTarget = context.target("channels")
    groups = [
        WorkerGroup(number, workers=WORKERS, items=ITEMS, clock=context.clock, rng=context.random)
        for number in range(GROUPS)
    ]
    victims_group = context.random.choice(groups)
    victim = context.random.randrange(WORKERS)
    crashes = 1000 if policy == "restarts exhausted" else 1
    faults = FaultPlan(context.seed, script={(victims_group.number, victim, CRASHES_AT): crashes})
    for group in groups:
        await group.fill(channels, context.seed, faults)
    scene = Scene(context, groups, victim, victims_group)

    before = asyncio.all_tasks()
    await POLICIES[policy](scene)

    assert asyncio.all_tasks() == before, "tasks were left behind"
    context.count(GROUPS * ITEMS)


async def one_for_one(scene: Scene) -> None:
    """Only the victim is started again, goes on with the packet it crashed on, and everything is done in the end."""
    supervisor = scene.supervisor()

    await supervisor.run()

    group = scene.victims_group
    lives = list(group.lives_of(scene.victim))
    assert [life.ended_by for life in lives] == [InjectedFault, None]
    crashed, restarted = lives
    assert is_close(restarted.start_s - crashed.end_s, BACKOFF.delay_s(1))
    others = [life for each in scene.groups for life in each.lives if life not in lives]
    assert len(others) == GROUPS * WORKERS - 1
    assert {life.ended_by for life in others} == {None}
    for each in scene.groups:
        done = await each.take_results()
        check_done(scene, each, done)
        check_exactly_once((one.digest.id for one in done), each.ids)
        assert not each.hands
        if each is group:
            redone = min((one for one in done if one.at_s > restarted.start_s and one.worker == scene.victim), key=at)
            assert sum(one.worker == scene.victim and one.at_s < redone.at_s for one in done) == CRASHES_AT - 1
    told = Counter(event.kind for event in supervisor.events)
    assert told == {
        SupervisionEventKind.STARTED: GROUPS * WORKERS,
        SupervisionEventKind.FINISHED: GROUPS * WORKERS,
        SupervisionEventKind.CRASHED: 1,
        SupervisionEventKind.RESTARTED: 1,
    }
    unlucky = {SupervisionEventKind.CRASHED, SupervisionEventKind.RESTARTED}
    assert {event.child for event in supervisor.events if event.kind in unlucky} == {scene.victims_name}


async def restarts_exhausted(scene: Scene) -> None:
    """A victim that crashes at every start is given up after the restarts allowed, and all others are stopped then."""
    exceeded: RestartsExceeded | None = None

    try:
        await scene.supervisor().run()
    except RestartsExceeded as error:
        exceeded = error

    assert exceeded is not None
    assert exceeded.child == scene.victims_name
    assert len(exceeded.errors) == MAX_RESTARTS + 1
    lives = list(scene.victims_group.lives_of(scene.victim))
    assert [life.ended_by for life in lives] == [InjectedFault] * (MAX_RESTARTS + 1)
    for number, (crashed, restarted) in enumerate(pairwise(lives), 1):
        assert is_close(restarted.start_s - crashed.end_s, BACKOFF.delay_s(number))
    others = [life for group in scene.groups for life in group.lives if life not in lives]
    assert {life.ended_by for life in others} == {asyncio.CancelledError}
    assert {life.end_s for life in others} == {lives[-1].end_s}
    for group in scene.groups:
        await check_nothing_lost(scene, group)


async def failing_fast(scene: Scene) -> None:
    """The crash ends the victim's group at that instant, and no other group."""

    async def run(group: WorkerGroup) -> None:
        async with fail_fast() as tasks:
            for worker in range(group.workers):
                _ = tasks.create_task(group.work(worker), name=f"group {group.number}/{worker}")

    async with collect_errors(raise_at_exit=False) as all_groups:
        for group in scene.groups:
            _ = all_groups.create_task(run(group), name=f"group {group.number}")

    check_one_fault(all_groups.errors)
    group = scene.victims_group
    crash = next(group.lives_of(scene.victim))
    siblings = [life for life in group.lives if life is not crash]
    assert crash.ended_by is InjectedFault
    assert [(life.ended_by, life.end_s) for life in siblings] == [(asyncio.CancelledError, crash.end_s)] * (WORKERS - 1)
    assert await check_nothing_lost(scene, group) > 0, "the group went on after the crash"
    for other in scene.groups:
        if other is not group:
            assert {life.ended_by for life in other.lives} == {None}
            assert await check_nothing_lost(scene, other) == 0
            assert not other.hands


async def collecting_errors(scene: Scene) -> None:
    """The victim ends with its packet in hand; its group does the rest and then tells the error."""
    errors: list[Exception] = []

    async def run(group: WorkerGroup) -> None:
        try:
            async with collect_errors() as tasks:
                for worker in range(group.workers):
                    _ = tasks.create_task(group.work(worker), name=f"group {group.number}/{worker}")
        except ExceptionGroup as error:
            errors.append(error)

    async with asyncio.TaskGroup() as all_groups:
        for group in scene.groups:
            _ = all_groups.create_task(run(group), name=f"group {group.number}")

    fault = check_one_fault(errors)
    assert getattr(fault, "__notes__", []) == [f"in task {scene.victims_name!r}"]
    group = scene.victims_group
    crash = next(group.lives_of(scene.victim))
    for each in scene.groups:
        assert len(each.lives) == WORKERS
        assert {life.ended_by for life in each.lives if life is not crash} == {None}
        assert await check_nothing_lost(scene, each) == 0
        assert list(each.hands) == ([scene.victim] if each is group else [])


POLICIES: Final = {
    "one for one": one_for_one,
    "restarts exhausted": restarts_exhausted,
    "fail fast": failing_fast,
    "collect errors": collecting_errors,
}


async def check_nothing_lost(scene: Scene, group: WorkerGroup) -> int:
    """Find every packet of ``group`` in one place: done, in hand or not taken; return how many were not taken."""
    done = await group.take_results()
    check_done(scene, group, done)
    rest = await group.take_rest()
    in_hand = [packet.id for packet in group.hands.values()]
    check_exactly_once([*(one.digest.id for one in done), *in_hand, *rest], group.ids)
    return len(rest)


def check_done(scene: Scene, group: WorkerGroup, done: Sequence[Done]) -> None:
    """Compare what was computed with a computation of its own."""
    expected = expected_digests(ITEMS, SIZE_BYTES, scene.context.seed, first_id=group.ids.start)
    assert fold_digests(one.digest for one in done) == fold_digests(expected[one.digest.id] for one in done)


def check_one_fault(errors: Sequence[Exception]) -> InjectedFault:
    """Return the fault that is all there is in ``errors``: one group's, of one error."""
    assert len(errors) == 1
    group = errors[0]
    assert isinstance(group, ExceptionGroup)
    assert len(group.exceptions) == 1
    fault = group.exceptions[0]
    assert isinstance(fault, InjectedFault)
    return fault


def is_close(found_s: float, expected_s: float) -> bool:
    """Return whether two virtual durations are the same but for rounding."""
    return abs(found_s - expected_s) < 1e-6


def at(done: Done) -> float:
    """Return when a packet was done."""
    return done.at_s
