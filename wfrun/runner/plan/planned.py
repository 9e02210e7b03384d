"""Which cases run, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfrun.authoring.info import CaseInfo
    from wfrun.runner.options import Order, Shard

__all__ = ["Deselected", "Plan", "PlannedCase"]


@dataclass(frozen=True, slots=True)
class PlannedCase:
    """One case and everything decided about its run."""

    info: CaseInfo
    measured: bool
    """Repeated in several fresh processes and recorded, instead of run once to see whether it holds."""
    seed: int
    """Derived from the session's seed and the case's id: independent of what else is selected."""
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Deselected:
    """A case that does not run, and why."""

    info: CaseInfo
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The cases of a session in the order they start."""

    cases: tuple[PlannedCase, ...]
    seed: int
    discovered: int
    """How many cases there were to choose from."""
    deselected: tuple[Deselected, ...] = ()
    """Those that were not chosen, in the order of their files."""
    order: Order = "file"
    shard: Shard | None = None
    """Which part of the chosen cases this is; ``None`` for all of them."""
    selected: int = 0
    """How many cases were chosen before they were split."""
    selection_digest: str = ""
    """The same for all shards of one selection: a hash of the ids that were chosen before they were split."""
