"""``wfrun history``: nights added by the real command, shown, and checked against each other."""

from __future__ import annotations

import copy
import json
import random
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.conftest import WFRUN, environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.acceptance.conftest import Project

FILE = ".wfrun-history.jsonl"
FIRST_NIGHT = datetime(2026, 1, 1, 3, tzinfo=UTC)
WALL = "wall_time_ns"
MEASURED = "@suite.benchmark('Sums')\ndef sums(): sum(range(300))\n@suite.case()\ndef checked(): pass\n"


@pytest.fixture(scope="module")
def measured(module_project: Project) -> dict[str, Any]:
    """What a real session recorded."""
    module_project.write({"suites/suite_a.py": MEASURED})
    ran = module_project.run("--performance", "--json", "night.json", "-q")
    assert ran.code == 0, ran.text
    record: dict[str, Any] = module_project.json("night.json")
    return record


def night_record(
    measured: dict[str, Any], night: int, factor: float = 1.0, *, seed: int = 0, cpu: str = "One CPU", sha: str = ""
) -> dict[str, Any]:
    """The session as it would have been in another night, and so many times as slow."""
    record = copy.deepcopy(measured)
    record["created"] = (FIRST_NIGHT + timedelta(days=night, minutes=seed)).isoformat()
    record["seed"] = seed
    record["fingerprint"]["cpu_model"] = cpu
    record["source"] = {"sha": sha or f"{night:07x}" + "c" * 33, "branch": "main", "dirty": False, "diff_hash": None}
    (outcome,) = (outcome for outcome in record["outcomes"] if outcome["measured"])
    metrics = outcome["measurements"]["metrics"]
    outcome["measurements"]["metrics"] = {WALL: metrics[WALL]}
    metrics[WALL]["floor"] = 1e6 * factor
    metrics[WALL]["interval"] = [0.99e6 * factor, 1.01e6 * factor]
    return record


def add(project: Project, record: dict[str, Any], *more: dict[str, Any]) -> str:
    names = []
    for number, each in enumerate((record, *more)):
        names.append(f"record-{number}.json")
        project.write({names[-1]: json.dumps(each)})
    ran = project.run("history", "add", *names)
    assert ran.code == 0, ran.text
    return ran.out


def keep_nights(project: Project, measured: dict[str, Any], factors: Sequence[float], cpu: str = "One CPU") -> None:
    """Nights with about these figures: the line that the command wrote for the first, repeated with other figures."""
    before = project.read(FILE)
    add(project, night_record(measured, 0, cpu=cpu))
    line = json.loads(project.read(FILE).splitlines()[-1])
    chance = random.Random(3)
    lines = [before]
    for night, factor in enumerate(factors):
        made = copy.deepcopy(line)
        made["created"] = made["sessions"][0]["created"] = (FIRST_NIGHT + timedelta(days=night)).isoformat()
        made["source"]["sha"] = f"{night:07x}" + "c" * 33
        (case,) = made["cases"].values()
        value = 1e6 * factor * (1 + chance.gauss(0, 0.004))
        case["metrics"][WALL] |= {"floor": value, "interval": [value * 0.99, value * 1.01], "floors": [value]}
        lines.append(json.dumps(made) + "\n")
    project.write({FILE: "".join(lines)})


def test_the_last_session_is_added_without_being_named(project: Project) -> None:
    project.write({"suites/suite_a.py": MEASURED})
    project.run("--performance", "-q")

    added = project.run("history", "add")

    assert added.code == 0, added.text
    assert f"{FILE}: added the night of" in added.out
    assert "(1 case, 1 session); 1 night of this machine" in added.out
    (line,) = project.read(FILE).splitlines()
    assert list(json.loads(line)["cases"]) == ["a::sums"]
    assert project.run("history", "check").code == 0


def test_sessions_that_end_at_once_all_have_their_line(project: Project, measured: dict[str, Any]) -> None:
    for number in range(8):
        project.write({f"{number}.json": json.dumps(night_record(measured, number))})

    writers = [
        subprocess.Popen([WFRUN, "history", "add", f"{number}.json"], cwd=project.folder, env=environment(None))
        for number in range(8)
    ]

    assert [writer.wait(40) for writer in writers] == [0] * 8
    lines = [json.loads(line) for line in project.read(FILE).splitlines()]
    assert sorted(line["source"]["sha"][:7] for line in lines) == [f"{number:07x}" for number in range(8)]


