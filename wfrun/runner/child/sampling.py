"""How long a generation is sampled, and where: what the parent tells the child."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SamplingOptions"]


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """How long to sample, and where."""

    sampling_s: float
    min_repetitions: int
    max_repetitions: int
    cpu: int | None
    """The core to stay on; ``None`` for any."""
