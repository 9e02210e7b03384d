"""JUnit XML, the form of results that CI systems read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from wfrun.runner.child.messages import Status
from wfrun.runner.report.delta_table import regression
from wfrun.runner.report.text import case_title, printable, shown_path
from wfrun.runner.run.outcomes import Attempt

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wfrun.runner.compare.verdicts import Comparison
    from wfrun.runner.plan.planned import PlannedCase
    from wfrun.runner.report.commands import Hint
    from wfrun.runner.report.story import SessionStory
    from wfrun.runner.run.outcomes import Outcome

__all__ = ["junit_xml"]

# XML 1.0 has no way to write these, not even escaped.
_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_ELEMENTS: Final = {
    Status.FAILED: "failure",
    Status.TIMED_OUT: "failure",
    Status.ERROR: "error",
    Status.CRASHED: "error",
    Status.SKIPPED: "skipped",
    Status.EXPECTED_FAILURE: "skipped",
    Status.INTERRUPTED: "skipped",
}


def junit_xml(story: SessionStory) -> bytes:
    """Return the session as JUnit XML in UTF-8.

    One ``testsuite`` for each suite, with one ``testcase`` for each planned case; those that never ran are skipped.
    A suite file that did not load is an error in a testsuite of its own, and every metric that fails the session is a
    failure in the testsuite ``regressions``, which is there whenever the session was compared.
    """
    root = ET.Element("testsuites", {"name": "wfrun"})
    for (title, file), cases in _by_suite(story).items():
        suite = ET.SubElement(root, "testsuite", {"name": _clean(title), "file": _clean(shown_path(file))})
        _properties(suite, {"seed": str(story.plan.seed)})
        suite.extend(cases)
    if story.discovery.failures:
        suite = ET.SubElement(root, "testsuite", {"name": "suite files that did not load"})
        for failure in story.discovery.failures:
            file = shown_path(failure.file)
            case = _testcase(name=file, classname="load", file=file)
            _result(case, "error", failure.message, "did not load", failure.traceback)
            suite.append(case)
    if story.result.fixture_failures:
        suite = ET.SubElement(root, "testsuite", {"name": "fixtures that outlive a case"})
        for broken in story.result.fixture_failures:
            file = shown_path(broken.file) if broken.file else ""
            case = _testcase(name=f"tear-down of {broken.fixture}", classname="fixtures", file=file)
            _result(case, "error", broken.message, "tear-down", f"{broken.traceback}\n{broken.output}")
            suite.append(case)
    if story.comparison is not None:
        root.append(_regressions(story.comparison))
    for suite in root:
        _count(suite, [suite])
    _count(root, list(root), time_s=story.result.duration_s)
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def _by_suite(story: SessionStory) -> dict[tuple[str, str], list[ET.Element]]:
    finished = {outcome.case.key: outcome for outcome in story.result.outcomes}
    suites: dict[tuple[str, str], list[ET.Element]] = {}
    for case in story.plan.cases:
        outcome = finished.get(case.key)
        element = (
            _outcome(outcome, story.hints(outcome))
            if outcome is not None and outcome.status is not Status.NOT_RUN
            else _not_run(case)
        )
        suites.setdefault((case.info.suite_title, case.info.file), []).append(element)
    return suites


def _add_attempts(case: ET.Element, outcome: Outcome) -> None:
    """Add the other attempts as Maven's surefire does, which CI systems understand.

    A case that passed in the end has each failure as a ``flakyFailure``; one that did not has the first as its failure
    and every further one as a ``rerunFailure``. A crash is a ``flakyError`` or ``rerunError``.
    """
    last = Attempt(outcome.status, outcome.duration_s, outcome.message, outcome.details, outcome.output)
    others = outcome.attempts if outcome.flaky else (*outcome.attempts[1:], last)
    for attempt in others:
        kind = "Error" if _ELEMENTS.get(attempt.status) == "error" else "Failure"
        attributes = {"message": _clean(attempt.message), "type": attempt.status.value}
        element = ET.SubElement(case, f"{'flaky' if outcome.flaky else 'rerun'}{kind}", attributes)
        ET.SubElement(element, "stackTrace").text = _clean(attempt.details).strip("\n") or None
        if attempt.output.text:
            ET.SubElement(element, "system-out").text = _clean(attempt.output.text)


def _outcome(outcome: Outcome, hints: list[Hint]) -> ET.Element:
    case = _planned_case(outcome.case, outcome.duration_s, outcome.warnings, hints)
    if outcome.status in _ELEMENTS:
        shown = outcome.attempts[0] if outcome.attempts else outcome
        unfinished = (f"tear-down did not finish: {each}" for each in outcome.unfinished_teardowns)
        details = "\n".join([shown.details, *unfinished])
        expected = "expected failure: " if outcome.status is Status.EXPECTED_FAILURE else ""
        _result(case, _ELEMENTS[shown.status], expected + shown.message, shown.status.value, details)
    if outcome.attempts:
        _add_attempts(case, outcome)
    output, dropped = outcome.output.text, outcome.output.dropped_bytes
    if output or dropped:
        head = f"[{dropped} bytes of output dropped from the middle]\n" if dropped else ""
        ET.SubElement(case, "system-out").text = _clean(head + output)
    return case


def _not_run(case: PlannedCase) -> ET.Element:
    element = _planned_case(case, 0.0)
    _result(element, "skipped", "not run: the session ended before its turn", "not run", "")
    return element


def _planned_case(
    case: PlannedCase, time_s: float, warnings: Iterable[str] = (), hints: Iterable[Hint] = ()
) -> ET.Element:
    info = case.info
    element = _testcase(
        name=f"{case_title(info)} #{case.turn}" if case.turn else case_title(info),
        classname=info.id.partition("::")[0].replace("/", "."),
        file=shown_path(info.file),
        line=info.line,
        time_s=time_s,
    )
    kinds, tags = ", ".join(info.kinds), ", ".join(info.tags)
    values = {"id": info.id, "kinds": kinds, "tags": tags, "tier": info.tier.value, "seed": str(case.seed)}
    values["reproduce"] = "\n".join(f"{hint.about} {hint.command}" for hint in hints)
    _properties(element, {**values, "warnings": "\n".join(warnings)})
    return element


def _regressions(comparison: Comparison) -> ET.Element:
    suite = ET.Element("testsuite", {"name": "regressions", "file": _clean(shown_path(comparison.baseline_path))})
    for metric in comparison.failing:
        case = _testcase(name=f"{metric.title}: {metric.metric}", classname=metric.case_id)
        _result(case, "failure", regression(metric), metric.verdict.value, "\n".join(metric.warnings))
        suite.append(case)
    return suite


def _testcase(*, name: str, classname: str, file: str = "", line: int = 0, time_s: float = 0.0) -> ET.Element:
    attributes = {"name": _clean(name), "classname": _clean(classname), "time": f"{time_s:.6f}"}
    if file:
        attributes["file"] = _clean(file)
    if line:
        attributes["line"] = str(line)
    return ET.Element("testcase", attributes)


def _result(case: ET.Element, element: str, message: str, kind: str, details: str) -> None:
    attributes = {"message": _clean(message)} if element == "skipped" else {"message": _clean(message), "type": kind}
    ET.SubElement(case, element, attributes).text = _clean(details).strip("\n") or None


def _properties(parent: ET.Element, values: dict[str, str]) -> None:
    properties = ET.SubElement(parent, "properties")
    for name, value in values.items():
        if value:
            ET.SubElement(properties, "property", {"name": name, "value": _clean(value)})


def _count(element: ET.Element, suites: Iterable[ET.Element], time_s: float | None = None) -> None:
    cases = [case for suite in suites for case in suite.iter("testcase")]
    element.set("tests", str(len(cases)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(attribute, str(sum(case.find(tag) is not None for case in cases)))
    total_s = sum(float(case.get("time", "0")) for case in cases) if time_s is None else time_s
    element.set("time", f"{total_s:.6f}")


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("", printable(text))
