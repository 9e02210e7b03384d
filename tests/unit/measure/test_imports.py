from __future__ import annotations

import json
import pkgutil
import subprocess
import sys

import pytest

import wfrun.measure

HEAVY = {"numpy", "pydantic", "rich", "typer", "orjson", "psutil", "ctypes", "importlib.metadata", "platform"}
MODULES = sorted(module.name for module in pkgutil.iter_modules(wfrun.measure.__path__))


@pytest.mark.parametrize("names", [MODULES], ids=["all"])
def test_importing_everything_here_draws_in_nothing_heavy(names: list[str]) -> None:
    """Each child process imports this; start-up is part of what a user waits for."""
    program = (
        "import importlib, json, sys\n"
        f"for name in {names!r}: importlib.import_module('wfrun.measure.' + name)\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert HEAVY.isdisjoint(json.loads(done.stdout))
