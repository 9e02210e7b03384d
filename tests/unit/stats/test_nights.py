"""What a row of nights says. How often it is right is simulated in tests/simulation/."""

from __future__ import annotations

import random
import statistics

import pytest

from wfrun.stats.nights import LIMITS, WINDOWS, Watched, limit_of, qn_spread, watch


def nights(count: int, *, spread: float = 0.005, seed: int = 1) -> list[float]:
    chance = random.Random(seed)
    return [chance.gauss(0.0, spread) for _ in range(count)]


def watched(values: list[float], anchors: tuple[int, ...] = ()) -> Watched:
    return watch(values, least_spread=0.002, least_change=0.005, creep=0.05, anchors=anchors)


def steps(values: list[float]) -> list[tuple[int, int]]:
    """Where each change was found, and where it began."""
    return [(shift.found, shift.since) for shift in watched(values).shifts]


def test_a_step_is_found_and_placed_at_its_first_night() -> None:
    values = nights(40)
    stepped = values[:30] + [value + 0.05 for value in values[30:]]

    (shift,) = watched(stepped).shifts

    assert (shift.kind, shift.since) == ("step", 30)
    assert shift.found in {30, 31}
    assert shift.change == pytest.approx(0.05, abs=0.01)
    assert shift.old == pytest.approx(0.0, abs=0.005)


def test_a_step_that_stays_is_told_once_and_the_anchor_stays_where_it_was() -> None:
    stepped = nights(30) + [value + 0.04 for value in nights(60, seed=2)]

    said = watched(stepped)

    assert len(said.shifts) == 1
    assert said.level is not None
    assert said.anchor is not None
    assert said.level - said.anchor == pytest.approx(0.04, abs=0.005)
    assert said.start == 30


def test_the_way_back_is_a_step_too() -> None:
    values = nights(30) + [0.06 + value for value in nights(15, seed=2)] + nights(10, seed=3)

    assert [since for _, since in steps(values)] == [30, 45]


def test_one_bad_night_is_no_new_level_unless_it_is_far_out() -> None:
    values = nights(40)

    assert steps([*values[:30], 0.02, *values[31:]]) == []
    assert steps([*values[:30], 0.2, *values[31:]])[0] == (30, 30)


def test_what_creeps_is_held_against_the_anchor() -> None:
    values = [value / 10 + 0.0004 * max(0, night - 15) for night, value in enumerate(nights(220, spread=0.005))]

    said = watched(values)

    assert sum(shift.change for shift in said.shifts) > 0.05
    assert all(shift.change > 0 for shift in said.shifts)


def test_an_accepted_level_becomes_the_anchor() -> None:
    stepped = nights(30) + [value + 0.04 for value in nights(20, seed=2)]

    said = watched(stepped, anchors=(50,))

    assert said.anchor == pytest.approx(0.04, abs=0.005)
    assert said.level == said.anchor


@pytest.mark.parametrize("count", [0, 1, 2, 10])
def test_few_nights_say_nothing(count: int) -> None:
    said = watched([0.0, 9.0, -9.0, *nights(10)][:count])

    assert said.shifts == ()
    assert said.band is None


def test_nights_that_never_differ_have_a_band_all_the_same() -> None:
    band = watched([1.0] * 20).band

    assert band is not None
    assert band.low < 1.0 < band.high


def test_ties_and_steps_without_noise_are_found() -> None:
    assert steps([0.0] * 20 + [0.03] * 5) == [(20, 20)]


def test_limits_fall_with_the_nights_known_and_are_drawn_between_them() -> None:
    for window in WINDOWS:
        limits = [limit_of(window, nights) for nights in range(8, 60)]
        assert limits == sorted(limits, reverse=True)
    assert LIMITS[20][0] < limit_of(1, 17) < LIMITS[15][0]


def test_the_more_rows_are_watched_the_further_out_a_limit_is() -> None:
    assert limit_of(2, 40) < limit_of(2, 40, among=2) == limit_of(2, 40, among=3) < limit_of(2, 40, among=4)
    assert limit_of(2, 40, among=31) == limit_of(2, 40, among=100) == pytest.approx(limit_of(2, 40) * 1.365, rel=0.01)


def test_the_spread_of_normal_values_is_their_standard_deviation() -> None:
    chance = random.Random(5)
    for count in (5, 9, 10, 15, 30):
        spreads = [qn_spread([chance.gauss(3.0, 2.0) for _ in range(count)]) for _ in range(600)]
        assert statistics.fmean(spreads) == pytest.approx(2.0, rel=0.06), count


def test_outliers_move_the_spread_little() -> None:
    values = nights(15)

    assert qn_spread([*values[:13], 5.0, -7.0]) < 2.2 * qn_spread(values)
    with pytest.raises(ValueError, match="nowhere"):
        qn_spread([1.0])
