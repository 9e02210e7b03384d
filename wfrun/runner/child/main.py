"""The program that a child process runs: take a command, do it, answer, until the parent is gone.

Only case ids come in. This process collects the suite file again, and refuses to run a case that is not, to the letter,
the one that was planned.
"""

from __future__ import annotations

import errno
import gc
import os
import random
import signal
import sys
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wfrun.authoring.collect import collect_file
from wfrun.authoring.declarations import Scope
from wfrun.authoring.info import cases_to_json
from wfrun.authoring.load import importable_folder
from wfrun.authoring.wide import WideFixtures, describe_failure
from wfrun.runner.child.commons import Commons
from wfrun.runner.child.descendants import adopt_orphans
from wfrun.runner.child.execute import PassOptions
from wfrun.runner.child.failures import one_line, traceback_text
from wfrun.runner.child.frames import read_frame, write_frame
from wfrun.runner.child.guard import CaseGuard
from wfrun.runner.child.last_words import tell_of_ends
from wfrun.runner.child.leaks import LeakWatch
from wfrun.runner.child.lifeline import die_with_parent
from wfrun.runner.child.messages import DEAF_AND_DUMB, NOT_THERE, CaseResult, LoadFailure, Status
from wfrun.runner.child.shared_memory import name_shared_memory
from wfrun.runner.child.suite_loop import SuiteLoop
from wfrun.runner.child.tools.make import make_tools
from wfrun.runner.child.tools.tool import NO_TOOLS, refuse_breakpoint
from wfrun.runner.child.undo import ProcessState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wfrun.authoring.collect import CollectedCase
    from wfrun.authoring.wide import WideFixture
    from wfrun.runner.child.batches import Batches
    from wfrun.runner.child.messages import FixtureFailure

__all__ = ["Child", "main"]

REPLY: Final = "reply"
EVENT: Final = "event"
COLLECTING_THRESHOLD: Final = 50_000
"""Objects made between two looks for garbage while suites are collected."""
LEAVING_S: Final = 0.5
"""How long threads and exit handlers may take once there is nothing more to do."""


