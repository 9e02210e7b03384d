"""A fixture of scope shared in a process of its own: made, its value handed out, kept until the parent hangs up."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from wfrun.authoring.declarations import Scope, place_of
from wfrun.authoring.errors import BadDeclaration, SkipCase
from wfrun.authoring.wide import WideFixtures
from wfrun.runner.child.failures import one_line, traceback_text
from wfrun.runner.child.suite_loop import tear_down_wide, without_asyncio

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wfrun.authoring.levels import FoundFixture
    from wfrun.runner.child.guard import CaseGuard
    from wfrun.runner.child.messages import FixtureFailure

__all__ = ["share"]


def share(
    found: FoundFixture,
    command: Mapping[str, Any],
    guard: CaseGuard,
    on_value: Callable[[Any], None],
    parent: int,
) -> tuple[dict[str, Any], list[FixtureFailure]]:
    """Make a fixture, tell its value, and serve until ``parent`` can be read from or has closed; then tear it down.

    Args:
        found: The fixture.
        command: Its seed and targets, the values of shared fixtures that it needs, the limits of its set-up and
            tear-down.
        guard: Ends a set-up or tear-down that takes too long.
        on_value: Told the value.
        parent: The descriptor that commands come from.

    Returns:
        Why it could not be made, in ``message``, ``details`` and whether it was a ``skip``; and what failed at the end.
    """
    wide = WideFixtures(seed=command["session_seed"], targets=command["targets"])
    wide.shared = command["shared"]
    with asyncio.Runner() as runner:
        try:
            with guard.watching(command["timeout_s"]):
                value = runner.run(_make(wide, found, guard))
        except BaseException as error:  # noqa: BLE001 - a fixture may raise anything
            late = f"its set-up did not end within {command['timeout_s']:g} s"
            message = str(error) if isinstance(error, SkipCase) else late if guard.timed_out else one_line(error)
            details = guard.diagnosis if guard.timed_out else traceback_text(without_asyncio(error))
            return {"message": message, "details": details, "skip": isinstance(error, SkipCase)}, []
        on_value(value)
        runner.run(_until_readable(parent))
        failures = list(tear_down_wide(runner, wide, Scope.SHARED, guard, command["teardown_grace_s"]))
        wide.forget(Scope.SHARED)
    return {"message": "", "details": "", "skip": False}, failures


async def _make(wide: WideFixtures, found: FoundFixture, guard: CaseGuard) -> Any:  # noqa: ANN401 - a JSON value
    task: asyncio.Task[None] | None = asyncio.current_task()
    guard.attach(task, asyncio.get_running_loop())
    value = await wide.make_shared(found)
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as error:
        function = found.declaration.function
        raise BadDeclaration(
            f"{place_of(function)}: the shared fixture {function.__name__!r} gives what is no JSON value ({error}); "
            "give the others an address, a path or a name of what it made"
        ) from None


async def _until_readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    await readable.wait()
    loop.remove_reader(descriptor)
