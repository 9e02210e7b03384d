"""Each case about nodes, processes, state, scale and supervision fails when the thing it guards is broken.

A suite that cannot fail proves nothing. So every case runs here once on the real thing, and then on ones that lose,
double or damage an item, do not restart, do not redo, forget a checkpoint or believe a damaged one, or are slow.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from wfrun.authoring.collect import collect_file
from wfrun.authoring.context import Context
from wfrun.authoring.targets import open_target
from wfrun.clock import SystemClock
from wfrun.concurrency.groups import collect_errors, fail_fast
from wfrun.concurrency.processes.workers import Outcome, ProcessWorkers
from wfrun.concurrency.supervision import Supervisor
from wfrun.faults import InjectedFault
from wfrun.virtual_time import VirtualTimeLoop

if TYPE_CHECKING:
    from collections.abc import Callable

    from wfrun.authoring.collect import CollectedCase

pytestmark = pytest.mark.alone

SUITES = Path(__file__).parents[2] / "suites" / "complete_workflows"
FILES = ("distributed_processing", "state_management", "scalability", "supervision")
CASES = {case.info.id.rpartition("/")[2]: case for name in FILES for case in collect_file(SUITES / f"suite_{name}.py")}

MULTI_NODE = "distributed_processing::multi_node[capacity=50]"
WORKER_PROCESSES = "distributed_processing::worker_processes"
STATE_GOOD = "state_management::persistent_state[last_checkpoint=good]"
STATE_DAMAGED = "state_management::persistent_state[last_checkpoint=damaged]"
FOUR_WORKERS = "scalability::worker_count[workers=4]"
PROCESS_SCALING = "scalability::worker_processes"
ONE_FOR_ONE = "supervision::worker_groups[policy=one-for-one]"
EXHAUSTED = "supervision::worker_groups[policy=restarts-exhausted]"
FAIL_FAST = "supervision::worker_groups[policy=fail-fast]"
COLLECT_ERRORS = "supervision::worker_groups[policy=collect-errors]"


def run(
    name: str,
    *,
    seed: int = 1,
    target: str = "wfrun",
    spoil: Callable[[Any], list[Any]] | None = None,
    clock: Any = None,
) -> dict[str, Any]:
    """Run a case as a short, measured one, on a system that may be spoilt, and return its notes."""
    case: CollectedCase = CASES[name]

    class SpoiltContext(Context):
        def target(self, name: str) -> Any:
            channels = open_target(name, target)
            return channels if spoil is None else SpoiltChannels(channels, spoil)

    context = SpoiltContext(case.info.id, seed=seed, measured=True)
    if clock is not None:
        vars(context)["clock"] = clock
    try:
        with asyncio.Runner(loop_factory=VirtualTimeLoop if case.info.virtual_time else None) as runner:
            runner.run(case.declaration.function(context=context, **case.arguments))
        return context.notes
    finally:
        context.close()


def failure_of(name: str, **options: Any) -> str:
    """Run a case that must fail, and return why: every error that is not just a group of others."""
    try:
        run(name, **options)
    except Exception as error:  # noqa: BLE001 - whatever breaks a case makes it fail
        return "; ".join(f"{type(leaf).__name__}: {leaf}" for leaf in leaves(error))
    pytest.fail(f"{name} passed on a broken system")


def leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in leaves(inner)]
    return [error]


class SpoiltChannels:
    """A channel target whose channels make of every item sent what ``spoil`` says."""

    def __init__(self, channels: Any, spoil: Callable[[Any], list[Any]]) -> None:
        self.name = channels.name
        self._channels = channels
        self._spoil = spoil

    def create(self, *arguments: Any, **options: Any) -> SpoiltChannel:
        return SpoiltChannel(self._channels.create(*arguments, **options), self._spoil)


class SpoiltChannel:
    def __init__(self, channel: Any, spoil: Callable[[Any], list[Any]]) -> None:
        self._channel = channel
        self._spoil = spoil

    async def send(self, item: Any) -> None:
        for spoilt in self._spoil(item):
            await self._channel.send(spoilt)

    def try_send(self, item: Any) -> None:
        for spoilt in self._spoil(item):
            self._channel.try_send(spoilt)

    def __aiter__(self) -> Any:
        return aiter(self._channel)

    def __len__(self) -> int:
        return len(self._channel)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)


def at_item(number: int, spoil: Callable[[Any], list[Any]]) -> Callable[[Any], list[Any]]:
    """Return a fault that hits only item ``number`` of all that are sent."""
    sent = 0

    def maybe(item: Any) -> list[Any]:
        nonlocal sent
        sent += 1
        return spoil(item) if sent == number else [item]

    return maybe


def lose(_item: Any) -> list[Any]:
    return []


def double(item: Any) -> list[Any]:
    return [item, item]


def damage(item: Any) -> list[Any]:
    """Change one bit of the payload of a packet, wherever it is."""
    if hasattr(item, "packet"):
        return [replace(item, packet=damage(item.packet)[0])]
    return [replace(item, payload=bytes([item.payload[0] ^ 1]) + item.payload[1:])]


# What is right passes


@pytest.mark.parametrize("name", CASES)
def test_the_case_passes_on_the_real_thing(name: str) -> None:
    run(name)


@pytest.mark.parametrize("name", [name for name in CASES if CASES[name].info.virtual_time])
def test_the_case_passes_whatever_the_seed(name: str) -> None:
    for seed in range(10):
        run(name, seed=seed)


@pytest.mark.parametrize("target", ["asyncio", "anyio"])
@pytest.mark.parametrize("name", [name for name in CASES if name != PROCESS_SCALING])
def test_the_case_needs_nothing_that_other_channels_lack(name: str, target: str) -> None:
    run(name, target=target)


# What loses, doubles or damages an item fails


@pytest.mark.parametrize(
    ("spoil", "reason"), [(lose, "1 missing"), (double, "1 came more than once"), (damage, "DamagedPacket")]
)
@pytest.mark.parametrize("name", [MULTI_NODE, FOUR_WORKERS, WORKER_PROCESSES])
def test_one_item_is_missed(name: str, spoil: Callable[[Any], list[Any]], reason: str) -> None:
    assert reason in failure_of(name, spoil=at_item(17, spoil))


@pytest.mark.parametrize(("spoil", "reason"), [(lose, "1 missing"), (double, "1 came more than once")])
@pytest.mark.parametrize("name", [ONE_FOR_ONE, EXHAUSTED, FAIL_FAST, COLLECT_ERRORS])
def test_one_result_is_missed(name: str, spoil: Callable[[Any], list[Any]], reason: str) -> None:
    """The first 400 items that are sent are the packets; what comes then are results."""
    assert reason in failure_of(name, spoil=at_item(405, spoil))


def test_links_that_take_no_time_are_noticed() -> None:
    class Timeless(SystemClock):
        async def sleep(self, duration_s: float) -> None:
            await super().sleep(0 * duration_s)

    assert "two hops of 0 to 10 ms" in failure_of(MULTI_NODE, clock=Timeless())


# Worker processes


class Losing(ProcessWorkers[Any, Any]):
    """Loses what comes back with every tenth item."""

    async def __anext__(self) -> Outcome[Any, Any]:
        outcome = await super().__anext__()
        return await super().__anext__() if outcome.item_id % 10 == 5 else outcome


class Repeating(ProcessWorkers[Any, Any]):
    """Delivers twice what its worker died of."""

    again: Outcome[Any, Any] | None = None

    async def __anext__(self) -> Outcome[Any, Any]:
        if self.again is not None:
            outcome, self.again = self.again, None
            return outcome
        outcome = await super().__anext__()
        self.again = outcome if outcome.deaths else None
        return outcome


class NeverRestarting(ProcessWorkers[Any, Any]):
    def __init__(self, function: Any, **options: Any) -> None:
        super().__init__(function, **options, most_restarts=0)


class NeverRedoing(ProcessWorkers[Any, Any]):
    def __init__(self, function: Any, **options: Any) -> None:
        super().__init__(function, **options, most_deaths=1)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (Losing, "100 missing"),
        (Repeating, "1 came more than once"),
        (NeverRestarting, "WorkerItemFailed"),
        (NeverRedoing, "WorkerItemFailed"),
    ],
)
def test_worker_processes_that_do_not_recover_are_noticed(
    broken: type, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module_of(WORKER_PROCESSES), "ProcessWorkers", broken)

    assert reason in failure_of(WORKER_PROCESSES)


def test_a_process_that_is_not_killed_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(_last_words: Path) -> int:
        return 0

    module = module_of(WORKER_PROCESSES)
    monkeypatch.setattr(module, "kill_who_speaks", nobody)
    monkeypatch.setattr(module, "HALF_WAY", -1)

    assert "len(at_death) == 2" in failure_of(WORKER_PROCESSES)


# State


SABOTAGE = {
    "believes damaged checkpoints": """
