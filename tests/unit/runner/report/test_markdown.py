from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from wfrun.runner.child.messages import LoadFailure, Status
from wfrun.runner.compare.verdicts import Verdict
from wfrun.runner.report.markdown import session_markdown
from wfrun.runner.run.outcomes import CapturedOutput

if TYPE_CHECKING:
    from tests.unit.runner.report.conftest import Make


def test_the_counts_come_first_with_a_mark(make: Make) -> None:
    green, red = make.story(make.outcome()), make.story(make.outcome(Status.FAILED))

    assert session_markdown(green).startswith("## ✅ wfrun: 1 passed · 1.50 s · seed 7\n")
    assert session_markdown(red).startswith("## ❌ wfrun: 1 failed")


def test_a_failure_is_folded_with_everything_that_is_known(make: Make) -> None:
    outcome = make.outcome(
        Status.FAILED,
        message="assert total == 100",
        details="Traceback\n  total = 99",
        output=CapturedOutput("hello\n"),
    )

    text = session_markdown(make.story(outcome))

    assert (
        "<details><summary><b>failed</b> Load Testing · High-throughput workflow: assert total == 100</summary>" in text
    )
    assert "```\nTraceback\n  total = 99\n```" in text
    assert "Output:\n\n```\nhello\n```" in text
    assert "```\nwfrun suites/suite_load.py --case load/suite_load::high_throughput_workflow --seed 7\n```" in text


def test_no_text_can_leave_its_place(make: Make) -> None:
    nasty = "</details><script>alert(1)</script> | *bold* `code` [x](y)"
    outcome = make.outcome(Status.FAILED, make.case(nasty), message=nasty, details="```\nout of the fence\n````")

    text = session_markdown(make.story(outcome))

    outside = re.sub(r"^(`{3,})\n.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert "<script>" not in outside
    assert outside.count("</details>") == outside.count("<details>") == 2
    assert "\\*bold\\* \\`code\\` \\[x\\](y)" in text
    assert "`````\n```\nout of the fence\n````\n`````" in text


def test_load_failures_comparison_figures_and_notes_are_there(make: Make) -> None:
    story = make.story(
        make.outcome(case=make.case("queue", measured=True)),
        failures=(LoadFailure("/x/suite_a.py", "NameError: nope", "Traceback"),),
        record=make.record(("queue", {"wall_time_ns": ("ns", 1e6)})),
        comparison=make.comparison(make.metric(Verdict.REGRESSED)),
        notes=("baseline main: 1 case added",),
    )

    text = session_markdown(story)

    assert "<b>LOAD</b> /x/suite\\_a.py: NameError: nope" in text
    assert (
        "| Load Testing · High | wall\\_time\\_ns | 1.00 ms | 1.20 ms | +20.0 % | +15.0 % … +25.0 % | regressed |"
        in text
    )
    assert "| Load Testing · queue | - | 1.00 ms | - | - | - |" in text
    assert "baseline main: 1 case added" in text


def test_what_stayed_the_same_is_folded_and_has_no_percentage(make: Make) -> None:
    same = make.metric(title="Quiet", warnings=("never told",))
    undecided = make.metric(Verdict.INCONCLUSIVE, title="Noisy", warnings=("too | few processes",))
    advice = make.metric(title="Advice", gates=False)

    text = session_markdown(make.story(make.outcome(), comparison=make.comparison(same, undecided, advice)))

    told, _, folded = text.partition("<details><summary>1 metric the same</summary>")
    assert "| Noisy | wall\\_time\\_ns | 1.00 ms | 1.20 ms | \\~ |" in told
    assert "- Noisy, wall\\_time\\_ns: too \\| few processes" in told
    assert "Quiet" not in told
    assert "| Quiet | wall\\_time\\_ns | 1.00 ms | 1.20 ms | \\~ |" in folded
    assert "Advice" not in text
    assert "never told" not in text


def test_the_sides_are_called_what_they_are(make: Make) -> None:
    comparison = replace(make.comparison(make.metric(Verdict.REGRESSED)), old_name="main", new_name="working tree")

    text = session_markdown(make.story(make.outcome(), comparison=comparison))

    assert "| case | metric | main | working tree | change | interval | verdict |" in text
