"""Which records may be compared, and when the machine's speed is believed to have changed."""

from __future__ import annotations

import pytest

from wfrun.runner.compare.machine import comparability, slowdown

HERE: dict[str, object] = {
    "cpu_model": "A",
    "cpu_count": 2,
    "architecture": "x86_64",
    "python_minor": "3.11",
    "kernel": "6.1",
}


def test_the_same_machine_allows_everything() -> None:
    allowed = comparability(HERE, dict(HERE))

    assert (allowed.nothing, allowed.no_times, allowed.notes) == ("", "", ())


@pytest.mark.parametrize(("key", "words"), [("cpu_model", "cpu model A then, B now"), ("cpu_count", "2 then, B now")])
def test_another_machine_forbids_times_alone(key: str, words: str) -> None:
    allowed = comparability(HERE, {**HERE, key: "B"})

    assert words in allowed.no_times
    assert allowed.nothing == ""


def test_another_python_forbids_everything() -> None:
    assert "Python 3.11 then, 3.12 now" in comparability(HERE, {**HERE, "python_minor": "3.12"}).nothing


def test_another_kernel_is_only_said() -> None:
    allowed = comparability(HERE, {**HERE, "kernel": "6.2"})

    assert allowed.notes == ("kernel differs from the baseline's: 6.1 then, 6.2 now",)
    assert allowed.no_times == ""


def test_a_machine_slower_by_every_account_is_slower() -> None:
    assert slowdown([[3.0, 3.1]] * 5, [[3.6, 3.7]] * 5) == pytest.approx(1.2, rel=0.01)


def test_a_bad_stretch_that_one_process_escaped_is_no_slower_machine() -> None:
    """Four of five processes ran at two thirds of their speed, and the metrics' floors did not move: this happened."""
    assert slowdown([[3.3] * 16] * 5, [[5.1] * 16] * 4 + [[3.3] * 16]) == pytest.approx(1.0)


def test_one_process_that_happened_to_be_fast_makes_no_faster_machine() -> None:
    assert slowdown([[3.3] * 16] * 5, [[3.3] * 16] * 4 + [[3.0] * 16]) == pytest.approx(1.0)


@pytest.mark.parametrize(("then", "now"), [([], [[1.0]]), ([[1.0]], [[], []])])
def test_a_side_that_did_not_time_the_loop_says_nothing(then: list[list[float]], now: list[list[float]]) -> None:
    assert slowdown(then, now) is None