def test_a_step_ends_with_3_and_names_the_nights_and_the_commits(project: Project, measured: dict[str, Any]) -> None:
    keep_nights(project, measured, [1.0] * 30)
    assert project.run("history", "check").code == 0
    codes = []
    for night in (30, 31):
        add(project, night_record(measured, night, 1.05))
        checked = project.run("history", "check")
        codes.append(checked.code)
        if checked.code:
            break

    assert codes[-1] == 3
    assert "WORSE  Things · Sums, wall_time_ns" in checked.out
    assert "→ 1.05 ms  +5." in checked.out
    assert f"since the night of 2026-01-31, between commits {29:07x}ccc and {30:07x}ccc" in checked.out


def test_a_step_is_told_once_and_the_anchor_remembers_it(project: Project, measured: dict[str, Any]) -> None:
    keep_nights(project, measured, [1.0] * 30 + [1.06] * 8)

    checked = project.run("history", "check")

    assert checked.code == 0
    assert "1 metric within the band" in checked.out
    assert "told before: Things · Sums, wall_time_ns is +5.7 % from its anchor" in checked.out
    assert "at this level since the night of 2026-01-31" in checked.out
    assert project.run("history", "check", "--nights", "8").code == 3

    accepted = project.run("history", "anchor", "--reason", "checks every order now")

    assert accepted.code == 0
    assert "told before" not in project.run("history", "check").out
    assert json.loads(project.read(FILE).splitlines()[-1])["reason"] == "checks every order now"


def test_what_creeps_is_told(project: Project, measured: dict[str, Any]) -> None:
    keep_nights(project, measured, [1.0007 ** max(0, night - 15) for night in range(120)])

    checked = project.run("history", "check", "--nights", "105")

    assert checked.code == 3
    assert project.run("history", "check", "--nights", "105", "--fail-on", "nothing").code == 0


@pytest.mark.parametrize(
    ("fail_on", "code"), [("step", 0), ("improved", 3), ("creep,improved", 3), ("nothing", 0), ("stpe", 2)]
)
def test_the_user_says_what_fails(project: Project, measured: dict[str, Any], fail_on: str, code: int) -> None:
    keep_nights(project, measured, [1.0] * 30 + [0.8])

    checked = project.run("history", "check", "--fail-on", fail_on)

    assert checked.code == code
    assert ("better  Things · Sums" in checked.out) == (code != 2)


def test_too_few_nights_are_said_and_fail_nothing(project: Project, measured: dict[str, Any]) -> None:
    keep_nights(project, measured, [1.0, 1.0, 3.0])

    checked = project.run("history", "check")

    assert checked.code == 0
    assert "not enough nights yet (3 of 11)" in checked.out
    report = json.loads(project.run("history", "check", "--json").out)
    assert (report["enough"], report["nights"], report["nights_needed"]) == (False, 3, 11)


def test_a_line_that_cannot_be_read_is_named_skipped_and_kept(project: Project, measured: dict[str, Any]) -> None:
    keep_nights(project, measured, [1.0] * 12)
    lines = project.read(FILE).splitlines(keepends=True)
    newer = lines[5].replace('"schema_version": 1', '"schema_version": 9')
    broken = [*lines[:2], "<<<<<<< ours\n", *lines[2:5], newer, *lines[6:], lines[0][:300]]
    project.write({FILE: "".join(broken)})

    added = add(project, night_record(measured, 13))
    checked = project.run("history", "check")

    assert checked.code == 0
    assert f"! {FILE}, line 3 is skipped and kept: cut short, or not JSON" in checked.out
    assert f"! {FILE}, line 7 is skipped and kept: written by a newer wfrun (schema 9" in checked.out
    assert f"! {FILE}, line 14 is skipped and kept: cut short" in checked.out
    assert "12 nights of this machine" in added
    kept = project.read(FILE)
    assert kept.startswith("".join(broken) + "\n")
    assert len(kept.splitlines()) == 15


def test_nights_of_another_machine_are_a_series_of_their_own(project: Project, measured: dict[str, Any]) -> None:
    keep_nights(project, measured, [1.0] * 20)
    keep_nights(project, measured, [1.5] * 5, cpu="Another CPU")
    add(project, night_record(measured, 40, 1.5, cpu="Another CPU"))

    checked = project.run("history", "check")

    assert checked.code == 0
    assert "not enough nights yet (6 of 11)" in checked.out
    assert "6 nights of machine" in checked.out
    assert "20 nights of other machines" in checked.out
    first = json.loads(project.read(FILE).splitlines()[0])["machine"]
    other = project.run("history", "check", "--machine", first[:6])
    assert "1 metric within the band" in other.out
    assert project.run("history", "check", "--machine", "zz").code == 2


