"""The long form of test_deadlocks.py: every stuck case 20 times and every green one 200 times, with the bounds.

Run it as ``make prove-deadlocks``; it takes some minutes, in which the processors are mostly idle.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, Final

PROJECTS: Final = Path(__file__).parent / "projects" / "deadlocks"
WFRUN: Final = str(Path(sys.prefix) / "bin" / "wfrun")
WORKERS: Final = 25
"""A suite file stays on one worker, so each is there so many times."""
STUCK_TIMES: Final = 20
GREEN_TIMES: Final = 200
BAR_S: Final = 1.0


def main() -> None:
    """Run both lists and say what came of them; exit with 1 where a bar is missed."""
    stuck = _run("stuck", STUCK_TIMES, STUCK_TIMES)
    named = [each for each in stuck if each["message"].startswith("deadlock: ") and each["duration_s"] <= BAR_S]
    slowest_s = max(each["duration_s"] for each in stuck)
    forms = len({each["title"] for each in stuck})
    print(
        f"{len(named)} of {len(stuck)} deadlocks in {forms} forms named within {BAR_S:g} s, slowest {slowest_s:.2f} s"
    )
    for each in stuck:
        if each not in named:
            print(f"  missed: {each['id']} {each['duration_s']:.2f} s: {each['message']}\n{each['details']}")

    green = _run("green", WORKERS, GREEN_TIMES)
    alarms = [each for each in green if each["status"] != "passed"]
    # Of n trials without one, the rule of three.
    bound = f", fewer than {3 / len(green):.2%} with 95 % confidence" if not alarms else ""
    print(f"{len(alarms)} of {len(green)} green cases in {len(green) // GREEN_TIMES} forms raised an alarm{bound}")
    for message, count in Counter(f"{each['id']}: {each['message']}" for each in alarms).most_common(20):
        print(f"  {count} times {message}")
    sys.exit(bool(alarms) or len(named) < len(stuck))


def _run(name: str, copies: int, times: int) -> list[dict[str, Any]]:
    """Return the outcomes of ``times`` runs of each case of a project, spread over copies of its suite files."""
    with tempfile.TemporaryDirectory(prefix="wfrun-") as folder:
        suites = Path(folder) / "suites"
        shutil.copytree(PROJECTS / name, suites, ignore=shutil.ignore_patterns("__pycache__"))
        for suite in list(suites.glob("suite_*.py")):
            for number in range(1, copies):
                shutil.copy(suite, suite.with_name(f"{suite.stem}_{number}.py"))
        record = Path(folder) / "record.json"
        subprocess.run(
            [WFRUN, "--workers", str(WORKERS), "--timeout", "30", "--quiet", "--json", str(record)],
            cwd=folder,
            env={**os.environ, "GREEN_TIMES": str(times // copies), "GREEN_WAIT_S": "1.0"},
            stdout=subprocess.DEVNULL,
            check=False,
        )
        outcomes: list[dict[str, Any]] = json.loads(record.read_text())["outcomes"]
        return outcomes


if __name__ == "__main__":
    main()