class Child:
    """What this process has collected so far, and what it does when asked; ``tell`` takes events to the parent."""

    def __init__(self, tell: Callable[[dict[str, Any]], None]) -> None:
        self._tell = tell
        self.tools = NO_TOOLS
        self.parent = -1
        """The descriptor that commands come from, where they come from one."""
        self._cases: dict[str, dict[str, CollectedCase]] = {}
        self._guard = CaseGuard()
        self._commons = Commons()
        self._loop = SuiteLoop(self._guard)
        self._loop.wide.on_making = self._tell_making
        self._loop.wide.on_change = self._tell_held
        self._batches: Batches | None = None
        self._scattered: list[bytes] = []
        self._pending: list[str] = []
        self.state = ProcessState()
        self._undone: tuple[str, ...] = ()
        """What was undone since the last result."""
        self._name = ""
        """What nobody else is called; set with what follows."""
        self.leaks: LeakWatch | None = None
        """Set where this process is there for cases alone, so that whatever comes up is theirs."""

    def install(self) -> None:
        """Take over the signals by which cases are stopped."""
        self._guard.install()

    def watch_leaks(self, temporary_folder: str) -> None:
        """Hold against cases what they leave behind: this process is there for them alone."""
        self._name = Path(temporary_folder).name
        self.leaks = LeakWatch(temporary_folder)
        self.leaks.holders = self._loop.wide.values
        self.leaks.spared = self._loop.wide.owns
        self.leaks.adopt = self._loop.wide.adopt

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C reached this process."""
        return self._guard.interrupted

    def handle(self, command: dict[str, Any]) -> dict[str, Any]:
        """Do what the parent asks and return the answer."""
        match command["do"]:
            case "collect":
                return self._collect([Path(file) for file in command["files"]])
            case "run":
                return self._run(command).to_json()
            case "run_many":
                return self._run_many(command)
            case "share":
                return self._share(command)
            case "count":
                return self._count(command).to_json()
            case "open":
                return self._open(command).to_json()
            case "batch":
                return self._batch(command["least_s"])
            case "close":
                return self._close()
            case "leave":
                self._tell_failures(self._loop.leave(Scope(command["scope"]), command["teardown_grace_s"]))
                return {}
            case unknown:
                raise ValueError(f"no command is called {unknown!r}")

    def _collect(self, files: list[Path]) -> dict[str, Any]:
        from wfrun.runner.child.sources import Sources  # noqa: PLC0415 - only the process that looks for cases

        sources = Sources()
        # Thousands of suites come to stay, and this process ends when they are read: garbage is looked for seldom, and
        # never in what was here before them.
        gc.freeze()
        gc.set_threshold(COLLECTING_THRESHOLD)
        for file in files:
            try:
                found = cases_to_json([case.info for case in self._load(str(file)).values()])
            except BaseException as error:  # noqa: BLE001 - a suite may raise anything while it loads
                self._tell({"failed": asdict(LoadFailure(str(file), one_line(error), traceback_text(error)))})
            else:
                self._tell({"found": found})
        return {"sources": sources.paths()}

    def _load(self, key: str) -> dict[str, CollectedCase]:
        if key not in self._cases:
            file = Path(key)
            self.state.forget()
            self.state.mark()
            try:
                self._cases[key] = {case.info.id: case for case in collect_file(file)}
            finally:
                self._undone += self.state.undo(key, keep_path=str(importable_folder(file)))
        return self._cases[key]

    def _run_many(self, command: dict[str, Any]) -> dict[str, Any]:
        """Run several cases one after another and tell each result as it comes.

        Ends early where the parent must decide what to do: it may want no more, or another process for the next.
        """
        mark = command["mark"].encode()
        pid = os.getpid()
        files = [single["file"] for single in command["cases"]]
        for single, next_file in zip(command["cases"], [*files[1:], files[-1]], strict=True):
            if self._guard.interrupted or self._guard.enough:
                break
            self._pending = []
            result = self._run({**command["common"], **single})
            if os.getpid() != pid:
                # A case forked and its copy came back here: the results are for the first of them to tell.
                os._exit(0)
            # Here, so that what tear-downs print belongs to the last case of their suite.
            self._tell_failures(self._loop.enter(next_file, command["common"]["teardown_grace_s"]))
            self._commons.mark(mark)
            spoilt = result.status is Status.TIMED_OUT or bool(self._pending) or self._guard.interrupted
            spoilt = spoilt or self.tools.quitting
            last = spoilt or (command["fail_fast"] and result.status.bad)
            self._tell({"result": result.to_json(), "last": last})
            if last:
                break
        return {}

    def _run(self, command: dict[str, Any]) -> CaseResult:
        if self.tools is NO_TOOLS and command["tools"]:
            self.tools = make_tools(command["tools"], self._guard, self._tell)
        case = self._planned(command)
        if isinstance(case, CaseResult):
            return case
        # Measured cases are alone in their process, and their loop is not the suite's.
        options = self._options(command, self._loop.wide if command["sampling"] is None else WideFixtures())
        if command["sampling"] is None:
            if self.tools is NO_TOOLS:
                result = self._loop.run(case, options)
            else:
                result = self.tools.run(case.info, partial(self._loop.run, case, options))
            undone, self._undone = self._undone, ()
            return replace(result, warnings=(*undone, *result.warnings)) if undone else result
        # Only measuring needs these, and a warm worker should start fast.
        from wfrun.runner.child.sample import empty_case, sample_case  # noqa: PLC0415
        from wfrun.runner.child.sampling import SamplingOptions  # noqa: PLC0415

        if command["control"]:
            case = empty_case(case.info)
        result, failures = sample_case(case, options, SamplingOptions(**command["sampling"]))
        self._tell_failures(failures)
        return result

    def _planned(self, command: dict[str, Any]) -> CollectedCase | CaseResult:
        """Return the case that was planned, with this process made ready for it; or why it cannot run."""
        case_id = command["id"]
        try:
            case = self._load(command["file"]).get(case_id)
        except BaseException as error:  # noqa: BLE001 - as in _collect
            message = f"its suite loaded when it was planned and does not load now: {one_line(error)}"
            return CaseResult(case_id, Status.ERROR, 0.0, message, traceback_text(error))
        if case is None or command["digest"] not in {"", case.info.digest()}:
            found = NOT_THERE if case is None else "the case that was planned is another one"
            message = f"{found} in this process: its suite loads differently each time"
            return CaseResult(case_id, Status.ERROR, 0.0, message)
        self._commons.restore()
        name_shared_memory(self._name)
        self._tell_failures(self._loop.enter(command["file"], command["teardown_grace_s"]))
        if self.leaks is not None:
            self.leaks.repeating = command["repeating"]
        if self.tools is not NO_TOOLS:
            # They come and go around each case, with what they change and open.
            self._forget_marks()
        return case

    def _options(self, command: dict[str, Any], wide: WideFixtures) -> PassOptions:
        wide.seed, wide.targets = command["session_seed"], command["targets"]
        wide.shared, wide.broken = command["shared"], command["broken"]
        measured = command["sampling"] is not None
        return PassOptions(
            seed=command["seed"],
            timeout_s=command["timeout_s"],
            teardown_grace_s=command["teardown_grace_s"],
            measured=measured,
            targets=command["targets"],
            guard=self._guard,
            on_teardowns=self._tell_teardowns,
            state=None if measured else self.state,
            leaks=None if measured else self.leaks,
            tools=self.tools,
            wide=wide,
        )

    def _count(self, command: dict[str, Any]) -> CaseResult:
        """Pass over a measured case under counters; the figures are those of the result's generation."""
        # Only a process that counts needs it.
        from wfrun.runner.child.count import count_case  # noqa: PLC0415

        case = self._planned(command)
        if isinstance(case, CaseResult):
            return case
        options = replace(self._options(command, WideFixtures()), measured=True, state=None, leaks=None)
        result, failures = count_case(case, options, lambda: self._tell({"alive": True}))
        self._tell_failures(failures)
        return result

    def _open(self, command: dict[str, Any]) -> CaseResult:
        """Make ready to repeat a measured case in batches, each when it is asked for."""
        # Only comparing two trees needs them.
        from wfrun.measure.layout import scattered  # noqa: PLC0415
        from wfrun.runner.child.batches import Batches  # noqa: PLC0415

        self._scattered = scattered(random.SystemRandom())
        case = self._planned(command)
        if isinstance(case, CaseResult):
            return case
        self._batches = Batches(case, self._options(command, WideFixtures()), command["cpu"])
        return self._batches.warm()

    def _batch(self, least_s: float) -> dict[str, Any]:
        if self._batches is None:
            raise ValueError("no case was opened")
        result, rows = self._batches.batch(least_s)
        return {"rows": rows, "failed": None if result.status is Status.PASSED else result.to_json()}

    def _close(self) -> dict[str, Any]:
        if self._batches is None:
            raise ValueError("no case was opened")
        answer, failures = self._batches.close()
        self._tell_failures(failures)
        return answer

    def _share(self, command: dict[str, Any]) -> dict[str, Any]:
        # Only the processes of shared fixtures need it.
        from wfrun.runner.child.sharing import share  # noqa: PLC0415

        case = self._load(command["file"])[command["id"]]
        found = next(each for each in case.fixtures if each.key == command["key"])
        answer, failures = share(found, command, self._guard, lambda value: self._tell({"value": value}), self.parent)
        self._tell_failures(failures)
        return answer

    def _tell_teardowns(self, pending: list[str]) -> None:
        self._pending = list(pending)
        self._tell({"teardowns": list(pending)})

    def _tell_making(self, fixture: WideFixture | None) -> None:
        making = None
        if fixture is not None:
            making = [fixture.found.key, fixture.scope, f"the {fixture.scope} fixture {fixture.name!r}"]
        self._tell({"making": making})

    def _tell_held(self) -> None:
        self._forget_marks()
        wide = self._loop.wide
        broken = [[fixture.found.key, fixture.scope, describe_failure(fixture)] for fixture in wide.failed]
        self._tell({"held": [fixture.name for fixture in wide.held()], "broken": broken})

    def _forget_marks(self) -> None:
        self.state.forget()
        if self.leaks is not None:
            self.leaks.forget()

    def _tell_failures(self, failures: Sequence[FixtureFailure]) -> None:
        for failure in failures:
            self._tell({"fixture_failure": asdict(failure)})


