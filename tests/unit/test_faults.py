from __future__ import annotations

import pytest

from wfrun.faults import FaultPlan, InjectedFault


def test_one_seed_fails_at_the_same_places_in_any_order() -> None:
    keys = range(200)
    forward = {key for key in keys if FaultPlan(seed=3, rate=0.3).fails("send", key)}
    backward = {key for key in reversed(keys) if FaultPlan(seed=3, rate=0.3).fails("send", key)}

    assert forward == backward
    assert 30 <= len(forward) <= 90
    assert forward != {key for key in keys if FaultPlan(seed=4, rate=0.3).fails("send", key)}


def test_a_script_says_how_many_first_attempts_of_a_key_fail() -> None:
    plan = FaultPlan(rate=1.0, script={"a": 2, "b": 0})

    assert [plan.fails("send", "a", attempt) for attempt in (1, 2, 3)] == [True, True, False]
    assert not plan.fails("send", "b")
    with pytest.raises(InjectedFault, match="injected fault at 'send' for 'c', attempt 1"):
        plan.check("send", "c")
