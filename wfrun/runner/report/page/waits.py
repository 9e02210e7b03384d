"""Who waited for whom when a case was stopped, as a drawing: a box for each task, an arrow for each wait."""

from __future__ import annotations

import textwrap
from html import escape
from typing import TYPE_CHECKING, Any, Final

from wfrun.runner.report.text import one_line, plural, shown_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["wait_drawing"]

BOX: Final = 264
LINE: Final = 16
GAP: Final = 14
PADDING: Final = 8
CHARACTERS: Final = 42
"""That fit on a line of a box."""
MOST_LINES: Final = 3
MOST_TASKS: Final = 20
_LANE: Final = 14


def wait_drawing(graph: object) -> str:
    """Return the graph that ``notes["waits"]`` holds as a drawing; empty where that is none.

    Tasks of a circle stand together and first, so that its arrows are short.
    """
    if not isinstance(graph, dict) or not isinstance(graph.get("tasks"), list):
        return ""
    circle = [str(name) for name in graph.get("circle") or ()]
    tasks = [task for task in graph["tasks"] if isinstance(task, dict) and "name" in task]
    tasks.sort(key=lambda task: circle.index(task["name"]) if task["name"] in circle else len(circle))
    tasks, left_out = tasks[:MOST_TASKS], int(graph.get("left_out") or 0) + max(0, len(tasks) - MOST_TASKS)
    if not tasks:
        return ""
    boxes, top, middles = [], 2, {}
    for task in tasks:
        lines = _lines(task)
        height = 2 * PADDING + LINE * len(lines)
        middles[str(task["name"])] = top + height // 2
        boxes.append(_box(lines, top, height, stuck=task["name"] in circle))
        top += height + GAP
    arrows, lanes = _arrows(tasks, middles, circle)
    width = BOX + 16 + _LANE * max(lanes, 1)
    told = f"{plural(len(tasks), 'task')} waiting" + (f", {len(circle)} of them in a circle" if circle else "")
    more = f"; {left_out} more are not drawn" if left_out else ""
    return (
        f'<figure class="waits"><svg width={width} height={top} viewBox="0 0 {width} {top}" role=img '
        f'aria-label="{told}{more}">{"".join(boxes)}{"".join(arrows)}</svg>'
        f"<figcaption>who waits for whom: {told}{more}</figcaption></figure>"
    )


def _lines(task: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the lines of a box, each with its class."""
    waits = textwrap.wrap(f"waits for {one_line(str(task.get('state', '')))}", CHARACTERS, max_lines=MOST_LINES)
    places = [one_line(str(place)) for place in task.get("places") or ()]
    # The innermost place tells most, and of a path its end.
    where = [("dim", _end(places[-1]))] if places else []
    name = textwrap.shorten(one_line(str(task["name"])), CHARACTERS - 4, placeholder="…")
    return [("b", name), *(("", line) for line in waits), *where]


def _end(place: str) -> str:
    file, colon, rest = place.rpartition(":")
    shown = f"{shown_path(file)}{colon}{rest}"
    return shown if len(shown) <= CHARACTERS else "…" + shown[-CHARACTERS + 1 :]


def _box(lines: Sequence[tuple[str, str]], top: int, height: int, *, stuck: bool) -> str:
    told = "".join(
        f'<text x=10 y={top + PADDING + LINE * at + 12} class="{name}">{escape(line)}</text>'
        for at, (name, line) in enumerate(lines)
    )
    return f'<rect class="box{" stuck" if stuck else ""}" x=1 y={top} width={BOX} height={height} rx=6 />{told}'


def _arrows(
    tasks: Sequence[Mapping[str, Any]], middles: Mapping[str, int], circle: Sequence[str]
) -> tuple[list[str], int]:
    """Return the arrows, each in a lane of its own beside the boxes, and how many lanes there are."""
    waits = [
        (str(task["name"]), str(other))
        for task in tasks
        for other in task.get("waits_for") or ()
        if str(other) in middles
    ]
    # The longest arrow is outermost: then none crosses more than it must.
    waits.sort(key=lambda pair: abs(middles[pair[0]] - middles[pair[1]]))
    arrows = []
    for lane, (name, other) in enumerate(waits):
        start, end = middles[name] - 5, middles[other] + 5
        right = BOX + 16 + _LANE * lane
        stuck = name in circle and other == circle[(circle.index(name) + 1) % len(circle)]
        bend = min(8, abs(end - start) // 2)
        turn = bend if end >= start else -bend
        arrows.append(
            f'<path class="wait{" stuck" if stuck else ""}" d="M{BOX + 1},{start}H{right - bend}q{bend},0,{bend},{turn}'
            f'V{end - turn}q0,{turn},{-bend},{turn}H{BOX + 8}"/>'
            f'<path class="tip{" stuck" if stuck else ""}" d="M{BOX + 2},{end}l8,-4v8z"/>'
        )
    # Those of the circle lie above the others.
    return sorted(arrows, key=lambda arrow: "stuck" in arrow), len(waits)
