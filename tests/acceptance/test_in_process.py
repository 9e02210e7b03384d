"""Cases that run in wfrun's own process, the debugger there, and output that goes straight through."""

from __future__ import annotations

import os
import pty
import subprocess
import time
from typing import TYPE_CHECKING, Final, Self

import pytest

from tests.acceptance.conftest import PATIENCE_S, WFRUN, environment

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

PROMPT: Final = "(Pdb) "
FAILING: Final = """
@suite.fixture
async def stock():
    yield ["tea"]
    print("stock is put away")

@suite.case()
async def sells(stock):
    sold = "cup"
    await asyncio.sleep(0)
    assert sold in stock

@suite.case()
async def delivers_in_a_task():
    async def deliver():
        parcel = "lost in a task"
        raise ValueError(parcel)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(deliver())

@suite.case()
def counts():
    print("counted")
"""


class Terminal:
    """A command on a terminal of its own, typed at and read from."""

    def __init__(self, project: Project, *arguments: str) -> None:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [WFRUN, *arguments],
            cwd=project.folder,
            env=environment({"TERM": "dumb"}),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.said = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    def until(self, text: str) -> str:
        """Read up to ``text``, and return what came before it since the last call."""
        deadline_s = time.monotonic() + PATIENCE_S
        while text not in self.said:
            assert time.monotonic() < deadline_s, f"waited for {text!r} after {self.said!r}"
            data = os.read(self._master, 4096)
            self.said += data.decode(errors="replace").replace("\r\n", "\n")
        before, _, self.said = self.said.partition(text)
        return before

    def type(self, line: str) -> None:
        os.write(self._master, f"{line}\n".encode())

    def end(self) -> str:
        """Read what is left, and wait for the end."""
        while True:
            try:
                data = os.read(self._master, 4096)
            except OSError:  # how Linux says that nobody has the terminal open any more
                data = b""
            if not data:
                break
            self.said += data.decode(errors="replace").replace("\r\n", "\n")
        self.process.wait(PATIENCE_S)
        return self.said


def test_the_debugger_opens_where_a_case_failed_before_its_fixtures_are_undone(project: Project) -> None:
    project.write({"suites/suite_a.py": FAILING})

    with Terminal(project, "--pdb") as terminal:
        opened = terminal.until(PROMPT)
        terminal.type("p sold, stock")
        shown = terminal.until(PROMPT)
        terminal.type("c")
        second = terminal.until(PROMPT)
        terminal.type("p parcel")
        deep = terminal.until(PROMPT)
        terminal.type("c")
        rest = terminal.end()

    assert "Things · Sells" in opened
    assert "-> assert sold in stock" in opened
    assert "stock is put away" not in opened
    assert "('cup', ['tea'])" in shown
    assert "stock is put away" in second
    assert "in deliver()" not in opened
    assert "deliver()" in second
    assert "'lost in a task'" in deep
    assert "2 failed · 1 passed" in rest
    assert terminal.process.returncode == 1


def test_leaving_the_debugger_by_q_ends_the_session(project: Project) -> None:
    project.write({"suites/suite_a.py": FAILING})

    with Terminal(project, "--pdb") as terminal:
        terminal.until(PROMPT)
        terminal.type("q")
        rest = terminal.end()

    assert "1 failed · 2 not run" in rest
    assert terminal.process.returncode == 1


def test_a_debugger_is_not_hurried_by_time_limits(project: Project) -> None:
    project.write({"suites/suite_a.py": "@suite.case(timeout_s=0.05)\nasync def slow(): assert False\n"})

    with Terminal(project, "--pdb") as terminal:
        terminal.until(PROMPT)
        time.sleep(0.3)  # what is tested is that nothing happens
        terminal.type("p 6 * 7")
        shown = terminal.until(PROMPT)
        terminal.type("c")
        rest = terminal.end()

    assert "42" in shown
    assert "1 failed" in rest
    assert "still running" not in rest


