"""How often comparing two trees is wrong, and how small a change it finds: counted, with exact bounds.

``make prove-comparison`` takes some minutes, ``make prove-comparison-full`` goes on until every count is large enough,
which takes hours, and may be stopped at any time: each comparison is added to a file of results, and the table is made
of all of them. Results are of the method they were taken with, so ``--forget`` begins anew.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.proof.peers import PEERS
from wfrun.measure.machine import cpu_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PROJECT: Final = Path(__file__).parent / "project"
RESULTS: Final = Path(__file__).parent / "comparison-results.jsonl"
TABLE: Final = Path(__file__).parents[2] / "docs" / "comparison-proof.md"
WFRUN: Final = str(Path(sys.prefix) / "bin" / "wfrun")
TIMES: Final = ("wall_time_ns", "total_time_ns")
LEAD: Final = "wall_time_ns"


@dataclass(frozen=True)
class Experiment:
    """One question: this change, measured so."""

    name: str
    percent: float
    """By how much more work the changed tree has."""
    threshold_percent: float
    budget: str = "4s"
    neighbour: bool = False
    """Whether a program beside it keeps the other core busy."""
    peer: str = ""
    """The other tool that measures, where it is not wfrun."""
    stored: bool = False
    """Whether a stored baseline is compared with, instead of another tree."""
    quick: bool = False
    """Whether the short form takes it."""
    enough: int = 100
    """Comparisons, over all cases together, that the bar asks for."""


EXPERIMENTS: Final = (
    Experiment("identical", 0, 2.5, quick=True, enough=200),
    Experiment("+5 %", 5, 2.5, quick=True),
    Experiment("+10 %", 10, 2.5, quick=True),
    Experiment("identical, busy neighbour", 0, 2.5, neighbour=True, enough=60),
    Experiment("+10 %, busy neighbour", 10, 2.5, neighbour=True, enough=60),
    Experiment("+2 %, 30 s", 2, 1.0, budget="30s"),
    Experiment("identical, stored baseline", 0, 5, stored=True, quick=True),
    Experiment("+10 %, stored baseline", 10, 5, stored=True),
    *(
        Experiment(f"{change}, {peer}", percent, 2.5, peer=peer)
        for peer in PEERS
        for change, percent in (("identical", 0), ("+5 %", 5), ("+10 %", 10))
    ),
)


@dataclass(frozen=True)
class Result:
    """One case compared once."""

    experiment: str
    case: str
    verdict: str
    """Of the time on the clock."""
    alarms: list[str]
    """Every metric that failed the session."""
    change_percent: float | None
    low_percent: float | None
    high_percent: float | None
    load: float
    """Processes that wanted a core when the session began, over the last minute."""
    created: str
    machine: str


def main() -> int:
    """Take comparisons, and write the table of all that were ever taken; 1 where a bar is missed."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--full", action="store_true", help="go on until every count is large enough")
    words.add_argument("--minutes", type=float, default=math.inf, help="begin nothing more after so long")
    words.add_argument("--only", action="append", default=[], help="only this experiment; may be given several times")
    words.add_argument("--forget", action="store_true", help="throw the results so far away first")
    words.add_argument("--table", action="store_true", help="only write the table")
    chosen = words.parse_args()
    if chosen.forget:
        RESULTS.unlink(missing_ok=True)
    until_s = time.monotonic() + chosen.minutes * 60
    asked = [
        each for each in EXPERIMENTS if each.name in chosen.only or (not chosen.only and (chosen.full or each.quick))
    ]
    with contextlib.suppress(KeyboardInterrupt):
        while not chosen.table and asked and time.monotonic() < until_s:
            for experiment in asked:
                if time.monotonic() < until_s:
                    _keep(take(experiment))
            if not chosen.full:
                break
            known = results()
            asked = [each for each in asked if len(known.get(each.name, ())) < each.enough]
    from tests.proof.comparison_table import table  # noqa: PLC0415 - it needs what is defined here

    text, missed = table(results())
    TABLE.write_text(text, encoding="utf-8")
    print(text)
    return 1 if missed else 0


def results() -> dict[str, list[Result]]:
    """Return everything that was ever taken, by experiment."""
    found: dict[str, list[Result]] = {}
    if RESULTS.exists():
        for line in RESULTS.read_text(encoding="utf-8").splitlines():
            result = Result(**json.loads(line))
            found.setdefault(result.experiment, []).append(result)
    return found


