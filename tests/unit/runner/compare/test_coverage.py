"""A case is missing only where the session would have run it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wfrun.authoring.info import Kind, Tier
from wfrun.runner.compare.coverage import covered_ids
from wfrun.runner.discover.discovery import Discovery
from wfrun.runner.options import Selection, Shard

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.runner.conftest import Maker
    from wfrun.runner.record.models import Baseline

PERFORMANCE = frozenset({Kind.PERFORMANCE})
GONE = "shop/orders::pay"


@pytest.fixture
def baseline(make: Maker) -> Baseline:
    return make.baseline(
        make.record(make.measured({"wall_time_ns": [[1.0]]}, id=GONE, title="Paying", tags=("money",)))
    )


@pytest.fixture
def discovery(tmp_path: Path) -> Discovery:
    """The suite of the case is gone; another one is still there."""
    (tmp_path / "suites" / "shop").mkdir(parents=True)
    return Discovery((str(tmp_path / "suites" / "shop" / "suite_baskets.py"),), ())


@pytest.mark.parametrize(
    ("path", "covered"),
    [
        ("suites", True),
        ("suites/shop", True),
        ("suites/shop/suite_orders.py", True),
        (".", True),
        ("suites/shop/suite_baskets.py", False),
        ("elsewhere", False),
    ],
)
def test_a_case_is_covered_where_a_path_reaches_its_suite(
    baseline: Baseline, discovery: Discovery, tmp_path: Path, path: str, covered: bool
) -> None:
    found = covered_ids(baseline, discovery, [tmp_path / path], Selection(PERFORMANCE))

    assert found == ({GONE} if covered else set())


@pytest.mark.parametrize(
    ("selection", "covered"),
    [
        (Selection(frozenset({Kind.PERFORMANCE, Kind.E2E})), True),
        (Selection(frozenset({Kind.E2E})), False),
        (Selection(), False),
        (Selection(frozenset({Kind.STRESS})), False),
        (Selection(PERFORMANCE, patterns=("paying",), tags=("money",)), True),
        (Selection(PERFORMANCE, patterns=("paying and not money",)), False),
        (Selection(PERFORMANCE, patterns=("shop/suite_orders.py",)), True),
        (Selection(PERFORMANCE, patterns=("shipping",)), False),
        (Selection(PERFORMANCE, excludes=("money",)), False),
        (Selection(PERFORMANCE, tags=("slow",)), False),
        (Selection(PERFORMANCE, tiers=frozenset({Tier.STANDARD})), True),
        (Selection(PERFORMANCE, tiers=frozenset({Tier.FAST})), False),
        (Selection(PERFORMANCE, shard=Shard(1, 2)), True),
        (Selection(PERFORMANCE, shard=Shard(2, 2)), False),
    ],
)
def test_a_case_is_covered_where_the_selection_would_choose_it(
    baseline: Baseline,
    discovery: Discovery,
    selection: Selection,
    covered: bool,
) -> None:
    assert (covered_ids(baseline, discovery, (), selection) == {GONE}) == covered
