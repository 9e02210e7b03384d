"""``wfrun doctor``: a sheet on any machine, and what identical sides say of this one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

LINES = (
    *("load", "steal", "neighbours", "memory", "swapping", "governor", "turbo", "virtualisation", "container", "quota"),
    *("throttling", "siblings", "disk", "clock", "power", "python", "settings", "event loop", "hash seed", "noise"),
)


def test_every_line_has_a_verdict(project: Project) -> None:
    ran = project.run("doctor")

    assert (ran.code, ran.err) == (0, "")
    told = [line.partition(" ") for line in ran.out.splitlines()]
    verdicts = [rest.strip() for level, _, rest in told if level in {"good", "beware", "bad", "unknown"}]
    assert [rest for rest, name in zip(verdicts, LINES, strict=True) if not rest.startswith(name)] == []
    assert "fit to measure on" in ran.out


def test_as_json_with_the_figures(project: Project) -> None:
    ran = project.run("doctor", "--json", env={"PYTHONHASHSEED": "0", "PYTHONASYNCIODEBUG": "1"})

    sheet = json.loads(ran.out)
    found = {line["name"]: line for line in sheet["findings"]}
    assert tuple(found) == LINES
    assert (sheet["format"], sheet["level"]) == ("wfrun-doctor", "bad")
    assert (found["hash seed"]["level"], found["hash seed"]["values"]) == ("beware", {"seed": "0"})
    assert found["event loop"]["level"] == "bad"
    assert isinstance(found["load"]["values"]["load_average"][0], float)


def test_a_slowed_down_python_is_bad(project: Project) -> None:
    found = json.loads(project.run("doctor", "--json", env={"PYTHONTRACEMALLOC": "1"}).out)["findings"]

    assert [line["fact"] for line in found if line["name"] == "settings"] == ["PYTHONTRACEMALLOC is set"]


@pytest.mark.alone
def test_identical_sides_are_measured_and_told_with_later_comparisons(project: Project) -> None:
    project.write({"suites/suite_a.py": "@suite.benchmark('Nap')\ndef nap(): time.sleep(0.01)\n"})

    ran = project.run("doctor", "--aa", "--budget", "1s", "--json")

    assert ran.code == 0, ran.text
    assert "comparison 1: " in ran.err
    found = {line["name"]: line for line in json.loads(ran.out)["findings"]}
    assert found["noise"]["level"] in {"good", "bad"}
    kept = project.json(".wfrun/machine-noise.json")
    assert kept["comparisons"] == found["noise"]["values"]["comparisons"] == 1
    assert project.run("--performance", "--json", "a.json", "--baseline", "main").code == 0
    noise = project.json("a.json")["conditions"]["machine_noise"]
    assert noise["minimum_detectable_effect_percent"] == kept["minimum_detectable_effect_percent"]
    assert "this machine, measured on " in project.run("compare", "main", "a.json").out
    project.write({".wfrun/machine-noise.json": json.dumps({**kept, "machine": {"cpu_model": "Abacus 2000"}})})
    elsewhere = json.loads(project.run("doctor", "--json").out)["findings"]
    assert [line["level"] for line in elsewhere if line["name"] == "noise"] == ["unknown"]


@pytest.mark.long
def test_ctrl_c_keeps_what_was_measured(project: Project) -> None:
    with project.start("doctor", "--aa", "--budget", "10m") as started:
        started.said("comparison 1: ")
        started.signal()
        ran = started.end()

    assert ran.code == 130
    assert "Traceback" not in ran.text
    assert project.json(".wfrun/machine-noise.json")["comparisons"] >= 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--budget", "5s"], "add --aa"),
        (["--aa", "--budget", "soon"], "--budget: 'soon' is not a duration"),
        (["--aa", "--budget", "0"], "leaves no time to measure"),
    ],
)
def test_what_cannot_be_meant_is_refused(project: Project, options: list[str], message: str) -> None:
    ran = project.run("doctor", *options)

    assert ran.code == 2
    assert message in ran.err
