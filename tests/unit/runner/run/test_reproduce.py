"""What is concluded from tries; the tries themselves are told here how they end."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from wfrun.runner.child.messages import Status
from wfrun.runner.options import Limits, Tools
from wfrun.runner.run import reproduce
from wfrun.runner.run.outcomes import Attempt, CapturedOutput, Outcome, Outcomes, RunResult
from wfrun.runner.run.reproduce import Proof, Reproduction, find_reproductions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.unit.runner.conftest import Maker
    from wfrun.runner.plan.planned import PlannedCase

MESSAGE = "assert 12 == 13 at 0x7f00"
Tried = list[list[str]]


class Scripted:
    """In place of a worker: a case fails when ``fails`` says so of the names that ran before it."""

    fails: Callable[[list[str]], bool]
    tried: Tried

    def __init__(self, limits: Limits, stop: Any) -> None:
        self._ran: list[str] = []

    async def run_warm(self, cases: Sequence[PlannedCase], started: Any, deliver: Any) -> int:
        for case in cases:
            name = case.info.id.partition("::")[2]
            failed = name == "victim" and type(self).fails(self._ran)
            if name == "victim":
                self.tried.append(list(self._ran))
            self._ran.append(name)
            status = Status.FAILED if failed else Status.PASSED
            await deliver([Outcome(case, status, 0.0, "assert 99 == 13 at 0x1" if failed else "")])
        return len(cases)

    async def leave_suite(self) -> None: ...

    async def close(self) -> None: ...


@pytest.fixture
def session(make: Maker) -> RunResult:
    """Eight cases in one process, the last of which failed."""
    cases = [make.plain(name=f"case{number}").case for number in range(7)] + [make.plain(name="victim").case]
    outcomes = [Outcome(case, Status.PASSED, 0.001, process_cases=cases, place=n) for n, case in enumerate(cases)]
    outcomes[-1] = replace(outcomes[-1], status=Status.FAILED, message=MESSAGE)
    return RunResult(Outcomes(outcomes))


async def found(
    monkeypatch: pytest.MonkeyPatch,
    result: RunResult,
    fails: Callable[[list[str]], bool],
    limits: Limits | None = None,
) -> tuple[Reproduction, Tried]:
    tried: Tried = []
    worker = type("Worker", (Scripted,), {"fails": staticmethod(fails), "tried": tried})
    monkeypatch.setattr(reproduce, "CaseRunner", worker)
    monkeypatch.setattr(reproduce, "end_leftovers", lambda: 0)
    reproductions = await find_reproductions(result, limits or Limits(workers=1), lambda _: None)
    (reproduction,) = reproductions.values()
    return reproduction, tried


def names(reproduction: Reproduction) -> list[str]:
    return [case.info.id.partition("::")[2] for case in reproduction.before]


async def test_what_fails_alone_needs_no_others(monkeypatch: pytest.MonkeyPatch, session: RunResult) -> None:
    reproduction, tried = await found(monkeypatch, session, lambda ran: True)

    assert (reproduction.proof, names(reproduction)) == (Proof.CAME_BACK, [])
    assert tried == [[]]


async def test_the_one_case_that_causes_it_is_found(monkeypatch: pytest.MonkeyPatch, session: RunResult) -> None:
    reproduction, _ = await found(monkeypatch, session, lambda ran: "case2" in ran)

    assert (reproduction.proof, names(reproduction)) == (Proof.CAME_BACK, ["case2"])


async def test_two_cases_that_cause_it_together_stay_together(
    monkeypatch: pytest.MonkeyPatch, session: RunResult
) -> None:
    reproduction, _ = await found(monkeypatch, session, lambda ran: {"case1", "case5"} <= set(ran))

    assert reproduction.proof is Proof.CAME_BACK
    assert {"case1", "case5"} <= set(names(reproduction))


async def test_another_failure_is_not_this_one(monkeypatch: pytest.MonkeyPatch, session: RunResult) -> None:
    other = replace(session.outcomes[-1], message="KeyError: 'gone'")

    reproduction, _ = await found(monkeypatch, RunResult(Outcomes((*session.outcomes[:-1], other))), lambda ran: True)

    assert reproduction.proof is Proof.STAYED_AWAY


async def test_what_passes_again_in_every_way_stays_away(monkeypatch: pytest.MonkeyPatch, session: RunResult) -> None:
    reproduction, _ = await found(monkeypatch, session, lambda ran: False)

    assert reproduction.proof is Proof.STAYED_AWAY


async def test_what_fails_now_and_then_is_blamed_on_nobody(monkeypatch: pytest.MonkeyPatch, session: RunResult) -> None:
    turns = itertools.chain([False], itertools.repeat(True))

    reproduction, _ = await found(monkeypatch, session, lambda ran: next(turns))

    assert (reproduction.proof, names(reproduction)) == (Proof.STAYED_AWAY, [])


async def test_long_predecessors_are_not_run_again(monkeypatch: pytest.MonkeyPatch, session: RunResult) -> None:
    slow = replace(session.outcomes[0], duration_s=30.0)

    reproduction, tried = await found(monkeypatch, RunResult(Outcomes((slow, *session.outcomes[1:]))), bool)

    assert reproduction.proof is Proof.PASSED_ALONE
    assert len(names(reproduction)) == 7
    assert tried == [[]]


@pytest.mark.parametrize("status", [Status.TIMED_OUT])
async def test_a_time_out_is_not_tried(monkeypatch: pytest.MonkeyPatch, session: RunResult, status: Status) -> None:
    hung = replace(session.outcomes[-1], status=status)

    reproduction, tried = await found(
        monkeypatch, RunResult(Outcomes((*session.outcomes[:-1], hung))), lambda ran: True
    )

    assert (reproduction.proof, tried) == (Proof.UNTRIED, [])


@pytest.mark.parametrize("tools", [Tools(in_process=True), Tools(capture=False), Tools(profile=True)])
async def test_nothing_is_tried_where_that_would_be_in_the_way(
    monkeypatch: pytest.MonkeyPatch, session: RunResult, tools: Tools
) -> None:
    reproduction, tried = await found(monkeypatch, session, lambda ran: True, Limits(workers=1, tools=tools))

    assert (reproduction.proof, tried) == (Proof.UNTRIED, [])


async def test_nothing_is_tried_after_ctrl_c(monkeypatch: pytest.MonkeyPatch, session: RunResult) -> None:
    reproduction, tried = await found(monkeypatch, replace(session, interrupted=True), lambda ran: True)

    assert (reproduction.proof, tried) == (Proof.UNTRIED, [])


async def test_a_case_that_had_its_process_to_itself_ran_so(
    monkeypatch: pytest.MonkeyPatch, session: RunResult
) -> None:
    first = replace(session.outcomes[-1], process_cases=(), place=0)

    reproduction, tried = await found(monkeypatch, RunResult(Outcomes((first,))), lambda ran: True)

    assert (reproduction.proof, tried) == (Proof.RAN_SO, [])


async def test_retries_have_shown_that_it_fails_alone(monkeypatch: pytest.MonkeyPatch, session: RunResult) -> None:
    attempt = Attempt(Status.FAILED, 0.1, MESSAGE, "", CapturedOutput())
    retried = replace(session.outcomes[-1], attempts=(attempt,))

    reproduction, tried = await found(
        monkeypatch, RunResult(Outcomes((*session.outcomes[:-1], retried))), lambda ran: True
    )

    assert (reproduction.proof, tried) == (Proof.CAME_BACK, [])