def main() -> None:
    """Serve the parent that started this process.

    Arguments are two pipe descriptors, the parent's id, and the folder for temporary files of this process alone.
    """
    command_descriptor, reply_descriptor, parent_pid = map(int, sys.argv[1:4])
    temporary_folder = sys.argv[4]
    die_with_parent(parent_pid, command_descriptor)
    adopt_orphans()
    for descriptor in (command_descriptor, reply_descriptor):
        os.set_inheritable(descriptor, False)  # noqa: FBT003 - takes no keyword
    listen_for_stacks = tell_of_ends()
    sys.argv = ["wfrun"]
    sys.breakpointhook = refuse_breakpoint
    child = Child(lambda event: write_frame(reply_descriptor, {"type": EVENT, **event}))
    child.install()
    child.watch_leaks(temporary_folder)
    child.parent = command_descriptor
    child.state = ProcessState(listen_for_stacks)
    pid = os.getpid()
    try:
        while (command := read_frame(command_descriptor)) is not None:
            answer = child.handle(command)
            if os.getpid() != pid:
                # A case forked and its copy came back here: the answer is for the first of them to give.
                os._exit(0)
            write_frame(reply_descriptor, {"type": REPLY, **answer})
    except OSError as error:
        if error.errno != errno.EBADF:
            raise
        # Nothing can be told any more, so the exit code says it.
        sys.exit(DEAF_AND_DUMB)
    finally:
        _leave_soon()


def _leave_soon() -> None:
    # Python waits for every thread at its end; a case may have left one that never does.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGALRM,))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, LEAVING_S)


if __name__ == "__main__":
    main()
