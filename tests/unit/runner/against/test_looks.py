"""Looks share one error, however many there are."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfrun.runner.against.looks import ERROR, FIRST, looks
from wfrun.stats.signed_rank import fewest_pairs, paired_shift


@given(st.integers(min_value=1, max_value=400))
def test_the_errors_add_up_and_the_last_look_is_at_the_end(most: int) -> None:
    found = looks(most)

    assert sum(look.error for look in found) == pytest.approx(ERROR)
    assert found[-1].pairs == most
    assert all(later.pairs > earlier.pairs for earlier, later in pairwise(found))


@given(st.integers(min_value=FIRST, max_value=400))
def test_every_look_can_see_something(most: int) -> None:
    assert all(look.pairs >= fewest_pairs(look.error) for look in looks(most))


def test_identical_sides_are_told_apart_no_oftener_than_said() -> None:
    chance = random.Random(3)
    sessions, wrong = 3000, 0
    for _ in range(sessions):
        differences = [chance.gauss(0, 1) for _ in range(20)]
        for look in looks(20):
            interval = paired_shift(differences[: look.pairs], look.error).interval
            assert interval is not None
            if not interval[0] <= 0 <= interval[1]:
                wrong += 1
                break

    assert wrong / sessions < ERROR + 0.0055  # three standard deviations of so many sessions