from wfrun.concurrency import checkpoint
def believe(path, content):
    return checkpoint.Checkpoint(checkpoint._sequence_of(path), json.loads(content.splitlines()[1]), path)
checkpoint._decode = believe
""",
    "begins anew after a damaged checkpoint": """
from wfrun.concurrency.checkpoint import CheckpointStore, LoadedCheckpoint
real = CheckpointStore.load_latest
def load_latest(self):
    loaded = real(self)
    return LoadedCheckpoint(None, loaded.damaged) if loaded.damaged else loaded
CheckpointStore.load_latest = load_latest
""",
    "does not tell of damage": """
from wfrun.concurrency.checkpoint import CheckpointStore, LoadedCheckpoint
real = CheckpointStore.load_latest
CheckpointStore.load_latest = lambda self: LoadedCheckpoint(real(self).latest)
""",
    "stops saving": """
from wfrun.concurrency.checkpoint import CheckpointStore
real = CheckpointStore.save
CheckpointStore.save = lambda self, state, sequence: None if sequence > 100 else real(self, state, sequence)
""",
    "saves another state": """
from wfrun.concurrency.checkpoint import CheckpointStore
real = CheckpointStore.save
CheckpointStore.save = lambda self, state, sequence: real(self, {**state, "chain": ""}, sequence)
""",
    "keeps results that are done again": """
