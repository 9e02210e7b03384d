"""What comparisons of identical sides come to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.unit.runner.conftest import FINGERPRINT
from wfrun.measure.metrics import METRICS
from wfrun.runner.against.decide import Decision
from wfrun.runner.compare.verdicts import Verdict
from wfrun.runner.doctor.identical import noise_of
from wfrun.runner.record.machine_noise import keep_noise, known_noise, noise_shown

if TYPE_CHECKING:
    from pathlib import Path

SAME = Decision(METRICS["wall_time_ns"], 1e6, 1e6, 1.0, (0.98, 1.02), 3.0, Verdict.SAME, 3.0, 20)


def test_alarms_are_counted_and_the_middle_effect_is_taken() -> None:
    decisions = [
        SAME,
        replace(SAME, ratio=1.04, interval=(1.01, 1.07), verdict=Verdict.REGRESSED),
        replace(SAME, ratio=0.97, interval=(0.9, 1.05), verdict=Verdict.INCONCLUSIVE),
    ]

    noise = noise_of(decisions, FINGERPRINT)

    assert (noise.comparisons, noise.false_alarms, noise.inconclusive) == (3, 1, 1)
    assert noise.minimum_detectable_effect_percent == pytest.approx(100 * (1.04 / 1.01 - 1), abs=0.01)
    assert noise.error_percent == pytest.approx((25 / 3) ** 0.5, abs=0.01)


def test_it_is_known_again_on_this_machine_alone(tmp_path: Path) -> None:
    keep_noise(noise_of([SAME], FINGERPRINT), tmp_path)

    known = known_noise(FINGERPRINT, tmp_path)

    assert known is not None
    assert "changes from 2.0 % on; 0 of 1 comparisons" in noise_shown({"machine_noise": known})
    assert known_noise({**FINGERPRINT, "cpu_count": 64}, tmp_path) is None


@pytest.mark.parametrize("content", ["", "{", '{"format": "wfrun-machine-noise"}', "[]"])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "machine-noise.json").write_text(content)

    assert known_noise(FINGERPRINT, tmp_path) is None


@pytest.mark.parametrize("noise", [None, 3, {}, {"measured": "soon"}])
def test_what_another_version_recorded_is_left_out(noise: object) -> None:
    assert noise_shown({"machine_noise": noise}) == ""
