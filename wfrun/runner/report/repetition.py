"""What repeating cases showed: which failed how often, and how often they may still fail."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.text import Text

from wfrun.runner.child.messages import Status
from wfrun.runner.report.text import case_name, plural
from wfrun.stats.binomial import CONFIDENCE, failure_rate_bound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wfrun.authoring.info import CaseInfo
    from wfrun.runner.run.outcomes import RunResult

__all__ = ["Turns", "repetition_lines", "turns_of_cases"]

SHOWN: Final = 20
"""Failing cases named at most."""


@dataclass(frozen=True, slots=True)
class Turns:
    """How the turns of one case ended; those that were skipped or never ran do not count."""

    info: CaseInfo
    tries: int
    failures: int
    """Failed turns, and flaky ones: passing at the second attempt is failing at the first."""

    @property
    def bound(self) -> float:
        """The failure rate that can be ruled out with 95 % confidence."""
        return failure_rate_bound(self.failures, self.tries)


def turns_of_cases(result: RunResult) -> list[Turns]:
    """Return how often each repeated case ran and failed, those that fail most first; empty without repetition."""
    if not any(case.turn for case in result.outcomes.cases()):
        return []
    infos: dict[str, CaseInfo] = {}
    tries, failures = Counter(result.green), Counter[str]()
    for outcome in result.outcomes:
        info = outcome.case.info
        if not outcome.case.turn:
            continue
        infos[info.id] = info
        if outcome.status.bad or outcome.flaky or outcome.status is Status.PASSED:
            tries[info.id] += 1
            failures[info.id] += outcome.status is not Status.PASSED
    turns = [Turns(info, tries[case_id], failures[case_id]) for case_id, info in infos.items() if tries[case_id]]
    return sorted(turns, key=lambda each: -each.failures / each.tries)


def repetition_lines(result: RunResult) -> Iterable[Text]:
    """Return what the rounds showed, in words; nothing where no case was repeated."""
    turns = turns_of_cases(result)
    if not turns:
        return
    failed = [each for each in turns if each.failures]
    heading = f"{plural(result.rounds, 'round')}: "
    if not failed:
        fewest = min(each.tries for each in turns)
        heading += (
            f"{plural(len(turns), 'case')}, none failed; a case that fails in more than "
            f"{_percent(failure_rate_bound(0, fewest))} of its turns would have shown, {CONFIDENCE * 100:.0f} % sure"
        )
        yield Text(heading, "green")
        return
    yield Text(f"{heading}{len(failed)} of {plural(len(turns), 'case')} failed", "bold red")
    for each in failed[:SHOWN]:
        rate = _percent(each.failures / each.tries)
        yield Text(
            f"  {case_name(each.info)}: {each.failures} of {plural(each.tries, 'turn')}, {rate}; "
            f"at most {_percent(each.bound)}, {CONFIDENCE * 100:.0f} % sure"
        )
    if len(failed) > SHOWN:
        yield Text(f"  and {plural(len(failed) - SHOWN, 'case')} more", "dim")


def _percent(rate: float) -> str:
    return f"{rate * 100:.2g} %" if rate < 0.995 else "100 %"
