"""Figures of a case's own are measured, kept and compared like those of wfrun."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

pytestmark = pytest.mark.alone

SUITE: Final = """
@suite.benchmark()
async def queues(context):
    with open("depth") as file:
        depth = int(file.read())
    context.metric("queue_depth", depth, unit="jobs", threshold_percent=10)
    context.metric("hits", 2 * depth, better="higher", threshold_percent=None)
    await asyncio.sleep(0.01)

@suite.case()
def checked(context):
    context.metric("answers", 3)
"""


def test_a_metric_that_got_worse_fails_the_comparison(project: Project) -> None:
    project.write({"suites/suite_queues.py": SUITE, "depth": "3"})
    recorded = project.run("--performance", "--baseline", "main")
    project.write({"depth": "6"})

    compared = project.run("--performance", "--compare", "main", "--json", "record.json")

    assert recorded.code == 0
    assert compared.code == 3
    metrics = project.json("record.json")["outcomes"][0]["measurements"]["metrics"]
    depth = metrics["queue_depth"]
    assert (depth["unit"], depth["better"], depth["threshold_percent"], depth["p50"]) == ("jobs", "lower", 10.0, 6.0)
    row = next(line.split() for line in compared.out.splitlines() if line.split()[:1] == ["queue_depth"])
    assert row[1:5] == ["3.00", "jobs", "6.00", "jobs"]
    assert row[-1] == "regressed"
    assert "queue_depth  6.00 jobs" in compared.out


def test_where_nothing_is_measured_it_is_a_note(project: Project) -> None:
    project.write({"suites/suite_queues.py": SUITE})

    ran = project.run("--verbose")

    assert ran.code == 0
    assert "answers: 3.0" in ran.out


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("context.metric('wall_time_ns', 1)", "the metric 'wall_time_ns' is wfrun's own; call yours otherwise"),
        ("context.metric('Queue depth', 1)", "'Queue depth' cannot be the name of a metric"),
        ("context.metric('depth', float('nan'))", "the metric 'depth' is nan, which is no number to compare"),
        ("context.metric('depth', 1, better='more')", "is better when it is 'lower' or 'higher', not 'more'"),
        ("context.metric('a', 1); context.metric('a', 1, unit='s')", "the metric 'a' was declared otherwise before"),
    ],
)
def test_what_cannot_be_compared_is_refused(project: Project, call: str, message: str) -> None:
    project.write({"suites/suite_wrong.py": f"@suite.case()\ndef case(context): {call}\n"})

    ran = project.run()

    assert ran.code == 1
    assert message in ran.out
