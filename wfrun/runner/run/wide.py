"""What the parent knows of the fixtures that outlive a case in its children: what they tell, and how they end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wfrun.authoring.declarations import Scope
from wfrun.runner.child.messages import FixtureFailure

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["WideState"]


class WideState:
    """The wide fixtures of one worker, which its children, one after another, make.

    Attributes:
        held: Names of the fixtures whose tear-downs are still to run.
        broken: Why fixtures could not be made, by key; another child need not try again.
        failures: Tear-downs that failed, until somebody takes them.
    """

    def __init__(self, broken: Mapping[str, tuple[Scope, str]] | None = None) -> None:
        self.held: tuple[str, ...] = ()
        self.broken: dict[str, tuple[Scope, str]] = dict(broken or {})
        self.failures: list[FixtureFailure] = []
        self._making: tuple[str, Scope, str] | None = None

    def on_event(self, event: Mapping[str, Any]) -> None:
        """Take in what a child tells."""
        if "making" in event:
            making = event["making"]
            self._making = None if making is None else (making[0], Scope(making[1]), making[2])
        if "held" in event:
            self.held = tuple(event["held"])
            self.broken |= {key: (Scope(scope), why) for key, scope, why in event["broken"]}
        if "fixture_failure" in event:
            self.failures.append(FixtureFailure(**event["fixture_failure"]))

    def reasons(self) -> dict[str, str]:
        """Return why fixtures cannot be made, by key, as a child is told."""
        return {key: why for key, (_, why) in self.broken.items()}

    def died(self, case_id: str, how: str) -> tuple[str, ...]:
        """Hear that the child ended in the middle of a case; return the names of what it can no longer tear down."""
        if self._making is not None:
            key, scope, what = self._making
            self.broken[key] = (scope, f"{what} could not be set up for {case_id}: {how}")
        lost, self.held, self._making = self.held, (), None
        return lost

    def left(self, scope: Scope) -> None:
        """Hear that the worker has left a suite file, or its session: what was broken there may be tried anew."""
        self.broken = {key: (lives, why) for key, (lives, why) in self.broken.items() if lives.breadth > scope.breadth}
