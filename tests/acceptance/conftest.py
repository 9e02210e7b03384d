"""Small projects in a temporary folder, and the installed ``wfrun`` command run in them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psutil  # type: ignore[import-untyped]
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

WFRUN: Final = str(Path(sys.prefix) / "bin" / "wfrun")
HEADER: Final = """\
import asyncio, os, signal, subprocess, sys, threading, time
from wfrun import Suite
suite = Suite("Things")
"""
BRIEF: Final = "0.4s"
"""Sampling time of a measured case: enough to see that figures come out, which is what most tests are about."""
PATIENCE_S: Final = 45.0
"""How long anything here may take before a test fails: long, as nothing waits for it when all is well."""


@dataclass(frozen=True)
class Ran:
    """How one command ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Everything it said."""
        return self.out + self.err


class Started:
    """A command that runs, with its output going to files so that it never waits for a reader."""

    def __init__(self, process: subprocess.Popen[bytes], project: Project) -> None:
        self.process = process
        self._project = project

    def signal(self, number: int = signal.SIGINT) -> None:
        """Send a signal to the wfrun process alone."""
        self.process.send_signal(number)

    def said(self, text: str) -> None:
        """Wait until ``text`` stands in what it said."""
        until(lambda: text in self._ran(0).text, f"{text!r} in its output")

    def end(self) -> Ran:
        """Wait for the end of the command."""
        return self._ran(self.process.wait(PATIENCE_S))

    def _ran(self, code: int) -> Ran:
        return Ran(code, self._project.read("stdout.txt"), self._project.read("stderr.txt"))


class Project:
    """A folder with suites."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, files: Mapping[str, str]) -> Project:
        """Write files by their paths; a suite file starts with the usual imports and a suite called Things."""
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text((HEADER if path.name.startswith("suite_") else "") + content)
        return self

    def run(
        self, *arguments: str, env: Mapping[str, str] | None = None, patience_s: float = PATIENCE_S, **options: Any
    ) -> Ran:
        """Run ``wfrun`` in the folder to its end."""
        ended = subprocess.run(
            [WFRUN, *arguments],
            cwd=self.folder,
            env=environment(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=patience_s,
            check=False,
            **options,
        )
        return Ran(ended.returncode, ended.stdout, ended.stderr)

    @contextmanager
    def start(
        self, *arguments: str, env: Mapping[str, str] | None = None, stdout: int | None = None
    ) -> Iterator[Started]:
        """Start ``wfrun`` in the folder; it is gone when the block ends. ``stdout`` is a descriptor, or a file here."""
        with (self.folder / "stdout.txt").open("wb") as out, (self.folder / "stderr.txt").open("wb") as err:
            process = subprocess.Popen(
                [WFRUN, *arguments],
                cwd=self.folder,
                env=environment(env),
                stdin=subprocess.DEVNULL,
                stdout=out if stdout is None else stdout,
                stderr=err,
            )
        try:
            yield Started(process, self)
        finally:
            process.kill()
            process.wait()

    def read(self, name: str) -> str:
        """Return the text of a file, empty where there is none."""
        path = self.folder / name
        return path.read_text(errors="replace") if path.exists() else ""

    def json(self, name: str) -> Any:
        """Return the content of a JSON file."""
        return json.loads(self.read(name))

    def wait_for(self, name: str) -> str:
        """Wait until a file is there and not empty, and return its text."""
        until(lambda: self.read(name) != "", f"the file {name}")
        return self.read(name)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture(scope="module")
def module_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that the tests of one file share, where one session serves many of them."""
    return Project(tmp_path_factory.mktemp("project"))


def environment(more: Mapping[str, str] | None) -> dict[str, str]:
    hidden = ("FORCE_COLOR", "COLUMNS", "CI", "TERM", "PYTHONPATH", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY")
    return {
        **{name: value for name, value in os.environ.items() if name not in hidden},
        "NO_COLOR": "1",
        "WFRUN_BUDGET": BRIEF,
        **(more or {}),
    }


def until(fact: Callable[[], bool], what: str) -> None:
    """Wait until something is so; a time-out fails the test."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not fact():
        if time.monotonic() > deadline_s:
            pytest.fail(f"waited {PATIENCE_S:g} s for {what}")
        time.sleep(0.02)


def gone(pid: int) -> None:
    """Wait until a process is gone, or dead and waiting to be collected by whoever inherited it."""

    def is_gone() -> bool:
        with suppress(psutil.NoSuchProcess):
            return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
        return True

    until(is_gone, f"the end of process {pid}")
