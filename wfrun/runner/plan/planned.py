"""Which cases run, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from wfrun.authoring.info import CaseInfo
    from wfrun.runner.options import Order, Shard

__all__ = ["Deselected", "Plan", "PlannedCase"]


class PlannedCase(NamedTuple):
    """One case and everything decided about its run."""

    info: CaseInfo
    measured: bool
    """Repeated in several fresh processes and recorded, instead of run once to see whether it holds."""
    seed: int
    """Derived from the session's seed and the case's id: independent of what else is selected."""
    timeout_s: float
    session_seed: int = 0
    """The ``--seed`` that gives the case its own; fixtures that outlive it get their random numbers from this one."""
    turn: int = 0
    """Which of its turns this is, from 1, where cases are repeated; 0 where each runs once."""

    @property
    def key(self) -> tuple[str, int]:
        """What there is exactly one outcome for: the case's id and its turn."""
        return self.info.id, self.turn


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
    in_shard: int = 0
    """How many of those fell to this shard; ``cases`` may be fewer, or have several turns of each."""
    selection_digest: str = ""
    """The same for all shards of one selection: a hash of the ids that were chosen before they were split."""
    new_seeds: bool = False
    """Whether each turn draws on a seed of its own: the session's for the first, and one more for each after it."""
