"""The page of a session is whole, safe and needs nothing else; there is no browser here, so the parser is the judge."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final

from wfrun.authoring.attachments import Attachment
from wfrun.runner.child.messages import FixtureFailure, LoadFailure, Status
from wfrun.runner.compare.verdicts import Verdict
from wfrun.runner.report.html_page import session_page
from wfrun.runner.run.outcomes import Attempt, CapturedOutput

if TYPE_CHECKING:
    from tests.unit.runner.report.conftest import Make

VOID: Final = {"meta", "link", "img", "br", "hr", "input"}
INSIDE_SUMMARY: Final = {"span", "b", "code"}


class Page(HTMLParser):
    """Reads a page, and refuses one whose elements do not close in the order in which they opened."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not (self.open and self.open[-1] == "summary" and tag not in INSIDE_SUMMARY), tag
        assert len({name for name, _ in attrs}) == len(attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.text.append(data)

    @property
    def statuses(self) -> list[str | None]:
        return [attrs["data-status"] for tag, attrs in self.elements if tag == "details" and "data-status" in attrs]


def everything(make: Make, text: str) -> Page:
    attempt = Attempt(Status.FAILED, 0.1, text, text, CapturedOutput(text))
    story = make.story(
        make.outcome(Status.FAILED, make.case(text, tags=(text,)), message=text, details=text, notes={text: text}),
        make.outcome(Status.FLAKY, make.case("Flaky"), attempts=(attempt,)),
        make.outcome(
            Status.CRASHED,
            make.case("Crash"),
            output=CapturedOutput(text, dropped_bytes=5),
            unfinished_teardowns=(text,),
            attachments=(Attachment(text, 5, text), Attachment(text, 2**20)),
            warnings=(text,),
            findings=(text,),
        ),
        failures=(LoadFailure(f"/x/{text}.py", text, text),),
        never_ran=(make.case("Never"),),
        record=make.record(("queue", {"wall_time_ns": ("ns", 1e6)})),
        comparison=make.comparison(make.metric(Verdict.REGRESSED, title=text), warnings=(text,)),
        notes=(text,),
        faults=(text,),
    )
    broken = FixtureFailure(text, "suite", text, text, f"/x/{text}.py", text)
    story = replace(story, result=replace(story.result, fixture_failures=(broken,)))
    return Page(session_page(story))


def test_the_page_is_well_formed_and_tells_everything(make: Make) -> None:
    page = everything(make, "plain words")

    told = " ".join(page.text)
    for part in (
        "1 failed",
        "suite fixture",
        "plain words",
        "attempt 1",
        "tear-down did not finish",
        "Never",
        "Compared with",
        "Measured",
    ):
        assert part in told
    assert "wfrun suites/suite_load.py --case load/suite_load::plain_words --seed 7" in told


def test_nothing_that_a_suite_says_becomes_markup(make: Make) -> None:
    nasty = "</pre></details><script>alert(1)</script><img src=x onerror=alert(1)>\" onclick='x' &amp; \x1b[31mred\x00"

    page, plain = everything(make, nasty), everything(make, "plain")

    assert [tag for tag, _ in page.elements] == [tag for tag, _ in plain.elements]
    assert any("<img src=x onerror=alert(1)>\" onclick='x' &amp; red\\x00" in text for text in page.text)


def test_the_page_needs_no_other_file_and_allows_none(make: Make) -> None:
    page = everything(make, "plain")

    for tag, attrs in page.elements:
        assert tag not in {"link", "img", "iframe", "object", "base"}
        assert not {"src", "href", "srcset", "action"} & set(attrs)
        assert not any(name.startswith("on") for name in attrs)
    policy = next(attrs["content"] for _, attrs in page.elements if "http-equiv" in attrs)
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_failed_cases_come_first_and_are_unfolded(make: Make) -> None:
    page = Page(
        session_page(
            make.story(
                make.outcome(case=make.case("A")),
                make.outcome(Status.SKIPPED, make.case("B")),
                make.outcome(Status.TIMED_OUT, make.case("C")),
                make.outcome(Status.FAILED, make.case("D")),
            )
        )
    )

    assert page.statuses == ["failed", "timed out", "skipped", "passed"]
    unfolded = [attrs["data-status"] for tag, attrs in page.elements if tag == "details" and "open" in attrs]
    assert unfolded == ["failed", "timed out"]


def test_there_is_a_button_for_each_status_and_for_all(make: Make) -> None:
    page = Page(session_page(make.story(make.outcome(), make.outcome(Status.FAILED, make.case("B")))))

    buttons = [attrs["data-status"] for tag, attrs in page.elements if tag == "button"]

    assert buttons == ["", "failed", "passed"]
    assert set(buttons[1:]) == set(page.statuses)


def test_the_longest_case_has_the_longest_bar(make: Make) -> None:
    page = session_page(make.story(make.outcome(duration_s=0.1), make.outcome(case=make.case("B"), duration_s=0.4)))

    assert "width:25.0%" in page
    assert "width:100.0%" in page


def test_both_colour_schemes_are_there(make: Make) -> None:
    page = session_page(make.story())

    assert "prefers-color-scheme: dark" in page
    assert "color-scheme: light dark" in page
