"""The workflows on the page about nights can be read, name what there is, and keep the history as they say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from wfrun.cli.app import app

yaml: Any = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "nights.md").read_text(encoding="utf-8")
GIT = shutil.which("git") or "git"


def workflows() -> dict[str, Any]:
    found = re.findall(r"^```yaml file=\.github/workflows/(\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    # "on" is a word for true in YAML 1.1, which GitHub reads as a text.
    return {name: yaml.safe_load(text.replace("\non:", '\n"on":', 1)) for name, text in found}


def steps() -> list[dict[str, Any]]:
    return [step for workflow in workflows().values() for job in workflow["jobs"].values() for step in job["steps"]]


def test_the_workflows_are_whole() -> None:
    assert list(workflows()) == ["nightly.yml", "performance.yml"]
    for workflow in workflows().values():
        assert {"name", "on", "permissions", "jobs"} <= set(workflow)
        for job in workflow["jobs"].values():
            assert job["runs-on"]
            assert all(("run" in step) != ("uses" in step) for step in job["steps"])
    assert workflows()["nightly.yml"]["on"]["schedule"] == [{"cron": "17 3 * * *"}]
    assert workflows()["nightly.yml"]["permissions"] == {"contents": "write"}
    assert workflows()["performance.yml"]["permissions"]["pull-requests"] == "write"


def test_what_they_run_is_bash_that_can_be_read() -> None:
    for script in (step["run"] for step in steps() if "run" in step):
        subprocess.run(["bash", "-n"], input=script, text=True, check=True, timeout=20)  # noqa: S607 - any bash


def test_the_options_and_targets_they_name_are_there() -> None:
    run = next(command for command in app.registered_commands if command.name == "run")
    assert run.callback is not None
    known = {f"--{name}" for name in run.callback.__annotations__}
    commands = [
        script for step in steps() for script in step.get("run", "").splitlines() if script.startswith("wfrun ")
    ]

    assert commands
    for command in commands:
        assert set(re.findall(r"--[a-z-]+", command)) <= known, command
    assert "make nightly" in [step.get("run") for step in steps()]
    assert re.search(r"^nightly:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_two_nights_on_two_runners_are_both_kept_on_the_branch(tmp_path: Path) -> None:
    fetch, keep = (step["run"] for step in steps() if step.get("name") in {"Fetch the history", "Keep the history"})
    git(tmp_path, "init", "-q", "--bare", "origin")
    one = checkout(tmp_path, "one")
    (one / "code.py").write_text("")
    git(one, "add", ".")
    git(one, "commit", "-qm", "Begin")
    git(one, "push", "-q", "origin", "HEAD:main")
    two = checkout(tmp_path, "two")
    git(two, "pull", "-q", "origin", "main")
    night(one, fetch, keep, "first\n")
    for runner in (one, two):
        script(runner, fetch)

    for runner, line in ((one, "of one\n"), (two, "of two\n")):
        with (runner / ".wfrun" / "history" / "nights.jsonl").open("a") as history:
            history.write(line)
        script(runner, keep)

    kept = git(tmp_path / "origin", "show", "wfrun-history:nights.jsonl")
    assert sorted(kept.splitlines()) == ["first", "of one", "of two"]
    assert git(tmp_path / "origin", "ls-tree", "--name-only", "wfrun-history").split() == [
        ".gitattributes",
        "nights.jsonl",
    ]


def night(runner: Path, fetch: str, keep: str, line: str) -> None:
    script(runner, fetch)
    (runner / ".wfrun" / "history" / "nights.jsonl").write_text(line)
    script(runner, keep)
    # The next run has a checkout of its own.
    git(runner, "worktree", "remove", "--force", ".wfrun/history")


def checkout(folder: Path, name: str) -> Path:
    git(folder, "clone", "-q", "origin", name)
    return folder / name


def script(folder: Path, text: str) -> None:
    # As GitHub does: the script stops at the first command that fails.
    ran = subprocess.run(
        ["bash", "-e", "-c", text],  # noqa: S607 - any bash
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def git(folder: Path, *words: str) -> str:
    return subprocess.run(
        [GIT, *words], cwd=folder, env=environment(), capture_output=True, text=True, check=True, timeout=60
    ).stdout


def environment() -> dict[str, str]:
    who = {f"GIT_{role}_{what}": "a@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0", "WFRUN_BUDGET": "0.4s"}
