"""The systems that suites drive, found by the entry points of installed packages.

An entry point in the group ``wfrun.targets`` is called ``NAME.IMPLEMENTATION`` and names a class or function that is
called without arguments: ``channels.asyncio = "wfrun.concurrency.targets:AsyncioChannels"``. A suite asks for
``channels``; ``--target channels=asyncio`` chooses; without it the implementation called ``wfrun`` is taken.

One that is called after the scheme of an address, such as ``orders.http``, is called with the address that the user
gives: ``--target orders=http://127.0.0.1:8080``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from wfrun.authoring.errors import UnknownTarget

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints

__all__ = ["HistoryEvent", "WorkflowTarget", "available_targets", "implementation_of", "open_target"]

GROUP: Final = "wfrun.targets"
EMBEDDED: Final = "wfrun"
ADDRESS: Final = "://"


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """One thing that happened in a run of a system, as the system tells it."""

    name: str
    """What happened, in the system's words: ``started``, ``paid``, ``failed``."""
    at_s: float
    """When, in seconds on a clock of the system's choice; only differences mean something."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What else is known, as JSON values."""


class WorkflowTarget(Protocol):
    """A system that runs work, as a suite drives it: a contract to write suites against, and adapters to.

    Adapters need not derive from it. What a system cannot do raises :class:`wfrun.Unsupported` and names it: the case
    is then skipped where the user chose the system by ``--target``. Systems of another kind, such as channels, have a
    contract of their own.
    """

    async def start(self) -> None:
        """Start the system, or connect to one that runs; returns when it takes work."""

    async def submit(self, what: str, payload: Any) -> str:  # noqa: ANN401 - any JSON value
        """Have ``what`` done with ``payload``; return the id by which the run is asked for, at once."""

    async def history(self, run_id: str) -> list[HistoryEvent]:
        """Return what has happened in a run so far, the first first."""

    async def inject(self, fault: str, **settings: Any) -> None:  # noqa: ANN401 - each fault has its own
        """Make something go wrong from now on, by a name that the system's adapter documents."""

    async def stop(self) -> None:
        """End what :meth:`start` started; a system that ran before goes on."""


def open_target(name: str, value: str | None = None) -> Any:  # noqa: ANN401 - each target has its own contract
    """Return a new connection to the system ``name``.

    Args:
        name: What suites call the system.
        value: An implementation, or the address of a system that runs; ``None`` for the embedded implementation.

    Raises:
        UnknownTarget: There is no such system or implementation; the message lists those there are.
    """
    implementation = implementation_of(value or EMBEDDED)
    for entry in _entry_points():
        if entry.name == f"{name}.{implementation}":
            make = entry.load()
            return make(value) if value is not None and ADDRESS in value else make()
    offered = available_targets()
    if name not in offered:
        raise UnknownTarget(f"no installed package offers a target {name!r}; there are {', '.join(offered) or 'none'}")
    if value is None:
        raise UnknownTarget(
            f"{name!r} has no embedded implementation; choose one by --target {name}=, {_listed(offered[name])}"
        )
    raise UnknownTarget(f"{name!r} has no implementation {implementation!r}; there are {', '.join(offered[name])}")


def implementation_of(value: str) -> str:
    """Return the implementation that a value of ``--target`` asks for: of an address its scheme."""
    return value.partition(ADDRESS)[0]


def _listed(implementations: list[str]) -> str:
    return f"one of {', '.join(implementations)}" if len(implementations) > 1 else f"such as {implementations[0]}"


def available_targets() -> dict[str, list[str]]:
    """Return the implementations of every system that installed packages offer, by its name."""
    offered: dict[str, list[str]] = {}
    for entry in sorted(_entry_points(), key=lambda entry: entry.name):
        name, _, implementation = entry.name.partition(".")
        offered.setdefault(name, []).append(implementation)
    return offered


def _entry_points() -> EntryPoints:
    from importlib import metadata  # noqa: PLC0415 - 10 ms, of every process that runs cases

    return metadata.entry_points(group=GROUP)
