from __future__ import annotations

import random

import pytest

from wfrun.measure.growth import GrowthWatch, steady_growth

KIB = 1024
MIB = 2**20


def test_the_same_with_every_repetition_is_growth() -> None:
    assert steady_growth([200 * KIB] * 16) == pytest.approx(200 * KIB)


@pytest.mark.parametrize("seed", range(20))
def test_growth_shows_through_noise(seed: int) -> None:
    chance = random.Random(seed)

    assert steady_growth([200 * KIB + chance.randint(-300, 300) * KIB for _ in range(60)]) is not None


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param([5 * MIB] * 8, id="too few"),
        pytest.param([0] * 40, id="none"),
        pytest.param([20 * MIB, 5 * MIB, *[0] * 30], id="warming up"),
        pytest.param([8 * MIB / (turn + 1) ** 2 for turn in range(40)], id="a cache that fills up"),
        pytest.param([4 * MIB if turn == 25 else 0 for turn in range(40)], id="one step"),
        pytest.param([MIB if turn % 2 else -MIB for turn in range(40)], id="to and fro"),
        pytest.param([10 * KIB] * 40, id="less than can be told"),
        pytest.param([500 * KIB if turn % 10 else -4500 * KIB for turn in range(40)], id="garbage that is collected"),
    ],
)
def test_what_does_not_go_on_growing_is_none(kept: list[float]) -> None:
    assert steady_growth(kept) is None


def watched(watch: GrowthWatch, readings: dict[bool, int], turns: int, cheap: int, settled: int) -> list[float]:
    """Go through repetitions that add ``cheap`` bytes as read at once, and ``settled`` as read with care."""
    found = []
    for _ in range(turns):
        watch.begin()
        readings[False] += cheap
        readings[True] += settled
        if (growth := watch.end()) is not None:
            found.append(growth)
    return found


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> dict[bool, int]:
    held = {False: 0, True: 0}
    monkeypatch.setattr(GrowthWatch, "_read", lambda watch: held[watch._settled is not None])
    return held


def test_growth_that_stays_when_memory_has_settled_is_found(readings: dict[bool, int]) -> None:
    assert watched(GrowthWatch(), readings, 20, MIB, MIB) == [MIB]


def test_garbage_is_not_growth(readings: dict[bool, int]) -> None:
    assert watched(GrowthWatch(), readings, 200, MIB, 0) == []
