from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wfrun.runner.compare.verdicts import Verdict
from wfrun.runner.report.delta_table import change_shown, delta_table

if TYPE_CHECKING:
    from tests.unit.runner.report.conftest import Make


def test_a_regression_shows_its_figures_change_interval_and_verdict(make: Make) -> None:
    text = make.text(*delta_table(make.comparison(make.metric(Verdict.REGRESSED))))

    title, row = text.splitlines()[4:6]
    assert title.strip() == "Load Testing · High"
    assert " ".join(row.split()) == "wall_time_ns 1.00 ms 1.20 ms +20.0 % +15.0 … +25.0 % regressed"


@pytest.mark.parametrize("verdict", [v for v in Verdict if v not in {Verdict.REGRESSED, Verdict.IMPROVED}])
def test_what_was_not_shown_is_never_a_percentage(make: Make, verdict: Verdict) -> None:
    assert change_shown(make.metric(verdict)) == "~"


def test_an_improvement_is_a_percentage(make: Make) -> None:
    assert change_shown(make.metric(Verdict.IMPROVED, ratio=0.9)) == "-10.0 %"


def test_a_verdict_without_a_ratio_is_no_percentage(make: Make) -> None:
    assert change_shown(make.metric(Verdict.REGRESSED, ratio=None)) == "~"


def test_regressions_come_first_and_those_that_gate_before_advice(make: Make) -> None:
    comparison = make.comparison(
        make.metric(Verdict.SAME, case_id="same", title="same"),
        make.metric(Verdict.REGRESSED, case_id="advised", title="advised", gates=False),
        make.metric(Verdict.IMPROVED, case_id="improved", title="improved"),
        make.metric(Verdict.REGRESSED, case_id="regressed one", title="regressed one"),
    )

    text = make.text(*delta_table(comparison))

    places = [text.index(title) for title in ("regressed one", "advised", "improved", "same")]
    assert places == sorted(places)
    assert "regressed (advice)" in " ".join(text.split())


def test_advice_that_shows_nothing_is_counted_not_listed(make: Make) -> None:
    comparison = make.comparison(make.metric(), make.metric(metric="gc_pause_ns", gates=False))

    assert "gc_pause_ns" not in make.text(*delta_table(comparison))
    assert "1 metric given as advice only not shown" in make.text(*delta_table(comparison))
    assert "gc_pause_ns" in make.text(*delta_table(comparison, everything=True))


def test_verdicts_are_counted(make: Make) -> None:
    comparison = make.comparison(make.metric(Verdict.REGRESSED), make.metric(), make.metric(metric="peak_rss_bytes"))

    assert "1 regressed · 2 same" in make.text(*delta_table(comparison))


def test_a_doubt_shared_by_many_metrics_is_told_once(make: Make) -> None:
    doubt = "another machine: [cpu] differs"
    comparison = make.comparison(
        *(make.metric(metric=metric, warnings=(doubt,)) for metric in ("wall_time_ns", "peak_rss_bytes")),
        warnings=("the baseline's tree was dirty",),
    )

    text = make.text(*delta_table(comparison))

    assert text.count(doubt) == 1
    assert f"! 2 metrics: {doubt}" in text
    assert "! the baseline's tree was dirty" in text


def test_a_doubt_about_one_metric_names_it(make: Make) -> None:
    comparison = make.comparison(make.metric(Verdict.INCONCLUSIVE, warnings=("could have seen 8 %",)))

    assert "! Load Testing · High, wall_time_ns: could have seen 8 %" in make.text(*delta_table(comparison))


def test_a_missing_metric_has_dashes_for_figures(make: Make) -> None:
    comparison = make.comparison(make.metric(Verdict.MISSING, new=None, ratio=None, interval=None))

    row = next(line for line in make.text(*delta_table(comparison)).splitlines() if "wall_time_ns" in line)
    assert row.split()[-4:] == ["ms", "-", "~", "missing"]


def test_an_empty_comparison_says_so(make: Make) -> None:
    assert "no metric to judge" in make.text(*delta_table(make.comparison()))


def test_a_narrow_console_still_shows_every_figure(make: Make) -> None:
    comparison = make.comparison(make.metric(Verdict.REGRESSED, title="a very long title " * 8))

    text = make.text(*delta_table(comparison), width=80)

    (row,) = (line for line in text.splitlines() if "wall_time_ns" in line)
    assert " ".join(row.split()) == "wall_time_ns 1.00 ms 1.20 ms +20.0 % +15.0 … +25.0 % regressed"


def test_doubts_about_advice_that_is_not_listed_are_not_told(make: Make) -> None:
    comparison = make.comparison(make.metric(gates=False, warnings=("noisy",)))

    assert "noisy" not in make.text(*delta_table(comparison))
    assert "noisy" in make.text(*delta_table(comparison, everything=True))
