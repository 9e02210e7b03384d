from __future__ import annotations

import asyncio
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
