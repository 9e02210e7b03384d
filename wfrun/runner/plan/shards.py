"""A selection split between several machines, by suite file, so that what a suite shares is set up on one of them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wfrun.authoring.info import CaseInfo

__all__ = ["shard_of", "split_suites", "suite_key"]


def split_suites(cases: Iterable[CaseInfo], shards: int) -> dict[str, int]:
    """Return the shard, from 1, of each suite file that has one of ``cases``, by :func:`suite_key`.

    The largest file goes first, and each to the shard with the fewest cases so far. The split follows from the cases
    alone and not from their order, so machines that see the same files and make the same choices agree on it.
    """
    sizes = Counter(suite_key(case.id) for case in cases)
    load = dict.fromkeys(range(1, shards + 1), 0)
    split: dict[str, int] = {}
    for key, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        # The first of the shards with the fewest: min() takes it, as they stand in order.
        shard = min(load, key=load.__getitem__)
        load[shard] += size
        split[key] = shard
    return split


def shard_of(case_id: str, split: dict[str, int]) -> int:
    """Return the shard a case belongs to; one whose file is gone belongs to the first, so that one shard misses it."""
    return split.get(suite_key(case_id), 1)


def suite_key(case_id: str) -> str:
    """Return the part of an id that names the suite file: the same on every machine."""
    return case_id.partition("::")[0]
