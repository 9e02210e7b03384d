"""The command as a process: what it imports, prints and returns."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import wfrun
from wfrun.version import __version__

HEAVY = {
    *("asyncio", "logging", "numpy", "orjson", "psutil", "pydantic", "rich", "typer"),
    *("wfrun.authoring", "wfrun.concurrency", "wfrun.measure", "wfrun.runner"),
}

PROJECT = Path(wfrun.__file__).parents[1]


def run(
    *words: str, folder: Path, code: str = "from wfrun.__main__ import main; sys.exit(main())", **settings: str
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "NO_COLOR": "1", "COLUMNS": "100", **settings}
    command = [sys.executable, "-c", f"import sys; {code}", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)


def imported_by(*words: str, folder: Path) -> set[str]:
    code = (
        "import atexit; before = set(sys.modules); from wfrun.__main__ import main;"
        "atexit.register(lambda: print(*sorted(set(sys.modules) - before), file=sys.stderr)); sys.exit(main())"
    )
    return set(run(*words, folder=folder, code=code).stderr.split())


def test_the_version_is_answered(tmp_path: Path) -> None:
    done = run("--version", folder=tmp_path)

    assert (done.stdout, done.stderr, done.returncode) == (f"wfrun {__version__}\n", "", 0)


@pytest.mark.parametrize("words", [("-v", "--version"), ("run", "--version")])
def test_the_version_is_answered_behind_other_words_too(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert run(*words, folder=tmp_path).stdout == f"wfrun {__version__}\n"


def test_the_version_imports_nothing_but_itself(tmp_path: Path) -> None:
    """Start-up is a feature: an import that creeps in here is paid by everybody."""
    assert imported_by("--version", folder=tmp_path) <= {"__future__", "wfrun", "wfrun.__main__", "wfrun.version"}


@pytest.mark.parametrize("words", [("--help",), ("run", "--help"), ("list", "--help"), ("init", "--help")])
def test_help_imports_nothing_that_a_session_needs(tmp_path: Path, words: tuple[str, ...]) -> None:
    imported = imported_by(*words, folder=tmp_path)

    assert "wfrun.cli.app" in imported
    # Typer prints help with rich, which imports logging.
    assert not imported & (HEAVY - {"logging", "rich", "typer"})


def test_help_shows_verbs_options_defaults_examples_and_exit_codes(tmp_path: Path) -> None:
    text = run("--help", folder=tmp_path).stdout

    for part in ("list", "init", "--pattern", "60s", "wfrun --e2e --pattern complete", "interrupted"):
        assert part in text


def test_a_wrong_command_line_is_one_message_and_exit_2(tmp_path: Path) -> None:
    done = run("--workers", "0", folder=tmp_path)

    assert done.stderr == "wfrun: --workers takes a whole number of at least 1, not '0'\n"
    assert (done.stdout, done.returncode) == ("", 2)


def test_a_fault_of_wfrun_keeps_its_traceback_and_is_exit_5(tmp_path: Path) -> None:
    code = (
        "import wfrun.cli.app as app; app.run_command_line = lambda words: 1 / 0;"
        "from wfrun.__main__ import main; sys.exit(main())"
    )

    done = run(folder=tmp_path, code=code)

    assert "Traceback" in done.stderr
    assert "ZeroDivisionError" in done.stderr
    assert "fault of wfrun itself, please report" in done.stderr
    assert done.returncode == 5


def test_an_interrupt_before_the_session_is_quiet_and_exit_130(tmp_path: Path) -> None:
    code = (
        "import wfrun.cli.app as app\n"
        "def interrupted(words): raise KeyboardInterrupt\n"
        "app.run_command_line = interrupted\n"
        "from wfrun.__main__ import main; sys.exit(main())"
    )

    done = run(folder=tmp_path, code=f"\n{code}")

    assert (done.stdout, done.stderr, done.returncode) == ("", "", 130)


@pytest.mark.parametrize("words", [("--version",), ("--help",), ("list",)])
def test_a_reader_who_leaves_hears_no_complaint(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "suites").mkdir()
    suite = "from wfrun import Suite\nsuite = Suite('S')\n@suite.case('T')\ndef case() -> None: ...\n"
    (tmp_path / "suites" / "suite_a.py").write_text(suite)
    read_end, write_end = os.pipe()
    os.close(read_end)
    code = "import sys; from wfrun.__main__ import main; sys.exit(main())"

    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=write_end,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    os.close(write_end)

    assert done.stderr == b""
