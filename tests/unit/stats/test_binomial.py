from __future__ import annotations

import pytest

from wfrun.stats.binomial import failure_rate_bound


def test_thirty_tries_without_a_failure_rule_out_a_tenth() -> None:
    assert failure_rate_bound(0, 30) == pytest.approx(1 - 0.05 ** (1 / 30), abs=1e-12)
    assert failure_rate_bound(0, 30) == pytest.approx(0.09503, abs=1e-5)


@pytest.mark.parametrize(
    ("failures", "tries", "bound"),
    # The one-sided 95 % limits of Clopper and Pearson.
    [(1, 10, 0.394163), (3, 30, 0.238578), (5, 100, 0.102253), (10, 10_000, 0.0016957), (30, 30, 1.0)],
)
def test_with_failures_the_bound_is_the_exact_one(failures: int, tries: int, bound: float) -> None:
    assert failure_rate_bound(failures, tries) == pytest.approx(bound, rel=1e-3)


@pytest.mark.parametrize(("failures", "tries"), [(0, 0), (3, 2), (-1, 5)])
def test_what_cannot_have_happened_is_refused(failures: int, tries: int) -> None:
    with pytest.raises(ValueError, match="failures of"):
        failure_rate_bound(failures, tries)
