"""The functions that made a case worse stand once, the dearest first, with what they did then and do now."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from wfrun.runner.compare.verdicts import Verdict
from wfrun.runner.compare.why import FunctionChange
from wfrun.runner.report.page.page import session_page
from wfrun.runner.report.page.reasons import MOST, reasons

if TYPE_CHECKING:
    from tests.unit.runner.report.conftest import Make

PARSE = FunctionChange(
    file="app/codec.py",
    line=41,
    name="<genexpr>",
    calls_before=300,
    calls_after=1600,
    own_ns_before=120_000,
    own_ns_after=640_000,
    allocated_bytes_before=2048,
    allocated_bytes_after=2048,
    share=0.25,
)


def lines(html: str) -> list[str]:
    return [" ".join(re.sub("<.*?>", " ", line).split()) for line in html.split("<li>")[1:]]


def test_a_function_is_told_with_then_and_now(make: Make) -> None:
    drawn = "".join(reasons([make.metric(Verdict.REGRESSED, why=(PARSE,))]))

    assert lines(drawn) == ["&lt;genexpr&gt; app/codec.py:41 +25% called 300 → 1,600 times · 120 µs → 640 µs by itself"]


def test_what_made_several_metrics_worse_stands_once_and_the_dearest_is_first(make: Make) -> None:
    new = replace(PARSE, name="encode", calls_before=None, share=0.4)
    calls = make.metric(unit="", why=(replace(PARSE, share=70.0), replace(PARSE, name="small", share=20.0)))
    rows = [calls, make.metric(why=(new, PARSE))]

    told = lines("".join(reasons(rows)))

    assert [line.split()[0] for line in told] == ["encode", "&lt;genexpr&gt;", "small"]
    assert "called few → 1,600 times" in told[0]
    assert "+25%" in told[1]
    assert "%" not in told[2]


def test_no_more_are_told_than_one_can_read(make: Make) -> None:
    many = tuple(replace(PARSE, line=line) for line in range(1, 30))

    assert len(lines("".join(reasons([make.metric(why=many)])))) == MOST
    assert list(reasons([make.metric()])) == []


def test_the_page_has_them_beside_the_figures(make: Make) -> None:
    comparison = make.comparison(make.metric(Verdict.REGRESSED, why=(PARSE,)))

    assert "app/codec.py:41" in session_page(make.story(make.outcome(), comparison=comparison))