def take(experiment: Experiment) -> list[Result]:
    """Compare every case once."""
    started_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="wfrun-proof-") as name:
        folders = [Path(name) / side for side in ("base", "work")]
        for folder, scale in zip(folders, (1.0, 1 + experiment.percent / 100), strict=True):
            shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("__pycache__"))
            (folder / "scale.txt").write_text(f"{scale}\n")
        load = os.getloadavg()[0]
        with _neighbour() if experiment.neighbour else contextlib.nullcontext():
            if experiment.peer:
                found = list(_of_peer(experiment, folders, load))
            else:
                found = list(_results(experiment, _compared(experiment, folders), load))
    told = ", ".join(f"{each.case} {each.change_percent or 0:+.1f} {each.verdict}" for each in found)
    print(f"{experiment.name} ({time.monotonic() - started_s:.0f} s, load {load:.1f}): {told}", flush=True)
    return found


def _compared(experiment: Experiment, folders: Sequence[Path]) -> dict[str, Any]:
    base, work = folders
    thresholds = [word for metric in TIMES for word in ("--threshold", f"{metric}={experiment.threshold_percent}")]
    record = work / "record.json"
    if not experiment.stored:
        _wfrun(work, "--against", str(base), "--budget", experiment.budget, *thresholds, "--json", str(record))
    else:
        # The baseline is of a commit of this very folder, as it is in life; what changes then is the code in it.
        baseline = str(work.parent / "baseline.json")
        scale = (work / "scale.txt").read_text()
        shutil.copy(base / "scale.txt", work)
        (work / ".gitignore").write_text("__pycache__/\n.wfrun/\nrecord.json\n")
        for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "base")):
            _git(work, *words)
        _wfrun(work, "--performance", "--baseline", baseline)
        (work / "scale.txt").write_text(scale)
        _wfrun(work, "--performance", "--compare", baseline, *thresholds, "--json", str(record))
    read: dict[str, Any] = json.loads(record.read_bytes())
    return read


def _wfrun(folder: Path, *words: str) -> None:
    # Byte-code is kept, as it is for people: else every process would compile what it imports.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [WFRUN, "--quiet", *words],
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(folder)},
        capture_output=True,
        check=False,
        text=True,
    )
    if done.returncode not in {0, 3}:
        raise RuntimeError(f"wfrun {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def _git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
    subprocess.run(["/usr/bin/env", "git", *who, *words], cwd=folder, check=True, capture_output=True)


@contextlib.contextmanager
def _neighbour() -> Iterator[None]:
    """Keep one core busy."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            yield
        finally:
            process.kill()


def _results(experiment: Experiment, record: dict[str, Any], load: float) -> Iterator[Result]:
    by_case: dict[str, list[dict[str, Any]]] = {}
    for row in record["comparison"]["rows"]:
        by_case.setdefault(row["case_id"], []).append(row)
    for case, rows in by_case.items():
        lead = next((row for row in rows if row["metric"] == LEAD), None)
        if lead is None:
            continue
        interval = lead["interval"] or (None, None)
        yield Result(
            experiment=experiment.name,
            case=case.partition("::")[2],
            verdict=lead["verdict"],
            alarms=[row["metric"] for row in rows if row["gates"] and row["verdict"] == "regressed"],
            change_percent=_percent(lead["ratio"]),
            low_percent=_percent(interval[0]),
            high_percent=_percent(interval[1]),
            load=round(load, 2),
            created=_now(),
            machine=_machine(),
        )


def _of_peer(experiment: Experiment, folders: Sequence[Path], load: float) -> Iterator[Result]:
    for each in PEERS[experiment.peer](folders[0], folders[1], experiment.threshold_percent):
        yield Result(
            experiment=experiment.name,
            case=each.case,
            verdict="regressed" if each.regressed else "same",
            alarms=[LEAD] if each.regressed else [],
            change_percent=round(each.change_percent, 3),
            low_percent=None,
            high_percent=None,
            load=round(load, 2),
            created=_now(),
            machine=_machine(),
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _machine() -> str:
    return f"{cpu_model().value}, {os.cpu_count()} cores, Python {sys.version.split()[0]}"


def _percent(ratio: float | None) -> float | None:
    return None if ratio is None else round(100 * (ratio - 1), 3)


def _keep(found: list[Result]) -> None:
    with RESULTS.open("a", encoding="utf-8") as file:
        for result in found:
            file.write(json.dumps(asdict(result)) + "\n")


if __name__ == "__main__":
    sys.exit(main())
