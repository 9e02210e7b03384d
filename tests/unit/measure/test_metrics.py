from __future__ import annotations

import dataclasses
from typing import cast

import pytest

from wfrun.measure.metrics import METRICS
from wfrun.units import format_value


def test_each_metric_is_found_by_its_own_name() -> None:
    assert all(metric.name == name for name, metric in METRICS.items())


def test_the_name_says_the_unit() -> None:
    endings = {"ns": "_ns", "B": "_bytes", "/s": "_per_s", "": ""}

    assert all(metric.name.endswith(endings[metric.unit]) for metric in METRICS.values())


@pytest.mark.parametrize("name", ["throughput_per_s", "items"])
def test_more_throughput_and_items_are_better(name: str) -> None:
    assert METRICS[name].better == "higher"


def test_of_everything_else_less_is_better() -> None:
    rest = set(METRICS) - {"throughput_per_s", "items"}

    assert {METRICS[name].better for name in rest} == {"lower"}


def test_only_steady_metrics_gate() -> None:
    gating = {name: metric.threshold_percent for name, metric in METRICS.items() if metric.gates}

    assert gating == {
        "throughput_per_s": 5,
        "wall_time_ns": 5,
        "total_time_ns": 5,
        "latency_p50_ns": 5,
        "latency_p95_ns": 10,
        "latency_p99_ns": 10,
        "peak_rss_bytes": 15,
        "kept_rss_bytes": 15,
        "load_dropped": 5,
        "function_calls": 5,
        "loop_handles": 5,
        "allocated_bytes": 5,
        "allocated_peak_bytes": 5,
        "memory_slope_bytes": 5,
    }


def test_memory_has_a_mebibyte_of_slack() -> None:
    assert {metric.slack for metric in METRICS.values() if metric.kind == "memory"} == {2**20}


def test_the_catalogue_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        cast("dict[str, object]", METRICS)["items"] = None
    with pytest.raises(dataclasses.FrozenInstanceError):
        METRICS["items"].gates = True  # type: ignore[misc]


def test_every_unit_can_be_printed() -> None:
    assert all(format_value(1.0, metric.unit) for metric in METRICS.values())
