from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.runner.report.conftest import Make
from wfrun.runner.child.messages import LoadFailure, Status
from wfrun.runner.compare.verdicts import Verdict
from wfrun.runner.options import FailOn
from wfrun.runner.report.junit import junit_xml
from wfrun.runner.run.outcomes import CapturedOutput

if TYPE_CHECKING:
    from wfrun.runner.report.story import SessionStory

COUNTS: Final = {"tests", "failures", "errors", "skipped", "time"}

# What readers of JUnit XML agree on: for each element its attributes (needed, allowed) and the children it may have.
SCHEMA: Final[dict[str, tuple[set[str], set[str], set[str]]]] = {
    "testsuites": ({"name", *COUNTS}, set(), {"testsuite"}),
    "testsuite": ({"name", *COUNTS}, {"file"}, {"properties", "testcase"}),
    "testcase": (
        {"name", "classname", "time"},
        {"file", "line"},
        {"properties", "failure", "error", "skipped", "system-out"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, set(), set()),
    "failure": ({"message", "type"}, set(), set()),
    "error": ({"message", "type"}, set(), set()),
    "skipped": ({"message"}, set(), set()),
    "system-out": (set(), set(), set()),
}


def parsed(story: SessionStory) -> ET.Element:
    """Return the report's root, having held every element against the schema and every count against the cases."""
    root = ET.fromstring(junit_xml(story))  # noqa: S314 - it is our own output
    assert root.tag == "testsuites"
    for element in root.iter():
        needed, allowed, children = SCHEMA[element.tag]
        assert needed <= set(element.attrib) <= needed | allowed
        assert {child.tag for child in element} <= children
    for counted in (root, *root):
        cases = list(counted.iter("testcase"))
        assert int(counted.attrib["tests"]) == len(cases)
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(counted.attrib[attribute]) == sum(case.find(tag) is not None for case in cases)
    for case in root.iter("testcase"):
        assert sum(case.find(tag) is not None for tag in ("failure", "error", "skipped")) <= 1
    return root


def only_case(root: ET.Element) -> ET.Element:
    (case,) = root.iter("testcase")
    return case


def test_a_passed_case_has_name_place_time_and_properties(make: Make) -> None:
    root = parsed(make.story(make.outcome()))

    case = only_case(root)
    assert case.attrib == {
        "name": "High-throughput workflow",
        "classname": "load.suite_load",
        "file": "suites/suite_load.py",
        "line": "12",
        "time": "0.412000",
    }
    properties = {each.attrib["name"]: each.attrib["value"] for each in case.iter("property")}
    assert properties == {
        "id": "load/suite_load::high_throughput_workflow",
        "kinds": "e2e",
        "tier": "standard",
        "seed": "99",
    }
    assert root[0].attrib["name"] == "Load Testing"
    assert root[0].find("properties/property[@name='seed']").attrib["value"] == "7"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("status", "element"),
    [
        (Status.FAILED, "failure"),
        (Status.TIMED_OUT, "failure"),
        (Status.ERROR, "error"),
        (Status.CRASHED, "error"),
        (Status.SKIPPED, "skipped"),
        (Status.INTERRUPTED, "skipped"),
    ],
)
def test_every_status_but_passed_has_its_element(make: Make, status: Status, element: str) -> None:
    found = only_case(parsed(make.story(make.outcome(status, message="why", details="trace")))).find(element)

    assert found is not None
    assert found.attrib["message"] == "why"
    assert found.text == "trace"


def test_cases_are_grouped_by_suite(make: Make) -> None:
    root = parsed(
        make.story(
            make.outcome(case=make.case("A", suite_title="One")),
            make.outcome(case=make.case("B", suite_title="Two")),
            make.outcome(case=make.case("C", suite_title="One")),
        )
    )

    assert [(suite.attrib["name"], suite.attrib["tests"]) for suite in root] == [("One", "2"), ("Two", "1")]


def test_parameters_tell_cases_of_one_title_apart(make: Make) -> None:
    cases = [make.case("Scaling", id=f"a/suite_b::scaling[n={n}]", parameters={"n": str(n)}) for n in (1, 2)]

    root = parsed(make.story(*(make.outcome(case=case) for case in cases)))

    assert [case.attrib["name"] for case in root.iter("testcase")] == ["Scaling [n=1]", "Scaling [n=2]"]


def test_output_is_kept_with_a_count_of_what_was_dropped(make: Make) -> None:
    outcome = make.outcome(output=CapturedOutput("out", dropped_bytes=5))

    assert only_case(parsed(make.story(outcome))).findtext("system-out") == (
        "[5 bytes of output dropped from the middle]\nout"
    )


def test_a_planned_case_that_never_ran_is_skipped(make: Make) -> None:
    root = parsed(make.story(never_ran=(make.case(),)))

    assert only_case(root).find("skipped") is not None


def test_a_suite_that_did_not_load_is_an_error(make: Make) -> None:
    root = parsed(make.story(failures=(LoadFailure("/x/suite_a.py", "NameError: nope", "Traceback"),)))

    error = only_case(root).find("error")
    assert error is not None
    assert (error.attrib["message"], error.text) == ("NameError: nope", "Traceback")


def test_regressed_metrics_are_failures_of_their_own_suite(make: Make) -> None:
    comparison = make.comparison(
        make.metric(Verdict.REGRESSED),
        make.metric(Verdict.REGRESSED, metric="gc_pause_ns", gates=False),
        make.metric(Verdict.SAME, metric="peak_rss_bytes"),
    )

    root = parsed(make.story(comparison=comparison))

    failure = only_case(root).find("failure")
    assert root[0].attrib["name"] == "regressions"
    assert failure is not None
    assert failure.attrib["message"] == (
        "wall_time_ns went from 1.00 ms to 1.20 ms: +20.0 % (between +15.0 % and +25.0 %), threshold 5 %"
    )


def test_what_fail_on_asks_for_is_a_failure_too(make: Make) -> None:
    undecided = make.metric(Verdict.INCONCLUSIVE, warnings=("too few processes",))
    comparison = replace(make.comparison(undecided), fail_on=frozenset({FailOn.INCONCLUSIVE}))

    failure = only_case(parsed(make.story(comparison=comparison))).find("failure")

    assert failure is not None
    assert failure.attrib["type"] == "inconclusive"
    assert failure.text == "too few processes"


def test_a_comparison_without_regressions_leaves_an_empty_suite(make: Make) -> None:
    root = parsed(make.story(comparison=make.comparison(make.metric())))

    assert [(suite.attrib["name"], suite.attrib["tests"]) for suite in root] == [("regressions", "0")]


def test_an_empty_session_is_a_whole_document(make: Make) -> None:
    assert parsed(make.story()).attrib["tests"] == "0"


@given(st.text(st.characters()))
def test_any_text_in_any_place_gives_a_document_that_can_be_read(text: str) -> None:
    make = Make()
    case = make.case(text, suite_title=text, tags=(text,))
    outcome = make.outcome(Status.FAILED, case, message=text, details=text, output=CapturedOutput(text))

    parsed(make.story(outcome, failures=(LoadFailure(text, text, text),)))


def test_what_was_undone_after_a_case_is_a_property_of_it(make: Make) -> None:
    story = make.story(make.outcome(warnings=("suite_load.py changed sys.path; undone",)))

    properties = {each.get("name"): each.get("value") for each in only_case(parsed(story)).iter("property")}

    assert properties["warnings"] == "suite_load.py changed sys.path; undone"
