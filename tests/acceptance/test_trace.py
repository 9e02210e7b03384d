"""The file that ``--trace`` leaves, checked for what a viewer needs and for everything that happened."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.acceptance.conftest import environment

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

Event = dict[str, Any]

CASES: Final = """
from wfrun.concurrency import Channel, Pipeline, Stage, select

@suite.fixture
async def stock():
    await asyncio.sleep(0)
    yield ["tea"]
    await asyncio.sleep(0.002)

async def label(number):
    await asyncio.sleep(0.0005)
    return number

@suite.case()
async def ships(stock):
    pipeline = Pipeline(
        [Stage.map(label, workers=3), Stage.filter(lambda number: number % 2, name="odd"), Stage.batch(5)],
        capacity=4, name="shipping",
    )
    assert len(await pipeline.collect(range(40))) == 4

@suite.fixture(scope="suite")
async def clerk():
    async def work():
        while True:
            await asyncio.sleep(0.001)
    busy = asyncio.create_task(work(), name="clerk at work")
    yield busy
    busy.cancel()

@suite.case()
async def is_served(clerk): assert not clerk.done()

@suite.case()
async def is_served_again(clerk): assert not clerk.done()

@suite.case()
async def waits():
    full, empty = Channel(1, name="full"), Channel(1, name="empty")
    async def slow_reader():
        for _ in range(3):
            await asyncio.sleep(0.02)
            await full.receive()
        await empty.send("done")
    reader = asyncio.create_task(slow_reader(), name="the reader")
    for number in range(3):
        await full.send(number)
    await select(empty.receiving())
    await reader

@suite.case(virtual_time=True)
async def sleeps_virtually():
    await asyncio.sleep(3600)

@suite.case()
async def crashes():
    await asyncio.sleep(0.3)
    os._exit(7)