def test_several_records_are_the_sessions_of_one_night(project: Project, measured: dict[str, Any]) -> None:
    sessions = [night_record(measured, 0, factor, seed=seed) for seed, factor in enumerate((1.0, 1.1, 1.9))]

    assert "(1 case, 3 sessions)" in add(project, *sessions)

    (line,) = project.read(FILE).splitlines()
    metric = json.loads(line)["cases"]["a::sums"]["metrics"][WALL]
    assert metric["floors"] == [1e6, 1.1e6, 1.9e6]
    assert metric["floor"] == pytest.approx(1.1e6)
    assert metric["interval"] == pytest.approx([1.089e6, 1.111e6])


@pytest.mark.parametrize(
    ("other", "code", "message"),
    [
        ({"sha": "f" * 40}, 2, "is of another commit"),
        ({"cpu": "Another CPU"}, 2, "is of another machine"),
        ({}, 2, "is the same session"),
    ],
)
def test_what_is_no_part_of_the_night_is_refused(
    project: Project, measured: dict[str, Any], other: dict[str, str], code: int, message: str
) -> None:
    one, two = night_record(measured, 0), night_record(measured, 0, **other)  # type: ignore[arg-type]
    project.write({"1.json": json.dumps(one), "2.json": json.dumps(two)})

    ran = project.run("history", "add", "1.json", "2.json")

    assert ran.code == code
    assert message in ran.err
    assert project.read(FILE) == ""


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"interrupted": True}, 2, "the session was interrupted"),
        ({"faults": ["two outcomes"]}, 2, "wfrun contradicted itself (two outcomes)"),
        ({"outcomes": []}, 4, "no case was measured and passed"),
        ({"format": "wfrun-baseline"}, 2, "a baseline, but not the record of a session"),
    ],
)
def test_a_session_that_is_not_whole_is_no_night(
    project: Project, measured: dict[str, Any], change: dict[str, Any], code: int, message: str
) -> None:
    project.write({"1.json": json.dumps(night_record(measured, 0) | change)})

    ran = project.run("history", "add", "1.json")

    assert ran.code == code
    assert message in ran.err
    assert "Traceback" not in ran.text


def test_a_night_counts_once(project: Project, measured: dict[str, Any]) -> None:
    add(project, night_record(measured, 0))

    again = project.run("history", "add", "record-0.json")

    assert again.code == 2
    assert f"is in {FILE} already; a night counts once" in again.err
    assert len(project.read(FILE).splitlines()) == 1


def test_a_metric_that_is_missing_is_said_and_fails_where_asked(project: Project, measured: dict[str, Any]) -> None:
    keep_nights(project, measured, [1.0] * 12)
    without = night_record(measured, 13)
    (outcome,) = (outcome for outcome in without["outcomes"] if outcome["measured"])
    outcome["id"] = "a::renamed"
    add(project, without)

    checked = project.run("history", "check", "--fail-on", "step,missing")

    assert checked.code == 3
    assert "missing  Things · Sums, wall_time_ns: not measured in the last night" in checked.out
    assert project.run("history", "check").code == 0


def test_show_draws_the_nights_with_the_band_and_the_changes(project: Project, measured: dict[str, Any]) -> None:
    keep_nights(project, measured, [1.0] * 30 + [1.06] * 8)

    shown = project.run("history", "show")

    assert shown.code == 0
    row = next(line for line in shown.out.splitlines() if WALL in line)
    assert "▁" in row
    assert "█" in row
    assert "+5.7 %" in row
    assert f"+6.0 % since the night of 2026-01-31, between commits {29:07x}ccc and {30:07x}ccc" in shown.out
    nothing = project.run("history", "show", "--pattern", "nowhere")
    assert nothing.code == 4
    report = json.loads(project.run("history", "show", "--json", "--pattern", "sums").out)
    (series,) = report["series"]
    assert len(series["nights"]) == 38
    assert [move["since"]["commit"][:7] for move in series["moves"]] == [f"{30:07x}"]


@pytest.mark.parametrize("verb", ["show", "check", "anchor"])
def test_a_history_that_is_not_there_says_how_to_begin_one(project: Project, verb: str) -> None:
    reason = ["--reason", "why not"] if verb == "anchor" else []

    ran = project.run("history", verb, "--history", "nights.jsonl", *reason)

    assert ran.code == 2
    assert "there is no history nights.jsonl; wfrun history add RECORD.json" in ran.err


def test_the_history_is_no_change_of_the_source(project: Project) -> None:
    project.write({"suites/suite_a.py": MEASURED, ".gitignore": ".wfrun/\n__pycache__/\n"})
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=b", "commit", "-qm", "c"]):
        subprocess.run(["git", *words], cwd=project.folder, check=True, timeout=20)  # noqa: S607 - the git of whoever runs the tests
    for _ in range(2):
        project.run("--performance", "-q")
        assert project.run("history", "add").code == 0

    assert [json.loads(line)["source"]["dirty"] for line in project.read(FILE).splitlines()] == [False, False]
