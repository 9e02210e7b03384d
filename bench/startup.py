"""How long ``wfrun --version`` and ``wfrun --help`` take, against a bare interpreter and a minimal typer application.

Every command is run as the script that pip installs would run it. The peers have as many options as ``wfrun run``, with
help of one word: an application of one command, and for ``wfrun run --help`` one with as many verbs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from bench.harness import Bar, interleave, ratios
from wfrun.cli.app import app

ROUNDS = 25

SCRIPT = """\
import sys
from wfrun.__main__ import main
if __name__ == "__main__":
    sys.exit(main())
"""

PEER = """\
from typing import Annotated
import typer
app = typer.Typer()
@app.command()
def run({parameters}) -> None:
    "Run."
{others}
if __name__ == "__main__":
    app()
"""

OTHER = """\
@app.command()
def {name}() -> None:
    "Other."
"""


def bars() -> list[Bar]:
    """Measure both promises about start-up."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        script, one_verb, verbs = folder / "wfrun_script.py", folder / "one_verb.py", folder / "verbs.py"
        script.write_text(SCRIPT, encoding="utf-8")
        one_verb.write_text(peer_source(), encoding="utf-8")
        verbs.write_text(peer_source("list_", "init"), encoding="utf-8")
        commands = {
            "interpreter": ["-c", "pass"],
            "wfrun --version": [str(script), "--version"],
            "typer --help": [str(one_verb), "--help"],
            "wfrun --help": [str(script), "--help"],
            "typer run --help": [str(verbs), "run", "--help"],
            "wfrun run --help": [str(script), "run", "--help"],
        }
        costs = interleave({name: partial(_start, words) for name, words in commands.items()}, rounds=ROUNDS)
    return [
        _bar("wfrun --version / interpreter", costs, "interpreter", "wfrun --version", 1.5),
        _bar("wfrun --help / minimal typer", costs, "typer --help", "wfrun --help", 1.25),
        _bar("wfrun run --help / minimal typer", costs, "typer run --help", "wfrun run --help", 1.25),
    ]


def peer_source(*others: str) -> str:
    """Return a typer application: a verb with as many options as ``wfrun run``, and the ``others`` with none."""
    (run,) = [command.callback for command in app.registered_commands if command.name == "run"]
    assert run is not None
    count = len(run.__annotations__) - 1  # the last is what it returns
    names = [f"option_{number}" for number in range(count)]
    return PEER.format(
        parameters=", ".join(
            f"{name}: Annotated[str | None, typer.Option('--{name}', help='Option.')] = None" for name in names
        ),
        others="".join(OTHER.format(name=name) for name in others),
    )


def _start(words: list[str], _round: int) -> float:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    started_ns = time.perf_counter_ns()
    subprocess.run([sys.executable, *words], env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter_ns() - started_ns


def _bar(name: str, costs: dict[str, list[float]], peer: str, ours: str, most: float) -> Bar:
    # ratios() says how many times as fast we are; this promise is about how many times as long we take.
    each = sorted(1 / ratio for ratio in ratios(costs, peer, ours))
    middle = [sorted(costs[side])[len(costs[side]) // 2] / 1e6 for side in (peer, ours)]
    details = f"{peer} {middle[0]:.1f} ms, {ours} {middle[1]:.1f} ms, rounds {each[0]:.2f} to {each[-1]:.2f}"
    return Bar(name, each[len(each) // 2], most, "<=", details)
