"""Drawings say what the figures say, in few bytes."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from wfrun.measure.histogram import Histogram
from wfrun.runner.compare.verdicts import LatencyCompared
from wfrun.runner.report.page.charts import distribution, latency_curves, over_repetitions, over_sessions
from wfrun.runner.report.page.drawing import INTERVAL_WIDTH, extent_of, interval, strip
from wfrun.runner.report.page.waits import wait_drawing


def outline(drawn: str) -> list[tuple[int, int]]:
    """The points of the last outline in a drawing."""
    path = re.findall(r" d=(M\S+z) ", drawn)[-1]
    x, y = (int(part) for part in re.match(r"M(\d+),(\d+)", path).groups())  # type: ignore[union-attr]
    points = [(x, y)]
    for horizontal, dx, dy in re.findall(r"h(\d+)|[l,](\d+),?(-?\d+)", path.split(",", 1)[1]):
        x, y = x + int(horizontal or dx), y + int(dy or 0)
        points.append((x, y))
    return points


def pairs(*values: int) -> tuple[tuple[int, int], ...]:
    histogram = Histogram()
    histogram.record_all(values)
    return tuple(histogram.to_pairs())


def test_few_samples_are_points_and_many_an_outline() -> None:
    assert strip([], [[1.0, 2.0], [3.0]]).count("h0") == 3
    assert "z />" in strip([], [[float(value) for value in range(50)]] * 8)


def test_an_outline_is_highest_where_most_samples_are() -> None:
    drawn = strip([], [[1.0] * 10 + [5.0] * 300 + [9.0] * 10])

    points = outline(drawn)
    top = min(points, key=lambda point: point[1])
    assert 50 <= top[0] <= 70
    assert all(0 <= x <= 120 and 0 <= y <= 28 for x, y in points)
    assert points[0][1] == points[-1][1]


def test_two_heaps_are_two_heaps() -> None:
    """A case that is fast or slow by turns must not look like one that is in between."""
    heights = [14 - y for _, y in outline(strip([], [[1.0] * 200 + [9.0] * 200]))]

    assert sum(a < b for a, b in pairwise(heights)) >= 2
    assert min(heights[3:-3]) == 0


def test_now_lies_above_then() -> None:
    drawn = strip([[1.0, 2.0]], [[3.0, 4.0]])

    old, new = re.findall(r"<path class=(\w+) d=M\d+,(\d+)", drawn)
    assert (old[0], new[0]) == ("op", "np")
    assert int(new[1]) < int(old[1])


@pytest.mark.parametrize("processes", [[], [[]], [[5.0, 5.0], [5.0]]])
def test_nothing_is_drawn_where_there_is_nothing_to_see(processes: list[list[float]]) -> None:
    assert strip(processes, processes) == ""
    assert distribution("time", "ns", processes, processes) == ""
    assert over_repetitions("time", "ns", processes) == ""


def test_a_sample_far_out_does_not_press_the_others_together() -> None:
    extent = extent_of([[1.0 + at / 1000 for at in range(200)] + [1000.0]])

    assert extent is not None
    assert extent[1] < 2.0


def test_an_interval_lies_where_its_ends_are_and_points_beyond_the_edge() -> None:
    half = INTERVAL_WIDTH // 2

    assert f"M{half},10H" in interval(0.0, 0.5, 1.0, 20)
    assert "l5,5l-5,5" in interval(1.5, 2.0, 3.0, 20)
    assert "l-5,5l5,5" in interval(-3.0, -2.0, -1.5, 20)


def test_latencies_rise_with_the_percentile_and_both_sides_are_drawn() -> None:
    drawn = latency_curves(LatencyCompared(pairs(*range(1, 1000)), pairs(*range(1, 5000, 5))))

    lines = re.findall(r"<path class=(\w)l d=M(\S+) />", drawn)
    assert [name for name, _ in lines] == ["o", "n"]
    for _, path in lines:
        heights = [int(point.split(",")[1]) for point in path.split("L")]
        assert heights == sorted(heights, reverse=True)
        assert len(heights) > 5


def test_no_latencies_no_curve() -> None:
    assert latency_curves(LatencyCompared()) == ""


def test_a_long_series_is_thinned() -> None:
    drawn = over_repetitions("memory", "B", [[float(at) for at in range(10_000)]] * 8)

    assert len(drawn) < 5000
    assert drawn.count("class=thinl") == 8


def test_sessions_stand_in_their_order_with_their_changes() -> None:
    drawn = over_sessions("wall time", "ns", [1e6, 1e6, 2e6], ["May 1", "May 2", "<3>"], changes=(2, 9))

    assert drawn.count("class=change") == 1
    assert "&lt;3&gt;" in drawn
    assert over_sessions("wall time", "ns", [1e6], ["May 1"]) == ""


GRAPH = {
    "tasks": [
        {"name": "the case", "places": ["/a/b.py:3 in main"], "kind": "gather", "state": "2 tasks", "waits_for": ["a"]},
        {"name": "a", "places": [], "kind": "Lock", "state": "Lock, held by b", "waits_for": ["b"]},
        {"name": "b", "places": [], "kind": "Lock", "state": "<Lock>, held by a", "waits_for": ["a"]},
    ],
    "circle": ["a", "b"],
    "left_out": 3,
}


def test_each_task_is_a_box_each_wait_an_arrow_and_the_circle_stands_first() -> None:
    drawn = wait_drawing(GRAPH)

    assert re.findall(r'class="b">(.*?)<', drawn) == ["a", "b", "the case"]
    assert drawn.count('class="box stuck"') == 2
    assert drawn.count('class="wait stuck"') == 2
    assert drawn.count('class="wait"') == 1
    assert "&lt;Lock&gt;" in drawn
    assert "3 more are not drawn" in drawn


@pytest.mark.parametrize("graph", [None, "text", {}, {"tasks": "none"}, {"tasks": []}, {"tasks": [3]}])
def test_what_is_no_graph_is_not_drawn(graph: object) -> None:
    """A case may call a note of its own ``waits``."""
    assert wait_drawing(graph) == ""
