from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import wfrun
from wfrun.cli.verbs import with_verb

VERBS = ["run", "list", "init"]


@pytest.mark.parametrize(
    ("words", "understood"),
    [
        ([], ["run"]),
        (["suites"], ["run", "suites"]),
        (["--e2e"], ["run", "--e2e"]),
        (["--e2e", "list"], ["run", "--e2e", "list"]),
        (["./list"], ["run", "./list"]),
        (["list", "suites"], ["list", "suites"]),
        (["run"], ["run"]),
        (["--help"], ["--help"]),
        (["-h"], ["-h"]),
        (["--version"], ["--version"]),
        (["--show-completion"], ["--show-completion"]),
    ],
)
def test_the_verb_is_run_unless_the_first_word_is_one(words: list[str], understood: list[str]) -> None:
    assert with_verb(words, VERBS) == understood


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("wfrun --pat", {"--pattern"}),
        ("wfrun run --pat", {"--pattern"}),
        ("wfrun li", {"list"}),
        ("wfrun --e2e --se", {"--seed"}),
        ("wfrun list --pat", {"--pattern"}),
    ],
)
def test_the_shell_is_offered_verbs_and_options(words: str, offered: set[str]) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(wfrun.__file__).parents[1]),
        "_WFRUN_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    done = subprocess.run(
        [sys.executable, "-m", "wfrun"], env=environment, capture_output=True, text=True, check=False, timeout=60
    )

    assert offered <= set(done.stdout.split())
    assert done.stderr == ""


def test_options_that_nobody_gave_need_no_validator(tmp_path: Path) -> None:
    """Each would cost a millisecond, at every start."""
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "suite_a.py").write_text(
        "from wfrun import Suite\nsuite = Suite('A')\n\n\n@suite.case('First')\ndef first() -> None:\n    pass\n"
    )
    script = (
        "import typer.core as core\n"
        "from wfrun.cli.app import run_command_line\n"
        "built, make = [], core.build_runtime_param\n"
        "core.build_runtime_param = lambda described: (built.append(described.annotation), make(described))[1]\n"
        "run_command_line(['list', '--json', 'suites'])\n"
        "print('built', built)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(wfrun.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.stdout.splitlines()[-1:] == ["built []"], done.stdout + done.stderr
