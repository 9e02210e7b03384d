"""The systems that suites drive, found by the entry points of installed packages.

An entry point in the group ``wfrun.targets`` is called ``NAME.IMPLEMENTATION`` and names a class or function that is
called without arguments: ``channels.asyncio = "wfrun.concurrency.targets:AsyncioChannels"``. A suite asks for
``channels``; ``--target channels=asyncio`` chooses; without it the implementation called ``wfrun`` is taken.
"""

from __future__ import annotations

from importlib import metadata
from typing import Any, Final

from wfrun.authoring.errors import UnknownTarget

__all__ = ["available_targets", "open_target"]

GROUP: Final = "wfrun.targets"
EMBEDDED: Final = "wfrun"


def open_target(name: str, implementation: str | None = None) -> Any:  # noqa: ANN401 - each target has its own contract
    """Return a new connection to the system ``name`` in the given implementation, or in the embedded one.

    Raises:
        UnknownTarget: There is no such system or implementation; the message lists those there are.
    """
    wanted = f"{name}.{implementation or EMBEDDED}"
    for entry in metadata.entry_points(group=GROUP):
        if entry.name == wanted:
            return entry.load()()
    offered = available_targets()
    if name in offered:
        raise UnknownTarget(f"{name!r} has no implementation {implementation!r}; there are {', '.join(offered[name])}")
    raise UnknownTarget(f"no installed package offers a target {name!r}; there are {', '.join(offered) or 'none'}")


def available_targets() -> dict[str, list[str]]:
    """Return the implementations of every system that installed packages offer, by its name."""
    offered: dict[str, list[str]] = {}
    for entry in sorted(metadata.entry_points(group=GROUP), key=lambda entry: entry.name):
        name, _, implementation = entry.name.partition(".")
        offered.setdefault(name, []).append(implementation)
    return offered
