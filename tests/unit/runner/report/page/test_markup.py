"""Text on a page: harmless, and folded where there is much of it."""

from __future__ import annotations

import pytest

from wfrun.runner.report.page.markup import MOST_CHARACTERS, anchor, block, label, listed


def test_colours_of_a_terminal_are_taken_out_and_control_characters_shown() -> None:
    assert block("\x1b[31mred\x1b[0m \x07<b>") == "<pre>red \\x07&lt;b&gt;</pre>"


def test_of_a_long_text_the_end_is_shown_and_the_beginning_folded() -> None:
    shown = block("\n".join(f"line {number}" for number in range(100)))

    folded, _, end = shown.partition("</details>")
    assert "<summary>76 earlier lines</summary>" in folded
    assert "line 0\n" in folded
    assert end.startswith("<pre>line 76\n")
    assert end.endswith("line 99</pre>")


def test_a_flood_keeps_its_beginning_and_its_end() -> None:
    shown = block("a" * MOST_CHARACTERS + "b" * 1000 + "c" * MOST_CHARACTERS)

    assert len(shown) < MOST_CHARACTERS + 200
    assert "are only in the session record" in shown
    assert shown.endswith("c</pre>")


def test_an_empty_text_is_no_block() -> None:
    assert block(" \n") == ""
    assert listed([]) == ""


def test_many_sentences_are_folded() -> None:
    assert "<summary>and 3 more</summary>" in listed([f"<{number}" for number in range(15)])


@pytest.mark.parametrize(
    ("metric", "shown"),
    [
        ("wall_time_ns", "wall time"),
        ("peak_rss_bytes", "peak memory"),
        ("throughput_per_s", "throughput"),
        ("latency_p999_ns", "latency p99.9"),
        ("gc_pause_ns", "GC pause"),
        ("queue_depth", "queue depth"),
    ],
)
def test_metrics_have_names_for_people(metric: str, shown: str) -> None:
    assert label(metric) == shown


def test_an_anchor_has_nothing_that_must_be_quoted() -> None:
    assert set(anchor("load/suite_load::fan[n=1 \"'>]")) <= set("adefilnostu_1.")