"""


@pytest.fixture(scope="module")
def traced(module_project: Project) -> tuple[Project, list[Event]]:
    module_project.write({"suites/suite_a.py": CASES})
    ran = module_project.run("--trace", "--workers", "1")
    assert "trace: .wfrun/trace/trace.json, to be opened at https://ui.perfetto.dev" in ran.out
    assert "1 crashed · 5 passed" in ran.out
    return module_project, module_project.json(".wfrun/trace/trace.json")["traceEvents"]


def spans(events: list[Event], category: str) -> list[Event]:
    return [event for event in events if event["ph"] == "X" and event["cat"] == category]


def names(events: list[Event], category: str) -> list[str]:
    return [event["name"] for event in spans(events, category)]


def test_every_event_has_what_a_viewer_needs_in_the_order_of_time(traced: tuple[Project, list[Event]]) -> None:
    _, events = traced

    timed = [event for event in events if event["ph"] != "M"]
    assert {event["ph"] for event in events} == {"M", "X", "C", "s", "f"}
    assert [event["ts"] for event in timed] == sorted(event["ts"] for event in timed)
    assert timed[0]["ts"] >= 0
    assert all(event["dur"] >= 0 for event in timed if event["ph"] == "X")
    assert all(event["args"] for event in timed if event["ph"] == "C")


def test_every_process_and_thread_has_a_name(traced: tuple[Project, list[Event]]) -> None:
    _, events = traced

    processes = {event["pid"] for event in events if event["name"] == "process_name"}
    threads = {(event["pid"], event["tid"]) for event in events if event["name"] == "thread_name"}
    assert {event["pid"] for event in events} <= processes
    assert {(event["pid"], event["tid"]) for event in events if event["ph"] == "X"} <= threads


def test_every_span_has_a_parent_that_is_there_and_lasts_longer(traced: tuple[Project, list[Event]]) -> None:
    _, events = traced

    by_id = {event["args"]["id"]: event for event in events if event["ph"] == "X"}
    orphans = [event for event in by_id.values() if event["args"].get("parent") not in by_id]
    assert [event["cat"] for event in orphans] == ["session"]
    for event in by_id.values():
        if event["cat"] != "session":
            parent = by_id[event["args"]["parent"]]
            assert parent["ts"] <= event["ts"] + 0.01
            if event["cat"] != "task":  # a task may outlive the one that made it
                assert event["ts"] + event["dur"] <= parent["ts"] + parent["dur"] + 0.01, (event, parent)


def test_spans_of_one_track_never_cross(traced: tuple[Project, list[Event]]) -> None:
    _, events = traced

    tracks: dict[tuple[int, int], list[Event]] = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            tracks[event["pid"], event["tid"]].append(event)
    for track in tracks.values():
        open_until: list[float] = []
        for event in track:
            while open_until and open_until[-1] <= event["ts"] + 0.01:
                open_until.pop()
            assert not open_until or event["ts"] + event["dur"] <= open_until[-1] + 0.01, event
            open_until.append(event["ts"] + event["dur"])


def test_suites_cases_fixtures_stages_and_tasks_are_all_there(traced: tuple[Project, list[Event]]) -> None:
    _, events = traced

    assert names(events, "session") == ["session"]
    assert names(events, "suite") == ["Things"]
    assert sorted(names(events, "case")) == sorted(
        [
            *("Ships", "Is served", "Is served again", "Waits", "Sleeps virtually", "Crashes"),
            *("Things · Ships", "Things · Is served", "Things · Is served again", "Things · Waits"),
            *("Things · Sleeps virtually", "Things · Crashes"),
        ]
    )
    assert sorted(names(events, "fixture")) == ["clerk", "stock"]
    assert names(events, "tear-down")[0] == "stock"
    assert sorted(names(events, "stage")) == ["batch(5)", "label", "odd"]
    assert {stage["name"]: stage["args"]["workers"] for stage in spans(events, "stage")}["label"] == 3
    assert {"the reader", "shipping: label/0", "shipping: label/2", "shipping: odd"} <= set(names(events, "task"))


def test_waits_at_channels_take_as_long_as_they_took(traced: tuple[Project, list[Event]]) -> None:
    _, events = traced

    waits = spans(events, "wait")
    sends = [wait for wait in waits if wait["name"] == "send: channel 'full'"]
    assert len(sends) == 2
    assert all(wait["dur"] > 10_000 for wait in sends)
    assert "select: several channels" in names(events, "wait")
    assert any(wait["name"].startswith("receive: channel 'shipping: label to odd'") for wait in waits)


def test_flows_lead_from_each_case_to_its_process_and_its_stages(traced: tuple[Project, list[Event]]) -> None:
    _, events = traced

    starts = {event["id"]: event for event in events if event["ph"] == "s"}
    ends = {event["id"]: event for event in events if event["ph"] == "f"}
    by_id = {event["args"]["id"]: event for event in events if event["ph"] == "X"}
    assert starts.keys() == ends.keys()
    assert sorted(by_id[end]["name"] for end in ends if by_id[end]["cat"] == "stage") == ["batch(5)", "label", "odd"]
    assert sum(by_id[end]["cat"] == "case" for end in ends) == 6
    for flow, end in ends.items():
        assert (end["pid"], end["tid"]) == (by_id[flow]["pid"], by_id[flow]["tid"])
        assert starts[flow]["ts"] <= end["ts"]


def test_counters_tell_memory_processor_lag_and_how_full_channels_are(traced: tuple[Project, list[Event]]) -> None:
    _, events = traced

    counters: dict[str, list[float]] = defaultdict(list)
    for event in events:
        if event["ph"] == "C":
            counters[event["name"].partition(" #")[0]] += event["args"].values()
    assert min(counters["memory"]) > 2**20
    assert {"processor", "loop lag"} <= counters.keys()
    assert max(counters["channel 'full'"]) == 1
    assert max(counters["channel 'shipping: label to odd'"]) >= 1


def test_what_a_crash_cut_short_is_marked(traced: tuple[Project, list[Event]]) -> None:
    _, events = traced

    cut = [event["name"] for event in events if event["ph"] == "X" and event["args"].get("unfinished")]
    assert sorted(cut) == ["Things · Crashes", "_live", "clerk.<locals>.work", "main task"]


def test_without_trace_channels_are_as_they_were_made(project: Project) -> None:
    project.write(
        {
            "suites/suite_a.py": "from wfrun.concurrency import Channel\n"
            "@suite.case()\ndef looks():\n"
            "    print('wrapped', [name for name in dir(Channel) if hasattr(getattr(Channel, name), '__wrapped__')])\n"
        }
    )

    plain, tracing = project.run("--verbose"), project.run("--trace", "--verbose")

    assert "'receive'" not in plain.out
    assert "'receive'" in tracing.out
    assert [path.name for path in (project.folder / ".wfrun" / "trace").iterdir()] == ["trace.json"]


@pytest.mark.parametrize("arguments", [("--in-process",), ("--debug",)])
def test_tools_go_together(project: Project, arguments: tuple[str, ...]) -> None:
    project.write({"suites/suite_a.py": CASES})

    ran = project.run("--trace", "-k", "ships", *arguments, env=environment(None))

    events = project.json(".wfrun/trace/trace.json")["traceEvents"]
    assert ran.code == 0
    assert sorted(names(events, "stage")) == ["batch(5)", "label", "odd"]


def test_a_trace_goes_into_the_folder_of_output_and_tells_repetitions_apart(project: Project) -> None:
    project.write({"suites/suite_a.py": CASES})

    ran = project.run("--trace", "-k", "ships", "--output", "out", "--repeat", "2")

    events = project.json("out/trace/trace.json")["traceEvents"]
    ids = [event["args"]["id"] for event in spans(events, "case")]
    assert "trace: out/trace/trace.json" in ran.out
    assert len(ids) == len(set(ids)) == 4
    assert names(events, "stage").count("label") == 2


def test_tracing_hides_no_deadlock(project: Project) -> None:
    project.write({"suites/suite_a.py": "@suite.case()\nasync def stuck(): await asyncio.Event().wait()\n"})

    ran = project.run("--trace")

    assert ran.code == 1
    assert "still running" not in ran.out
