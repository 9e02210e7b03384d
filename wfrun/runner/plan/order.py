"""The order in which cases start: as they stand in their files, or shuffled to show what depends on what."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from wfrun.authoring.info import CaseInfo

__all__ = ["shuffled"]

Item = TypeVar("Item")


def shuffled(cases: Iterable[CaseInfo], seed: int) -> list[CaseInfo]:
    """Return the cases in an order that follows from ``seed``: files, suites within a file, cases within a suite.

    A file stays whole, as it runs on one worker, and so does a suite, as its cases may share fixtures.
    """
    chance = random.Random(seed)  # noqa: S311 - an order to repeat, not a secret
    return [
        case
        for of_file in _shuffled_groups(cases, lambda case: case.file, chance)
        for of_suite in _shuffled_groups(of_file, lambda case: case.suite_title, chance)
        for case in chance.sample(of_suite, len(of_suite))
    ]


def _shuffled_groups(items: Iterable[Item], key: Callable[[Item], Hashable], chance: random.Random) -> list[list[Item]]:
    groups: dict[Hashable, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    listed = list(groups.values())
    return chance.sample(listed, len(listed))
