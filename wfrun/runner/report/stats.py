"""What ``--stats`` tells: where the time of a session went."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from rich.text import Text

from wfrun.runner.child.messages import Status
from wfrun.runner.report.text import case_name
from wfrun.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from wfrun.runner.report.story import SessionStory
    from wfrun.runner.run.outcomes import Outcome

__all__ = ["stats_lines"]

SLOWEST: Final = 10
BAR_WIDTH: Final = 30
EDGES_S: Final = (0.001, 0.01, 0.1, 1.0, 10.0, 60.0)
"""Between the bars of the distribution."""
PERCENTS: Final = (50, 90, 99)


def stats_lines(story: SessionStory) -> Iterator[Text]:
    """Return the time of each stage, the slowest cases, and how the durations of all that ran are distributed."""
    yield Text("Where the time went", "bold")
    yield from _stages(story.stages_s)
    ran = [outcome for outcome in story.result.outcomes if outcome.status not in {Status.NOT_RUN, Status.SKIPPED}]
    if not ran:
        return
    ran.sort(key=lambda outcome: -outcome.duration_s)
    yield Text()
    yield Text("The slowest cases" if len(ran) > 1 else "The case", "bold")
    yield from _slowest(ran)
    yield Text()
    yield Text("How long cases took", "bold")
    yield from _distribution([outcome.duration_s for outcome in ran])


def _stages(stages_s: Mapping[str, float]) -> Iterator[Text]:
    total_s = sum(stages_s.values())
    width = max(map(len, stages_s), default=0)
    for stage, spent_s in stages_s.items():
        share = spent_s / total_s if total_s else 0.0
        yield Text.assemble(f"  {stage:<{width}}  {format_duration(spent_s):>9}  {share:4.0%}  ", (_bar(share), "cyan"))


def _slowest(ran: Sequence[Outcome]) -> Iterator[Text]:
    total_s = sum(outcome.duration_s for outcome in ran)
    for outcome in ran[:SLOWEST]:
        share = outcome.duration_s / total_s if total_s else 0.0
        yield Text(f"  {format_duration(outcome.duration_s):>9}  {share:4.0%}  {case_name(outcome.case.info)}")
    if len(ran) > SLOWEST:
        rest_s = sum(outcome.duration_s for outcome in ran[SLOWEST:])
        share = rest_s / total_s if total_s else 0.0
        yield Text(f"  {format_duration(rest_s):>9}  {share:4.0%}  the other {len(ran) - SLOWEST:,} together", "dim")


def _distribution(slowest_first: Sequence[float]) -> Iterator[Text]:
    bounds = [0.0, *EDGES_S, math.inf]
    counts = [sum(low <= took_s < high for took_s in slowest_first) for low, high in pairwise(bounds)]
    filled = [index for index, count in enumerate(counts) if count]
    most = max(counts)
    for index in range(filled[0], filled[-1] + 1):
        name = f"< {_edge(bounds[index + 1])}" if index < len(EDGES_S) else f"≥ {_edge(EDGES_S[-1])}"
        yield Text.assemble(f"  {name:<9} {counts[index]:>7,}  ", (_bar(counts[index] / most), "cyan"))
    ranked = ", ".join(f"p{percent} {format_duration(_percentile(slowest_first, percent))}" for percent in PERCENTS)
    yield Text(f"  {ranked}, longest {format_duration(slowest_first[0])}", "dim")


def _edge(seconds: float) -> str:
    return f"{seconds:g} s" if seconds >= 1 else f"{seconds * 1000:g} ms"


def _percentile(slowest_first: Sequence[float], percent: int) -> float:
    """Return the smallest duration that so many per cent of the cases did not exceed."""
    rank = math.ceil(len(slowest_first) * percent / 100)
    return slowest_first[len(slowest_first) - rank]


def _bar(share: float) -> str:
    return "█" * math.ceil(share * BAR_WIDTH)
