"""Where objects lie differs from one process to the next."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from wfrun.measure.layout import scattered


@given(st.integers())
def test_blocks_of_every_size_are_taken_and_memory_is_bounded(seed: int) -> None:
    held = scattered(random.Random(seed))

    assert len({len(each) for each in held}) > 10
    assert sum(map(len, held)) < 2**20


def test_no_two_are_alike() -> None:
    chance = random.Random(1)

    assert len({tuple(map(len, scattered(chance))) for _ in range(20)}) == 20
