"""Fixtures that exist once in a session: each in a process of its own, made when a case first needs it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from wfrun.authoring.declarations import Scope
from wfrun.runner.child.messages import CaseResult, FixtureFailure, Status
from wfrun.runner.child.process import HERE, ChildDied, ChildProcess, Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from wfrun.runner.options import Limits
    from wfrun.runner.plan.planned import PlannedCase

__all__ = ["SharedFixtures"]

SET_UP_S: Final = 60.0
"""How long a set-up may take where ``--timeout`` does not say otherwise."""
DEATH_S: Final = 0.2
"""How long after a failure the end of a process is waited for that may be its cause."""
REACTION_S: Final = 3.0
"""A child stops its own set-up and tear-down; this long after it should have, the parent does."""


@dataclass(slots=True, eq=False)
class _Shared:
    """One of them, and the process it lives in."""

    key: str
    child: ChildProcess
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    """It has a value, or never will."""
    value: Any = None
    why: str = ""
    """Why there is no value, or none any more."""
    details: str = ""
    skip: bool = False
    leaving: bool = False
    failures: list[FixtureFailure] = field(default_factory=list)
    living: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """What cases call it."""
        return self.key.rpartition("::")[2]


class SharedFixtures:
    """Makes each shared fixture once, hands out its value, and tears all down at the end.

    Args:
        limits: Time-outs and targets.
        on_fixture_failure: Told what fails after the cases have their results.
        place: Where their processes run.
    """

    def __init__(
        self, limits: Limits, on_fixture_failure: Callable[[FixtureFailure], None], place: Place = HERE
    ) -> None:
        self._limits = limits
        self._place = place
        self._on_fixture_failure = on_fixture_failure
        self._made: dict[str, _Shared] = {}

    async def values_for(self, case: PlannedCase) -> tuple[dict[str, Any], CaseResult | None]:
        """Return the values that ``case`` needs, by key, or else the result it has because one cannot be had."""
        values: dict[str, Any] = {}
        for key in case.info.shared:
            if key not in self._made:
                self._made[key] = self._start(key, case, dict(values))
            shared = self._made[key]
            await shared.ready.wait()
            if shared.why:
                status = Status.SKIPPED if shared.skip else Status.ERROR
                details = "" if shared.skip else shared.details
                return {}, CaseResult(case.info.id, status, 0.0, shared.why, details)
            values[key] = shared.value
        return values, None

    async def blamed(self, case: PlannedCase, result: CaseResult) -> CaseResult:
        """Return ``result``, or that of a case which failed because a shared fixture had died underneath it."""
        needed = [self._made[key] for key in case.info.shared if key in self._made]
        living = [shared.living for shared in needed if shared.living is not None]
        if not living or not result.status.bad:
            return result
        # The case may hear of the death before it is known here.
        await asyncio.wait(living, timeout=DEATH_S, return_when=asyncio.FIRST_COMPLETED)
        dead = next((shared for shared in needed if shared.why), None)
        if dead is None:
            return result
        message = f"{dead.why}; then the case ended so: {result.message}"
        details = "\n\n".join(part for part in (result.details, dead.details) if part)
        return replace(result, status=Status.ERROR, message=message, details=details)

    async def close(self) -> None:
        """Tear all of them down, the last made first."""
        while self._made:
            _, shared = self._made.popitem()
            shared.leaving = True
            shared.child.hang_up()
            if shared.living is not None:
                grace_s = self._limits.teardown_grace_s + 2 * REACTION_S
                done, _ = await asyncio.wait((shared.living,), timeout=grace_s)
                if not done:
                    shared.failures.append(FixtureFailure(shared.name, Scope.SHARED, "its tear-down had to be killed"))
                    await shared.child.kill_with_stacks()
                    await asyncio.wait((shared.living,))
            output = shared.child.take_output()[0]
            await shared.child.close()
            for failure in shared.failures:
                self._on_fixture_failure(replace(failure, output=output))

    def _start(self, key: str, case: PlannedCase, values: dict[str, Any]) -> _Shared:
        shared = _Shared(key, ChildProcess(self._limits.output_bytes, place=self._place))
        command = {
            "do": "share",
            "key": key,
            "file": case.info.file,
            "id": case.info.id,
            "shared": values,
            "session_seed": case.session_seed,
            "targets": dict(self._limits.targets),
            "timeout_s": self._limits.timeout_s or SET_UP_S,
            "teardown_grace_s": self._limits.teardown_grace_s,
        }
        shared.living = asyncio.create_task(self._live(shared, command))
        return shared

    async def _live(self, shared: _Shared, command: dict[str, Any]) -> None:
        def on_event(event: dict[str, Any]) -> None:
            if "value" in event:
                shared.value = event["value"]
                shared.ready.set()
            elif "fixture_failure" in event:
                shared.failures.append(FixtureFailure(**event["fixture_failure"]))

        asking = asyncio.ensure_future(shared.child.ask(command, on_event))
        made = asyncio.ensure_future(shared.ready.wait())
        limit_s = command["timeout_s"] + command["teardown_grace_s"] + REACTION_S
        done, _ = await asyncio.wait((asking, made), timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            await shared.child.kill_with_stacks()
        made.cancel()
        try:
            answer = await asking
        except ChildDied as death:
            self._died(shared, death.how.partition(" in the middle")[0])
        else:
            if answer["message"]:
                about = f"the shared fixture {shared.name!r} could not be set up: "
                shared.why = answer["message"] if answer["skip"] else about + answer["message"]
                shared.details, shared.skip = answer["details"], answer["skip"]
        finally:
            shared.ready.set()

    def _died(self, shared: _Shared, how: str) -> None:
        had_value = shared.ready.is_set()
        shared.why = f"the shared fixture {shared.name!r} {'is gone' if had_value else 'could not be set up'}: {how}"
        shared.details = shared.child.take_output()[0]
        if shared.leaving:
            shared.failures.append(FixtureFailure(shared.name, Scope.SHARED, f"{how} in its tear-down"))
        elif had_value:
            # Also where no case needs it any more: it was to be there to the end.
            shared.failures.append(
                FixtureFailure(shared.name, Scope.SHARED, f"{how} before its tear-down", shared.details)
            )
