"""From what processes wrote down to one trace in the Trace Event Format, which Perfetto and Chrome open.

Every span is a complete event (``X``) with an ``id`` and the id of its ``parent`` among its arguments; a span without
an end, as of a case that ended its process, ends with its process and is marked ``unfinished``. Counters are ``C``.
Flows (``s`` to ``f``) lead from a case in this process to the same in its own, and from there to its stages. Times are
microseconds since the session began.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from wfrun.authoring.info import CaseInfo

__all__ = ["Part", "PartSpan", "SessionTimes", "read_part", "trace_events"]

SESSION_TRACK: Final = 1
GIVEN_BY_ASYNCIO: Final = re.compile(r"Task-\d+")
"""A task's name that says less than what it runs."""


@dataclass(slots=True)
class PartSpan:
    """One span of one process."""

    id: int
    track: int
    began_ns: int
    name: str
    category: str
    parent: int | None
    facts: dict[str, Any]
    ended_ns: int | None = None


@dataclass(slots=True)
class Part:
    """What one process wrote."""

    pid: int
    spans: dict[int, PartSpan] = field(default_factory=dict)
    counters: list[tuple[int, str, dict[str, float]]] = field(default_factory=list)
    tracks: dict[int, str] = field(default_factory=dict)
    full: bool = False
    """Whether it had more to write than is kept."""

    @property
    def ended_ns(self) -> int:
        """When it was heard of last."""
        times = [at_ns for at_ns, _, _ in self.counters[-1:]]
        times += [span.ended_ns or span.began_ns for span in self.spans.values()]
        return max(times, default=0)


@dataclass(slots=True)
class _CaseTime:
    id: str
    key: str
    """Its id, told apart from other passes of this session over the same case."""
    suite: str
    title: str
    worker: int
    began_ns: int
    ended_ns: int | None = None
    status: str = ""


class SessionTimes:
    """When this process heard of what."""

    def __init__(self, pid: int, began_ns: int) -> None:
        self.pid = pid
        self.began_ns = began_ns
        self.ended_ns: int | None = None
        self.workers = 1
        self.cases: list[_CaseTime] = []

    def started(self, info: CaseInfo, worker: int, at_ns: int) -> None:
        """Take down that a worker began a case."""
        earlier = sum(case.id == info.id for case in self.cases)
        key = f"case {info.id}" + (f" #{earlier + 1}" if earlier else "")
        self.cases.append(_CaseTime(info.id, key, info.suite_title, info.title, worker, at_ns))

    def finished(self, case_id: str, status: str, at_ns: int) -> None:
        """Take down that a case has its outcome."""
        for case in reversed(self.cases):
            if case.id == case_id and case.ended_ns is None:
                case.ended_ns, case.status = at_ns, status


def read_part(file: Path) -> Part:
    """Return what the process whose id is the file's name wrote; a line cut short by its end is left out."""
    part = Part(int(file.stem))
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            kind, *values = json.loads(line)
        except ValueError:
            continue
        match kind:
            case "track":
                part.tracks[values[0]] = values[1]
            case "begin":
                number, track, began_ns, name, category, parent, facts = values
                part.spans[number] = PartSpan(number, track, began_ns, name, category, parent, facts)
            case "end" if values[0] in part.spans:
                span = part.spans[values[0]]
                span.ended_ns = values[1]
                span.facts |= values[2]
                if not GIVEN_BY_ASYNCIO.fullmatch(span.facts.get("task", "Task-0")):
                    span.name = span.facts["task"]
            case "note" if values[0] in part.spans:
                part.spans[values[0]].facts |= values[1]
            case "count":
                part.counters.append((values[0], values[1], values[2]))
            case "full":
                part.full = True
    return part


def trace_events(session: SessionTimes, parts: Sequence[Part]) -> list[dict[str, Any]]:
    """Return the events in the order of their times, what names processes and threads first."""
    _set_right(session, parts)
    events = [*_of_session(session), *_of_flows(session, parts)]
    for part in parts:
        events += _of_part(part)
    for event in events:
        event["ts"] = (event["ts"] - session.began_ns) / 1000
    # Of what begins together the longer is around the other.
    events.sort(key=lambda event: (event["ts"], -event.get("dur", 0.0)))
    return [*_names(session, parts), *events]


def _set_right(session: SessionTimes, parts: Sequence[Part]) -> None:
    """Give cases the times their own processes knew: this one hears of them later."""
    known: dict[str, list[PartSpan]] = {}
    for part in parts:
        for span in part.spans.values():
            if span.category == "case":
                known.setdefault(span.facts["case"], []).append(span)
    last_ns = session.ended_ns or max((part.ended_ns for part in parts), default=session.began_ns)
    for spans in known.values():
        spans.sort(key=lambda span: -span.began_ns)
    for case in session.cases:
        spans = known.get(case.id, [])
        if spans:
            span = spans.pop()
            span.facts["of"] = case.key
            case.began_ns = span.began_ns
            case.ended_ns = span.ended_ns or case.ended_ns
        case.ended_ns = case.ended_ns or last_ns
    ends_ns = [*(case.ended_ns or 0 for case in session.cases), *(part.ended_ns for part in parts)]
    session.ended_ns = max([last_ns, *ends_ns])


