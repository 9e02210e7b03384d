"""The page of a session is whole, safe and needs nothing else; the parser judges here, a browser elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final

import pytest

from wfrun.authoring.attachments import Attachment
from wfrun.runner.child.messages import FixtureFailure, LoadFailure, Status
from wfrun.runner.compare.verdicts import Verdict
from wfrun.runner.report.page.page import session_page
from wfrun.runner.report.page.style import STYLE
from wfrun.runner.run.outcomes import Attempt, CapturedOutput

if TYPE_CHECKING:
    from tests.unit.runner.report.conftest import Make
    from tests.unit.runner.report.page.conftest import Large

VOID: Final = {"meta", "link", "img", "br", "hr", "input"}
INSIDE_SUMMARY: Final = {"span", "b", "code", "small"}
NOT_CLOSED: Final = {"li", "td", "th", "tr", "tbody", "thead"}
"""HTML lets these end by themselves where the next begins or their parent ends."""


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

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert "svg" in self.open, f"only what is drawn may close itself: {tag}"
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self.open[-1] != tag and self.open[-1] in NOT_CLOSED:
            self.open.pop()
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of each element of this name."""
        return [attrs for name, attrs in self.elements if name == tag]


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
        "contradicted itself",
        "What failed",
        "suite fixture",
        "plain words",
        "attempt 1",
        "tear-down did not finish",
        "Never",
        "Compared with",
    ):
        assert part in told
    assert "wfrun suites/suite_load.py --case load/suite_load::plain_words --seed 7" in told


def test_what_is_compared_with_nothing_has_its_figures(make: Make) -> None:
    page = Page(session_page(make.story(record=make.record(("queue", {"wall_time_ns": ("ns", 1.5e6)})))))

    told = " ".join(" ".join(page.text).split())
    assert "Measured, the slowest first" in told
    assert "wall time 1.50 ms - 1.50 ms 1.50 ms" in told


def test_a_verdict_says_what_one_must_know_to_judge_it(make: Make) -> None:
    rows = [
        make.metric(Verdict.REGRESSED, metric="function_calls", unit="", new=20008.0, accepted="Ada: faster <later>"),
        make.metric(Verdict.REGRESSED, metric="cpu_time_ns", gates=False),
        make.metric(Verdict.INCONCLUSIVE, metric="total_time_ns", could_have_seen_percent=7.25, source_changed=True),
    ]
    text = session_page(make.story(make.outcome(), comparison=make.comparison(*rows)))

    assert "<td>20,008<td>" in text
    assert "<td>regressed<small>accepted: Ada: faster &lt;later&gt;</small>" in text
    assert "<td>regressed<small>advice only</small>" in text
    assert "<td>inconclusive<small>could have seen 7.2 %; the case changed</small>" in text


def test_nothing_that_a_suite_says_becomes_markup(make: Make) -> None:
    nasty = "</pre></details><script>alert(1)</script><img src=x onerror=alert(1)>\" onclick='x' &amp; \x1b[31mred\x00"

    page, plain = everything(make, nasty), everything(make, "plain")

    assert [tag for tag, _ in page.elements] == [tag for tag, _ in plain.elements]
    assert any("<img src=x onerror=alert(1)>\" onclick='x' &amp; red\\x00" in text for text in page.text)


def test_the_page_needs_no_other_file_and_allows_none(make: Make) -> None:
    text = session_page(make.story(make.outcome()))
    page = everything(make, "plain")

    for tag, attrs in page.elements:
        assert tag not in {"link", "img", "iframe", "object", "base", "form"}
        assert not {"src", "srcset", "action", "style"} & set(attrs)
        assert (attrs.get("href") or "#").startswith("#")
        assert not any(name.startswith("on") for name in attrs)
    assert "url(" not in text
    assert "@import" not in text


def test_only_the_pages_own_script_and_style_may_run(make: Make) -> None:
    """What a suite says is escaped; were it not, the browser would still refuse it."""
    text = session_page(make.story(make.outcome()))

    policy = next(attrs["content"] for attrs in Page(text).all("meta") if "http-equiv" in attrs)
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    for name in ("style", "script"):
        content = re.search(rf"<{name}>(.*?)</{name}>", text, re.DOTALL)
        assert content is not None
        digest = base64.b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy


