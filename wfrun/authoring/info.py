"""What is known of a case before it runs: plain values that may cross to another process."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["CaseInfo", "Kind", "Tier", "cases_from_json", "cases_to_json"]


class Kind(StrEnum):
    """What a case is for. A case may be of several kinds."""

    UNIT = "unit"
    INTEGRATION = "integration"
    E2E = "e2e"
    PERFORMANCE = "performance"
    STRESS = "stress"

    # That of an enumeration is a function in Python, and every set and dictionary of cases by kind asks for it.
    __hash__ = str.__hash__

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


class CaseInfo(NamedTuple):
    """One case, or one set of parameters of a case.

    A tuple, because there may be tens of thousands: it is made at once, while a frozen class sets field after field.
    """

    # First those in which the cases of a file differ, then those in which most are alike.
    id: str
    """``folder/suite::function[parameter=value]``: what baselines and commands know the case by."""
    title: str
    line: int
    source_hash: str
    """Changes when the text of the case's function does."""
    parameters: Mapping[str, str]
    """Each parameter's value, as text."""
    suite_title: str
    kinds: tuple[Kind, ...]
    tags: tuple[str, ...]
    file: str
    """Absolute path of the suite file."""
    timeout_s: float | None
    """The author's own limit; ``None`` for the session's."""
    own_process: bool
    """Whether it asks for a fresh process even when it is not measured."""
    virtual_time: bool
    pinned: bool
    """Whether its measuring processes are tied to one core; not so where it uses several."""
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
        return hashlib.sha256(orjson.dumps(self[:])).hexdigest()[:16]


def cases_to_json(cases: Iterable[CaseInfo]) -> dict[str, Any]:
    """Return plain values: the cases without what they have in common with others, and that once."""
    alike: list[tuple[Any, ...]] = []
    rows = []
    for case in cases:
        in_common = case[_OWN:]
        # One after another mostly are; to find others they would have to be hashed.
        if not alike or in_common != alike[-1]:
            alike.append(in_common)
        rows.append((len(alike) - 1, *case[:_OWN]))
    return {"alike": alike, "cases": rows}


def cases_from_json(value: dict[str, Any]) -> list[CaseInfo]:
    """Return the cases that :func:`cases_to_json` described; what they have in common is there once.

    Raises:
        KeyError, IndexError, TypeError, ValueError: The value describes no cases.
    """
    alike = [_read_in_common(each) for each in value["alike"]]
    return [
        _new(CaseInfo, (case_id, title, line, source_hash, parameters or _NO_PARAMETERS, *alike[which]))
        for which, case_id, title, line, source_hash, parameters in value["cases"]
    ]


def _read_in_common(values: list[Any]) -> tuple[Any, ...]:
    named = dict(zip(_IN_COMMON, values, strict=True))
    for name, read in _READ.items():
        named[name] = read(named[name])
    return tuple(named.values())


_new: Final = tuple.__new__
_OWN: Final = CaseInfo._fields.index("suite_title")
"""How many fields, the first ones, each case has for itself."""
_IN_COMMON: Final = CaseInfo._fields[_OWN:]
_READ: Final[Mapping[str, Callable[[Any], Any]]] = {
    "kinds": lambda kinds: tuple(map(Kind, kinds)),
    "tags": tuple,
    "tier": Tier,
    "groups": lambda groups: tuple((name, limit) for name, limit in groups),
    "shared": tuple,
}
"""What JSON has no word for."""
_NO_PARAMETERS: Final[Mapping[str, str]] = {}
