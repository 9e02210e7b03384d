"""A selection is split so that every machine works out the same parts by itself."""

from __future__ import annotations

import random
from collections import Counter
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from hypothesis import given
from hypothesis import strategies as st

from wfrun.runner.plan.shards import shard_of, split_suites

if TYPE_CHECKING:
    from wfrun.authoring.info import CaseInfo

SIZES = st.dictionaries(st.text("abc/", min_size=1, max_size=4), st.integers(1, 20), max_size=12)


def cases_of(sizes: dict[str, int]) -> list[CaseInfo]:
    ids = [f"{key}::case_{number}" for key, size in sizes.items() for number in range(size)]
    return [cast("CaseInfo", SimpleNamespace(id=case_id)) for case_id in ids]


@given(SIZES, st.integers(1, 6), st.randoms(use_true_random=False))
def test_the_split_is_the_same_whatever_the_order_of_the_cases(
    sizes: dict[str, int], shards: int, chance: random.Random
) -> None:
    cases = cases_of(sizes)
    mixed = chance.sample(cases, len(cases))

    split = split_suites(cases, shards)

    assert split == split_suites(mixed, shards)
    assert split.keys() == sizes.keys()
    assert set(split.values()) <= set(range(1, shards + 1))


@given(SIZES, st.integers(1, 6))
def test_no_shard_has_more_than_another_by_more_than_its_smallest_file(sizes: dict[str, int], shards: int) -> None:
    split = split_suites(cases_of(sizes), shards)

    load = Counter(dict.fromkeys(range(1, shards + 1), 0))
    for key, shard in split.items():
        load[shard] += sizes[key]
    for shard in load:
        smallest = min((sizes[key] for key in split if split[key] == shard), default=0)
        assert load[shard] - smallest <= min(load.values())


def test_a_file_that_is_gone_is_missed_by_one_shard_only() -> None:
    assert shard_of("gone::case", split_suites(cases_of({"a": 1, "b": 1}), 2)) == 1