from {package}.persistent import WorkflowFolder
real = WorkflowFolder.cut_results
WorkflowFolder.cut_results = lambda self, length_bytes: None if length_bytes else real(self, length_bytes)
""",
    "lets damaged packets pass": """
from {package} import packets
packets.verify = lambda packet: packet
""",
}


@pytest.mark.parametrize(
    ("fault", "name", "reason"),
    [
        ("believes damaged checkpoints", STATE_DAMAGED, "folder.begun()"),
        ("begins anew after a damaged checkpoint", STATE_DAMAGED, "process.returncode == 0"),
        ("does not tell of damage", STATE_DAMAGED, 'resumed["damaged"]'),
        ("stops saving", STATE_GOOD, "folder.begun()"),
        ("saves another state", STATE_GOOD, 'resumed["state"]'),
        ("keeps results that are done again", STATE_GOOD, "results.read_bytes()"),
        ("lets damaged packets pass", STATE_GOOD, "results_before"),
    ],
)
def test_state_that_is_not_kept_is_noticed(fault: str, name: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of(name)
    sabotage = SABOTAGE[fault].replace("{package}", module.__package__)
    monkeypatch.setattr(module, "PROGRAM", module.PROGRAM.replace("\nmain()", f"{sabotage}main()"))

    assert failure_of(name).startswith(f"AssertionError: assert {reason}")


def test_a_workflow_that_is_asked_to_end_instead_of_killed_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio.subprocess.Process, "kill", asyncio.subprocess.Process.terminate)

    assert "SIGKILL" in failure_of(STATE_GOOD)


def test_a_paused_workflow_ends_when_nobody_is_left_to_kill_it(tmp_path: Path) -> None:
    module = module_of(STATE_GOOD)
    job = {
        "path": sys.path,
        "folder": str(tmp_path),
        "channels": "wfrun.concurrency.targets:WfrunChannels",
        "seed": 1,
        "pause_at": 3,
    }

    ended = subprocess.run(
        [sys.executable, "-c", module.PROGRAM, module.json.dumps(job)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
        timeout=30,
    )

    assert (ended.returncode, ended.stdout) == (1, module.PAUSED)


# Scale


def test_workers_that_wait_too_long_are_noticed() -> None:
    class Slow(SystemClock):
        async def sleep(self, duration_s: float) -> None:
            await super().sleep(2 * duration_s)

    assert "efficiency" in failure_of(FOUR_WORKERS, clock=Slow())


def test_workers_that_wait_in_turn_are_noticed() -> None:
    class OneAtATime(SystemClock):
        __slots__ = ("_lock",)

        def __init__(self) -> None:
            self._lock = asyncio.Lock()

        async def sleep(self, duration_s: float) -> None:
            async with self._lock:
                await super().sleep(duration_s)

    assert "efficiency" in failure_of(FOUR_WORKERS, clock=OneAtATime())


def test_processes_that_do_not_add_up_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of(PROCESS_SCALING)
    monkeypatch.setattr(module, "ProcessWorkers", lambda function, **_options: ProcessWorkers(function, workers=1))
    monkeypatch.setattr(module, "processors", lambda: range(4))
    monkeypatch.setattr(module, "TURNS", 1)

    assert "efficiency" in failure_of(PROCESS_SCALING)


def test_processes_that_miscalculate_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_of(PROCESS_SCALING), "expected_remainder", len)

    assert "remainder" in failure_of(PROCESS_SCALING)


# Supervision


def supervisor_with(**fixed: Any) -> Callable[..., Supervisor]:
    return lambda **options: Supervisor(**{**options, **fixed})


def dropping_what_it_holds(process: Any) -> Any:
    """Return a worker's step that throws its packet away when it crashes."""

    async def step(self: Any, worker: int) -> None:
        try:
            await process(self, worker)
        except InjectedFault:
            del self.hands[worker]
            raise

    return step


@pytest.mark.parametrize(
    ("name", "attribute", "broken"),
    [
        (ONE_FOR_ONE, "Supervisor", supervisor_with(max_restarts=0)),
        (ONE_FOR_ONE, "Supervisor", supervisor_with(backoff=None)),
        (EXHAUSTED, "Supervisor", supervisor_with(max_restarts=4)),
        (EXHAUSTED, "Supervisor", supervisor_with(max_restarts=2)),
        (FAIL_FAST, "fail_fast", collect_errors),
        (COLLECT_ERRORS, "collect_errors", fail_fast),
    ],
)
def test_another_policy_is_noticed(name: str, attribute: str, broken: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_of(name), attribute, broken)

    assert failure_of(name).startswith(("AssertionError", "RestartsExceeded"))


@pytest.mark.parametrize("name", [ONE_FOR_ONE, FAIL_FAST, COLLECT_ERRORS])
def test_a_packet_that_goes_down_with_its_worker_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    group = module_of(name).WorkerGroup
    monkeypatch.setattr(group, "_process", dropping_what_it_holds(group._process))

    assert "1 missing" in failure_of(name)


def module_of(name: str) -> Any:
    return sys.modules[CASES[name].declaration.function.__module__]
