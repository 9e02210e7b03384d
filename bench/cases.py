"""Ten thousand trivial asynchronous cases in a thousand modules: listed, and run, against pytest-asyncio.

Each command is started as a user would, from a folder of its own. Byte-code is written and used on both sides; the
first round, which writes it, does not count. What a command takes is told beyond the same one on a project of one case.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Final

from bench.harness import Bar, interleave, ratios

MODULES: Final = 1000
CASES: Final = 10
FEW: Final = 100
"""Modules of the smaller project, from which the memory a case takes is told."""
DENSE: Final = 10
"""Modules that hold as many cases, from which the time a case takes is told: with a loop that a thousand share."""
ROUNDS: Final = 3
KIB: Final = 1024

SUITE: Final = '''"""Cases."""

from wfrun import Context, Suite

suite = Suite("Module {number}")
'''
CASE: Final = """

@suite.case("Case {case} of {number}")
async def case_{case}(context: Context) -> None:
    assert {case} + {number} == {total}
"""
TEST: Final = """

async def test_case_{case}() -> None:
    assert {case} + {number} == {total}
"""


def bars() -> list[Bar]:
    """Measure what is promised of a large project."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_project(folder / "many", MODULES)
        make_project(folder / "few", FEW)
        make_project(folder / "dense", DENSE, MODULES * CASES // DENSE)
        make_project(folder / "one", 1, 1)
        many, dense, one = folder / "many", folder / "dense", folder / "one"
        listed = interleave(
            {
                "one case": partial(listing_s, one),
                "cold": partial(listing_s, many, cold=True),
                "warm": partial(listing_s, many),
            },
            rounds=5,
        )
        peer = [sys.executable, "-m", "pytest", "-q", "-o", "asyncio_mode=auto", "-p", "no:cacheprovider", "tests"]
        costs = Costs()
        interleave(
            {
                "pytest-asyncio": partial(costs.add, "pytest-asyncio", many, peer),
                "1 worker": partial(costs.add, "1 worker", many, run_with(1)),
                "2 workers": partial(costs.add, "2 workers", many, run_with(2)),
                "dense": partial(costs.add, "dense", dense, run_with(1)),
                "one case": partial(costs.add, "one case", one, run_with(1)),
            },
            rounds=ROUNDS,
        )
        on_loop = sorted(us_on_loop(dense) for _ in range(ROUNDS))
        memory = [peak_rss_bytes(folder / project, run_with(1)) for project in ("few", "many")]
    a_case = (memory[1] - memory[0]) / ((MODULES - FEW) * CASES)
    return [
        _beyond("list, cold, s beyond one case", listed, "cold", 0.6),
        _beyond("list, warm, s beyond one case", listed, "warm", 0.15),
        *(
            _times(f"{which}, {side}", each, which, least)
            for which, least in (("1 worker", 5.0), ("2 workers", 8.0))
            for side, each in (("wall", costs.wall), ("cpu", costs.cpu))
        ),
        Bar(
            "us a case, in its worker", statistics.median(on_loop), 60.0, "<=", f"{on_loop[0]:.0f} to {on_loop[-1]:.0f}"
        ),
        _us_a_case(costs.wall),
        Bar("bytes of wfrun a case", a_case, 1000, "<=", f"{memory[1] / 2**20:.0f} MiB with {MODULES * CASES:,} cases"),
    ]


class Costs:
    """What commands took, by name and round: seconds on the clock, and of all processors together."""

    def __init__(self) -> None:
        self.wall: dict[str, list[float]] = {}
        self.cpu: dict[str, list[float]] = {}

    def add(self, name: str, folder: Path, words: list[str], number: int) -> float:
        """Run a command; keep its costs unless this is the round before the first."""
        before = os.times()
        started_s = time.perf_counter()
        subprocess.run(words, cwd=folder, env=environment(), check=True, stdout=subprocess.DEVNULL)
        wall_s = time.perf_counter() - started_s
        after = os.times()
        if number > 0:
            self.wall.setdefault(name, []).append(wall_s)
            cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
            self.cpu.setdefault(name, []).append(cpu_s)
        return wall_s


def make_project(folder: Path, modules: int, cases: int = CASES) -> None:
    """Write the same cases for both sides, fifty modules a folder."""
    for number in range(modules):
        for side, start, each in (("suites/p{}/suite_m{}.py", SUITE, CASE), ("tests/p{}/test_m{}.py", "", TEST)):
            file = folder / side.format(number // 50, number)
            file.parent.mkdir(parents=True, exist_ok=True)
            body = (each.format(case=case, number=number, total=case + number) for case in range(cases))
            file.write_text(start.format(number=number) + "".join(body), encoding="utf-8")


def run_with(workers: int) -> list[str]:
    """Return the command that runs everything."""
    return [sys.executable, "-m", "wfrun", "-q", "--workers", str(workers)]


def listing_s(folder: Path, _round: int, *, cold: bool = False) -> float:
    """Return how long ``wfrun list`` took, in seconds."""
    if cold:
        (folder / ".wfrun" / "discovery.json").unlink(missing_ok=True)
    started_s = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "wfrun", "list"], cwd=folder, env=environment(), check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - started_s


def environment() -> dict[str, str]:
    """Return the environment of every command: this checkout, and byte-code as a user has it."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": str(Path(__file__).parents[1])}


def peak_rss_bytes(folder: Path, words: list[str]) -> float:
    """Return the most memory that wfrun itself held: not its workers, and not this process as it was copied."""
    script = (
        "import os, subprocess, sys\n"
        "child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)\n"
        "print(os.wait4(child.pid, 0)[2].ru_maxrss)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", script, *words], cwd=folder, env=environment(), check=True, stdout=subprocess.PIPE
    )
    return int(told.stdout) * KIB


def us_on_loop(folder: Path) -> float:
    """Return what a case took in its worker, from its set-up to the look for what it left, in the session's record."""
    subprocess.run(
        [*run_with(1), "--json", "record.json"],
        cwd=folder,
        env=environment(),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    outcomes: list[dict[str, float]] = json.loads((folder / "record.json").read_bytes())["outcomes"]
    return 1e6 * sum(outcome["duration_s"] for outcome in outcomes) / len(outcomes)


def _beyond(name: str, costs: dict[str, list[float]], which: str, most: float) -> Bar:
    each = sorted(cost - start for cost, start in zip(costs[which], costs["one case"], strict=True))
    middle = statistics.median(costs["one case"])
    details = f"one case {middle:.2f} s, rounds {each[0]:.2f} to {each[-1]:.2f}"
    return Bar(name, statistics.median(each), most, "<=", details)


def _times(name: str, costs: dict[str, list[float]], which: str, least: float) -> Bar:
    each = sorted(ratios(costs, "pytest-asyncio", which))
    peer, ours = (statistics.median(costs[side]) for side in ("pytest-asyncio", which))
    details = f"pytest-asyncio {peer:.1f} s, wfrun {ours:.2f} s, rounds {each[0]:.1f} to {each[-1]:.1f}"
    return Bar(f"{name}, times as fast", statistics.median(each), least, ">=", details)


def _us_a_case(wall: dict[str, list[float]]) -> Bar:
    each = sorted(
        ratio * 1e6
        for ratio in (
            (dense - one) / (MODULES * CASES) for dense, one in zip(wall["dense"], wall["one case"], strict=True)
        )
    )
    details = (
        f"{DENSE} modules of {MODULES * CASES // DENSE:,}, beyond one case, rounds {each[0]:.0f} to {each[-1]:.0f}"
    )
    return Bar("us a case, 1 worker, with all that surrounds it", statistics.median(each), 60.0, "<=", details)
