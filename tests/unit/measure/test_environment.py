from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from wfrun.measure import environment
from wfrun.measure.environment import HARD_KEYS, conditions, dependencies_hash, fingerprint, steal_percent

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_fingerprint_stays_the_same() -> None:
    assert fingerprint() == fingerprint()


def test_a_fingerprint_holds_its_hard_part() -> None:
    assert set(HARD_KEYS) == {"cpu_model", "cpu_count", "architecture", "python_minor"}
    assert set(HARD_KEYS) < fingerprint().keys()


def test_a_fingerprint_names_this_interpreter() -> None:
    found = fingerprint()

    assert found["python_minor"] == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert str(found["python"]).startswith(str(found["python_minor"]))
    assert found["implementation"] == sys.implementation.name


def test_both_survive_json() -> None:
    for values in (fingerprint(), conditions()):
        assert json.loads(json.dumps(values)) == values


def test_what_is_none_has_its_reason() -> None:
    for values in (fingerprint(), conditions()):
        doubts = values["doubts"]
        assert isinstance(doubts, dict)
        nones = {key for key, value in values.items() if value is None} - {"cpu_limit_cores"}
        assert nones <= doubts.keys()


def test_the_dependencies_hash_does_not_depend_on_order_repetition_or_spelling() -> None:
    one = dependencies_hash([("typing_extensions", "4.1"), ("Rich", "13.9")])
    other = dependencies_hash([("rich", "13.9"), ("typing-extensions", "4.1"), ("rich", "13.9")])

    assert one == other


def test_the_dependencies_hash_tells_versions_apart() -> None:
    assert dependencies_hash([("rich", "13.9")]) != dependencies_hash([("rich", "14.0")])


def test_conditions_tell_the_processors_this_process_may_use() -> None:
    affinity = conditions()["affinity"]

    if hasattr(os, "sched_getaffinity"):
        assert affinity == sorted(os.sched_getaffinity(0))
    else:
        assert affinity is None


def test_conditions_hold_calibration_durations() -> None:
    durations_ns = conditions()["calibration_ns"]

    assert isinstance(durations_ns, list)
    assert len(durations_ns) == 5


def test_a_system_without_proc_degrades_with_reasons(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(environment, "STAT", tmp_path / "none")
    monkeypatch.setattr(environment, "CPUS", tmp_path / "none")
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)

    found = conditions()

    assert [found[key] for key in ("cpu_ticks", "steal_ticks", "governor", "affinity")] == [None] * 4
    assert {"cpu_ticks", "steal_ticks", "governor", "affinity"} <= set(found["doubts"])  # type: ignore[call-overload]


def test_governors_are_listed_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(environment, "CPUS", tmp_path)
    for number, governor in enumerate(("powersave", "performance", "powersave")):
        folder = tmp_path / f"cpu{number}" / "cpufreq"
        folder.mkdir(parents=True)
        (folder / "scaling_governor").write_text(f"{governor}\n")

    assert conditions()["governor"] == "performance powersave"


def test_stolen_time_is_the_eighth_field(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu  1 2 3 4 5 6 7 8 100 100\ncpu0 0 0 0 0 0 0 0 0 0 0\n")
    monkeypatch.setattr(environment, "STAT", stat)

    found = conditions()

    assert (found["cpu_ticks"], found["steal_ticks"]) == (36, 8)


def test_steal_is_the_share_of_time_in_between() -> None:
    before, after = {"cpu_ticks": 100, "steal_ticks": 10}, {"cpu_ticks": 300, "steal_ticks": 20}

    assert steal_percent(before, after) == 5.0


def test_steal_is_unknown_without_counts_or_time() -> None:
    counts = {"cpu_ticks": 100, "steal_ticks": 10}

    assert steal_percent(counts, counts) is None
    assert steal_percent({"cpu_ticks": None, "steal_ticks": None}, counts) is None