def _of_session(session: SessionTimes) -> Iterator[dict[str, Any]]:
    """Yield the session, and on a track for each worker its suites and in them their cases."""
    whole_ns = (session.began_ns, session.ended_ns or session.began_ns)
    yield _span(session.pid, SESSION_TRACK, "session", "session", whole_ns, {"id": "session"})
    ordered = sorted(session.cases, key=lambda case: (case.worker, case.began_ns))
    for number, ((worker, suite), together) in enumerate(groupby(ordered, lambda case: (case.worker, case.suite)), 1):
        cases = list(together)
        track, suite_id = SESSION_TRACK + 1 + worker, f"suite-{number}"
        times_ns = (cases[0].began_ns, max(case.ended_ns or case.began_ns for case in cases))
        yield _span(session.pid, track, suite, "suite", times_ns, {"id": suite_id, "parent": "session"})
        for case in cases:
            facts = {"id": case.key, "parent": suite_id, "status": case.status}
            times_ns = (case.began_ns, case.ended_ns or case.began_ns)
            yield _span(session.pid, track, case.title, "case", times_ns, facts)


def _of_part(part: Part) -> Iterator[dict[str, Any]]:
    ended_ns = part.ended_ns
    for span in part.spans.values():
        parent = f"{part.pid}-{span.parent}" if span.parent else span.facts.get("of", "session")
        facts = {**span.facts, "id": f"{part.pid}-{span.id}", "parent": parent}
        facts.pop("of", None)
        if span.ended_ns is None:
            facts["unfinished"] = True
        times_ns = (span.began_ns, span.ended_ns or ended_ns)
        yield _span(part.pid, span.track, span.name, span.category, times_ns, facts)
    for at_ns, name, values in part.counters:
        yield {"ph": "C", "pid": part.pid, "tid": 0, "ts": at_ns, "name": name, "cat": "counter", "args": values}


def _of_flows(session: SessionTimes, parts: Sequence[Part]) -> Iterator[dict[str, Any]]:
    """Yield an arrow from each case here to its process, and from there to each of its stages."""
    tracks = {case.key: SESSION_TRACK + 1 + case.worker for case in session.cases}
    for part in parts:
        for span in part.spans.values():
            if span.category == "case" and "of" in span.facts:
                start = (session.pid, tracks[span.facts["of"]])
                yield from _flow("case", f"{part.pid}-{span.id}", span.began_ns, start, (part.pid, span.track))
            elif span.category == "stage" and (above := _case_of(span, part)) is not None:
                start = (part.pid, above.track)
                yield from _flow("stage", f"{part.pid}-{span.id}", span.began_ns, start, (part.pid, span.track))


def _case_of(span: PartSpan, part: Part) -> PartSpan | None:
    above: PartSpan | None = span
    while above is not None and above.category != "case":
        above = part.spans.get(above.parent or 0)
    return above


def _flow(
    name: str, flow_id: str, at_ns: int, start: tuple[int, int], end: tuple[int, int]
) -> Iterable[dict[str, Any]]:
    common = {"name": name, "cat": "flow", "id": flow_id, "ts": at_ns}
    yield {**common, "ph": "s", "pid": start[0], "tid": start[1]}
    yield {**common, "ph": "f", "bp": "e", "pid": end[0], "tid": end[1]}


def _span(  # noqa: PLR0917 - in the order of the format
    pid: int, tid: int, name: str, category: str, times_ns: tuple[int, int], facts: dict[str, Any]
) -> dict[str, Any]:
    duration_us = max(0, times_ns[1] - times_ns[0]) / 1000
    return {
        "ph": "X",
        "pid": pid,
        "tid": tid,
        "ts": times_ns[0],
        "dur": duration_us,
        "name": name,
        "cat": category,
        "args": facts,
    }


def _names(session: SessionTimes, parts: Sequence[Part]) -> Iterator[dict[str, Any]]:
    yield _name("process_name", session.pid, 0, "wfrun")
    yield _name("thread_name", session.pid, SESSION_TRACK, "session")
    for worker in range(session.workers):
        yield _name("thread_name", session.pid, SESSION_TRACK + 1 + worker, f"worker {worker + 1}")
    for part in parts:
        if part.pid != session.pid:
            yield _name("process_name", part.pid, 0, f"cases, process {part.pid}")
        for track, name in part.tracks.items():
            yield _name("thread_name", part.pid, track, name)


def _name(kind: str, pid: int, tid: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "pid": pid, "tid": tid, "ts": 0, "name": kind, "args": {"name": name}}
