"""The same work measured by other tools, as their manuals say: base first, then the changed copy, then compared."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["PEERS", "PeerResult"]

WORK = '''\
"""Each kind of work as a plain function."""
import asyncio
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from work import add_up, allocate, database, queue, wait, write_rows

LOOP = asyncio.new_event_loop()


def queue_case():
    LOOP.run_until_complete(queue())


def allocations_case():
    allocate()


def waiting_case():
    LOOP.run_until_complete(wait())


def millisecond_case():
    add_up(40_000)


def fifty_case():
    add_up(2_000_000)


FOLDER = tempfile.TemporaryDirectory()
BASE = database(Path(FOLDER.name) / "rows.db")


def sqlite_case():
    write_rows(BASE)


POOL = None


def pool_case():
    global POOL
    if POOL is None:
        POOL = ProcessPoolExecutor(2)
    list(POOL.map(add_up, [640_000] * 2))


CASES = [queue_case, allocations_case, waiting_case, millisecond_case, fifty_case, sqlite_case, pool_case]
'''
TEST = """\
import pytest
from plain import CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_case(benchmark, case):
    benchmark(case)
"""
BENCH = """\
import pyperf
from plain import CASES

runner = pyperf.Runner(processes=5, values=3)
for case in CASES:
    runner.bench_func(case.__name__, case)
"""


@dataclass(frozen=True)
class PeerResult:
    """What a tool said of one case."""

    case: str
    change_percent: float
    regressed: bool


def pytest_benchmark(base: Path, work: Path, threshold_percent: float) -> Iterator[PeerResult]:
    """Compare medians: of its statistics the one that raises fewest false alarms."""
    medians: list[dict[str, float]] = []
    for folder in (base, work):
        _write(folder, {"plain.py": WORK, "test_speed.py": TEST})
        words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--benchmark-json", "out.json", "test_speed.py")
        _python(folder, words)
        read: dict[str, Any] = json.loads((folder / "out.json").read_bytes())
        medians.append({each["param"]: each["stats"]["median"] for each in read["benchmarks"]})
    yield from _by_ratio(medians[0], medians[1], threshold_percent)


def pyperf(base: Path, work: Path, threshold_percent: float) -> Iterator[PeerResult]:
    """Compare means where its own test calls the difference significant."""
    import pyperf as library  # noqa: PLC0415 - only where it is asked for

    suites = []
    for folder in (base, work):
        _write(folder, {"plain.py": WORK, "bench_speed.py": BENCH})
        (folder / "out.json").unlink(missing_ok=True)
        _python(folder, ("bench_speed.py", "--quiet", "-o", "out.json"))
        suites.append(library.BenchmarkSuite.load(str(folder / "out.json")))
    from pyperf._utils import is_significant  # noqa: PLC0415 - as above

    for bench in suites[0].get_benchmarks():
        other = suites[1].get_benchmark(bench.get_name())
        change = 100 * (other.mean() / bench.mean() - 1)
        significant, _ = is_significant(bench.get_values(), other.get_values())
        yield PeerResult(bench.get_name(), change, bool(significant) and change >= threshold_percent)


PEERS = {"pytest-benchmark": pytest_benchmark, "pyperf": pyperf}


def _by_ratio(base: Mapping[str, float], work: Mapping[str, float], threshold_percent: float) -> Iterator[PeerResult]:
    for case, before in base.items():
        change = 100 * (work[case] / before - 1)
        yield PeerResult(case, change, change >= threshold_percent)


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).write_text(text)


def _python(folder: Path, words: Sequence[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, *words], cwd=folder, env=environment, check=True, capture_output=True)
