"""What is known of a case before it runs: plain values that may cross to another process."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from enum import StrEnum
from operator import attrgetter
from typing import Any, Final

import orjson

__all__ = ["CaseInfo", "Kind", "Tier"]


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


class Tier(StrEnum):
    """How long a case may take, and so when it is worth running."""

    FAST = "fast"
    STANDARD = "standard"
    SLOW = "slow"
    INFRASTRUCTURE = "infrastructure"

    @property
    def limit_s(self) -> float:
        """The time-out of a case that names this tier, in seconds."""
        return 60.0 * {Tier.FAST: 5, Tier.STANDARD: 15, Tier.SLOW: 45, Tier.INFRASTRUCTURE: 60}[self]


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
    tier: Tier = Tier.STANDARD
    tier_named: bool = False
    """Whether the case or its suite names the tier, which is its time-out then."""
    own_loop: bool = False
    """Whether it asks for an event loop of its own instead of its suite's."""
    exclusive: bool = False
    """Whether nothing else may run beside it, on any worker."""
    groups: tuple[tuple[str, int], ...] = ()
    """Groups it belongs to; at most so many cases of each run at a time, over all workers."""
    skip: str | None = None
    """Why it does not apply here; it is not run then."""
    expected_failure: str | None = None
    """Why it is expected to fail; that it passes is a failure then."""
    shared: tuple[str, ...] = ()
    """Fixtures of scope shared that it needs, by ``file::name``, in the order in which they must be made."""

    def digest(self) -> str:
        """Return a short hash of everything here: a child that collects something else refuses to run it."""
        # The bare values: with their names it takes three times as long, for each of thousands of cases.
        return hashlib.sha256(orjson.dumps(_values(self), option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        # Not asdict: it copies every value, of thousands of cases.
        return {name: getattr(self, name) for name in _NAMES}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> CaseInfo:
        """Return the case that :meth:`to_json` described.

        Raises:
            KeyError, TypeError, ValueError: The value describes no case.
        """
        value = {
            **value,
            "kinds": tuple(map(Kind, value["kinds"])),
            "tags": tuple(value["tags"]),
            "tier": Tier(value["tier"]),
            "groups": tuple((name, limit) for name, limit in value["groups"]),
            "shared": tuple(value["shared"]),
        }
        if value.keys() != _KNOWN:
            raise ValueError(f"a case has not {', '.join(sorted(value.keys() ^ _KNOWN))}")
        # As __init__ would, which goes through each of the twenty fields of thousands of cases in Python.
        case = object.__new__(cls)
        for name, part in value.items():
            _set(case, name, part)
        return case


_set: Final = object.__setattr__
_NAMES: Final = tuple(field.name for field in fields(CaseInfo))
_values: Final = attrgetter(*_NAMES)
_KNOWN: Final = frozenset(_NAMES)
