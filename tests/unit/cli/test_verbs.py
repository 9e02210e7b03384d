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
