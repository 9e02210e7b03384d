"""What is known of a case before it runs: plain values that may cross to another process."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

__all__ = ["CaseInfo", "Kind"]


class Kind(StrEnum):
    """What a case is for. A case may be of several kinds."""

    UNIT = "unit"
    INTEGRATION = "integration"
    E2E = "e2e"
    PERFORMANCE = "performance"
    STRESS = "stress"

    @property
    def measured(self) -> bool:
        """Whether cases of this kind are run repeatedly in fresh processes and their figures kept."""
        return self in (Kind.PERFORMANCE, Kind.STRESS)


@dataclass(frozen=True, slots=True)
class CaseInfo:
    """One case, or one set of parameters of a case."""

    id: str
    """``folder/suite::function[parameter=value]``: what baselines and commands know the case by."""
    title: str
    suite_title: str
    kinds: tuple[Kind, ...]
    tags: tuple[str, ...]
    file: str
    """Absolute path of the suite file."""
    line: int
    parameters: dict[str, str]
    """Each parameter's value, as text."""
    timeout_s: float | None
    """The author's own limit; ``None`` for the session's."""
    own_process: bool
    """Whether it asks for a fresh process even when it is not measured."""
    virtual_time: bool
    pinned: bool
    """Whether its measuring processes are tied to one core; not so where it uses several."""
    source_hash: str
    """Changes when the text of the case's function does."""

    def digest(self) -> str:
        """Return a short hash of everything here: a child that collects something else refuses to run it."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> CaseInfo:
        """Return the case that :meth:`to_json` described."""
        return cls(
            **{
                **value,
                "kinds": tuple(Kind(kind) for kind in value["kinds"]),
                "tags": tuple(value["tags"]),
            }
        )