def test_every_place_that_a_link_names_is_there_once(make: Make) -> None:
    page = everything(make, "plain")

    names = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    linked = {(attrs["href"] or "").removeprefix("#") for _, attrs in page.elements if "href" in attrs}

    assert len(names) == len(set(names))
    assert linked <= set(names)
    assert any((name or "").startswith("f-load") for name in linked)


def test_what_failed_is_unfolded_the_worst_first_and_what_passed_is_folded(make: Make) -> None:
    text = session_page(
        make.story(
            make.outcome(case=make.case("A")),
            make.outcome(Status.SKIPPED, make.case("B")),
            make.outcome(Status.TIMED_OUT, make.case("C")),
            make.outcome(Status.FAILED, make.case("D")),
        )
    )

    failed, rest = text.split('<section id="cases">')
    assert re.findall(r'<details class="card bad" id="\S+" open><summary><b class="bad">([a-z ]+)', failed) == [
        "failed",
        "timed out",
    ]
    assert re.findall(r"<tr class=\w+><td>([a-z ]+)<td><(\w+)", rest) == [
        ("failed", "a"),
        ("timed out", "a"),
        ("skipped", "details"),
        ("passed", "details"),
    ]


def test_there_is_a_button_for_each_status_and_for_all(make: Make) -> None:
    page = Page(session_page(make.story(make.outcome(), make.outcome(Status.FAILED, make.case("B")))))

    assert [attrs["data-only"] for attrs in page.all("button") if "data-only" in attrs] == ["", "failed", "passed"]


def test_nothing_is_offered_that_only_a_script_can_do(make: Make) -> None:
    """Without a script the buttons would do nothing, so they are hidden until it shows them."""
    page = everything(make, "plain")

    hidden = [attrs for tag, attrs in page.elements if "hidden" in attrs]
    assert {attrs.get("class") or attrs.get("id") for attrs in hidden} == {"filter", "theme"}


def test_the_longest_case_has_the_longest_bar(make: Make) -> None:
    page = session_page(make.story(make.outcome(duration_s=0.1), make.outcome(case=make.case("B"), duration_s=0.4)))

    assert "<rect width=25% " in page
    assert "<rect width=100% " in page


def test_both_colour_schemes_are_there_and_can_be_chosen(make: Make) -> None:
    page = session_page(make.story())

    assert "prefers-color-scheme:dark" in page
    assert "[data-theme=dark]" in page
    assert "[data-theme=light]" in page


def luminance(colour: str) -> float:
    digits = colour if len(colour) == 6 else "".join(2 * digit for digit in colour)
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("ground", ["back", "card", "soft"])
@pytest.mark.parametrize("text", ["text", "dim", "now", "good", "bad", "doubt"])
def test_every_text_stands_out_from_its_ground(scheme: str, ground: str, text: str) -> None:
    rule = re.search(rf":root\[data-theme={scheme}\]\{{(.*?)\}}", STYLE, re.DOTALL)
    assert rule is not None
    colours = dict(re.findall(r"--(\w+):#(\w+)", rule[1]))

    darker, lighter = sorted((luminance(colours[ground]), luminance(colours[text])))

    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


@pytest.mark.alone
def test_a_hundred_measured_cases_fit_into_300_kb_and_are_written_in_a_second(large: Large) -> None:
    story = large.story(100)
    session_page(large.story(1))  # the first page imports numpy

    started_s = time.process_time()
    page = session_page(story)
    took_s = time.process_time() - started_s

    assert len(page.encode()) <= 300_000
    assert took_s <= 1.0
    assert page.count("<svg class=d>") > 100


@pytest.mark.parametrize("metrics", [4, 7, 10, 15, 20])
def test_whatever_a_hundred_cases_measure_the_page_stays_small(large: Large, metrics: int) -> None:
    assert len(session_page(large.story(100, metrics)).encode()) <= 300_000