def test_breakpoint_stops_in_a_case_of_this_process(project: Project) -> None:
    case = "@suite.case(timeout_s=0.1)\nasync def stops():\n    here = 5\n    breakpoint()\n    print('went on')\n"
    project.write({"suites/suite_a.py": case})

    with Terminal(project, "--in-process") as terminal:
        terminal.until(PROMPT)
        time.sleep(0.3)
        terminal.type("p here + 37")
        shown = terminal.until(PROMPT)
        terminal.type("c")
        rest = terminal.end()

    assert "42" in shown
    assert "went on" in rest
    assert "1 passed" in rest


def test_breakpoint_elsewhere_says_what_it_needs(project: Project) -> None:
    project.write({"suites/suite_a.py": "@suite.case()\ndef stops(): breakpoint()\n"})

    ran = project.run()

    assert ran.code == 1
    assert "breakpoint() has no terminal in a case's own process; run with --in-process, or --pdb" in ran.out


def test_cases_in_this_process_have_its_standard_input_and_output(project: Project) -> None:
    project.write(
        {
            "suites/suite_a.py": "@suite.case(own_process=True)\n"
            "def asks(): print('told', input(), os.getppid() == int(os.environ['HERE']))\n"
        }
    )
    command = [WFRUN, "--in-process"]

    ran = subprocess.run(
        command,
        cwd=project.folder,
        env=environment({"HERE": str(os.getpid())}),
        input="tea\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert ran.returncode == 0
    assert "\ntold tea True\n" in ran.stdout
    assert "PASS  Things · Asks" in ran.stdout


def test_a_case_in_this_process_still_has_a_time_limit(project: Project) -> None:
    project.write(
        {
            "suites/suite_a.py": "@suite.case(timeout_s=0.2)\nasync def endless(): await asyncio.Event().wait()\n"
            "@suite.case(timeout_s=0.2)\ndef busy():\n    while True: pass\n"
            "@suite.case()\ndef fine(): pass\n"
        }
    )

    ran = project.run("--in-process")

    assert ran.code == 1
    assert "2 timed out · 1 passed" in ran.out


def test_ctrl_c_ends_a_session_in_this_process_after_tear_down(project: Project) -> None:
    project.write(
        {
            "suites/suite_a.py": "@suite.fixture\nasync def stock():\n    yield\n    print('put away')\n"
            "@suite.case()\nasync def waits(stock):\n    print('waiting', flush=True)\n    await asyncio.sleep(30)\n"
            "@suite.case()\ndef later(): pass\n"
        }
    )

    with project.start("--in-process") as started:
        started.said("waiting")
        started.signal()
        ran = started.end()

    assert ran.code == 130
    assert "put away" in ran.out
    assert "1 interrupted · 1 not run" in ran.out


def test_what_would_be_measured_is_checked_in_this_process(project: Project) -> None:
    project.write({"suites/suite_a.py": "@suite.benchmark()\ndef work(context): print('measured', context.measured)\n"})

    ran = project.run("--in-process", "--performance")

    assert ran.code == 0
    assert ran.out.count("measured False") == 1


def test_without_capture_output_goes_straight_through(project: Project) -> None:
    project.write(
        {
            "suites/suite_a.py": "@suite.case()\ndef says():\n"
            "    print('out it goes'); print('and err', file=sys.stderr)\n    assert False\n"
        }
    )

    ran = project.run("--no-capture")

    assert ran.code == 1
    assert "\nout it goes\n" in ran.out
    assert ran.err == "and err\n"
    assert "captured output" not in ran.out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--pdb", "--workers", "2"), "--pdb runs all cases in this process, so --workers 2 cannot be had"),
        (("--no-capture", "--json", "-"), "--no-capture gives standard output to the cases and --json - to the record"),
        (("--in-process", "--baseline", "main"), "nothing is measured with it; leave out --baseline"),
        (("--pdb", "--compare", "main"), "nothing is measured with it; leave out --compare"),
    ],
)
def test_what_contradicts_is_refused(project: Project, arguments: tuple[str, ...], text: str) -> None:
    ran = project.run(*arguments)

    assert ran.code == 2
    assert text in ran.err
