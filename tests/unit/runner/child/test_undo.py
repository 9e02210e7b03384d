from __future__ import annotations

import asyncio
import sys
import types
import warnings

import pytest

from wfrun.runner.child.undo import ProcessState


def test_asyncios_own_policy_is_no_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made where it is first asked for, which starting a process does."""
    monkeypatch.setattr(asyncio.events, "_event_loop_policy", None)
    state = ProcessState()
    state.mark()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        asyncio.get_event_loop_policy()

    assert state.undo("suite_x.py") == ()


def test_filters_come_back_also_after_a_case_that_imported_something(monkeypatch: pytest.MonkeyPatch) -> None:
    state = ProcessState()
    state.mark()
    monkeypatch.setitem(sys.modules, "made_up_for_this_test", types.ModuleType("made_up_for_this_test"))
    assert state.undo("suite_x.py") == ()
    state.mark()

    with warnings.catch_warnings():
        before = warnings.filters[:]
        warnings.filterwarnings("ignore", "made up for this test")
        said = state.undo("suite_x.py")
        after = warnings.filters[:]

    assert said == ("suite_x.py changed the filters of warnings; undone",)
    assert after == before
