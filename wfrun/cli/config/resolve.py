"""Where each option's value comes from: a flag beats the environment, which beats the profile, which beats the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wfrun.cli.config.file import BUILT_IN, TABLE
from wfrun.cli.config.keys import meant, value_of_variable
from wfrun.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wfrun.cli.config.file import ConfigFile
    from wfrun.cli.config.keys import Key, Value

__all__ = ["Resolved", "Setting", "resolve"]

KINDS: Final = frozenset({"unit", "integration", "e2e", "performance", "stress", "category"})
HERE: Final = frozenset({"in_process", "pdb"})
FIGURES: Final = frozenset({"baseline", "compare", "against"})
RIVALS: Final[Sequence[tuple[frozenset[str], frozenset[str]]]] = (
    (KINDS, KINDS),
    (frozenset({"verbose"}), frozenset({"quiet"})),
    (HERE, frozenset({"workers", "max_memory"})),
    (HERE | {"debug", "profile", "trace"}, FIGURES),
)
"""Options that say one thing together or contradict each other: one that is given more strongly undoes the others."""

NEEDS: Final = {
    "threshold": frozenset({"compare", "against"}),
    "replace": frozenset({"baseline"}),
    "flaky": frozenset({"retries"}),
    "setup": frozenset({"against"}),
    "suites_from_each": frozenset({"against"}),
}
"""Options that only say how one of some others works: without any of those they are kept, and mean nothing."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One option's value, and where it was set."""

    value: Value
    source: str
    """variable, profile or file."""
    origin: str
    """In words: the variable, or the file and its table."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What was set elsewhere than on the command line."""

    settings: Mapping[str, Setting]
    """By option; those given on the command line are not here."""
    profile: str | None
    environment: Mapping[str, str]
    """Variables for the children."""


def resolve(
    keys: Mapping[str, Key],
    file: ConfigFile,
    environ: Mapping[str, str],
    *,
    given: Mapping[str, Value | None],
) -> Resolved:
    """Return the settings that count besides the command line.

    Args:
        keys: The options, by name.
        file: What the file says.
        environ: The environment.
        given: What the command line says, by option.

    Raises:
        UsageError: A profile or set of variables is not there, or a variable's value cannot be meant.
    """
    variables = {
        name: Setting(value_of_variable(key, text), "variable", key.variable)
        for name, key in keys.items()
        if (text := environ.get(key.variable, ""))
    }
    profile = _text(given, variables, "config") or file.profile
    levels: list[Mapping[str, Setting]] = [
        variables,
        {} if profile is None else _of_profile(profile, file),
        {name: Setting(value, "file", f"{file.path} [{TABLE}]") for name, value in file.defaults.items()},
    ]
    settings: dict[str, Setting] = {}
    taken = {*given, *_rivals(name for name, value in given.items() if value)}
    for level in levels:
        counting = {name: setting for name, setting in level.items() if name not in taken}
        settings |= counting
        taken |= {*counting, *_rivals(name for name, setting in counting.items() if setting.value)}
    there = {*given, *settings}
    lonely = {name for name, needed in NEEDS.items() if not needed & there}
    settings = {name: setting for name, setting in settings.items() if name not in lonely}
    wanted = _text(given, settings, "env")
    return Resolved(settings, profile, {} if wanted is None else _of_environment(wanted, file))


def _text(given: Mapping[str, Value | None], settings: Mapping[str, Setting], name: str) -> str | None:
    value = given.get(name) if name in given else settings[name].value if name in settings else None
    return value if isinstance(value, str) else None


def _rivals(names: Iterable[str]) -> set[str]:
    """Return the options that those called ``names`` undo where they are given more weakly."""
    given = set(names)
    undone: set[str] = set()
    for some, others in RIVALS:
        undone |= others if given & some else set()
        undone |= some if given & others else set()
    return undone


def _of_profile(name: str, file: ConfigFile) -> dict[str, Setting]:
    if name in file.profiles:
        origin = f"{file.path} [{TABLE}.profiles.{name}]"
        return {key: Setting(value, "profile", origin) for key, value in file.profiles[name].items()}
    if name in BUILT_IN:
        return {
            key: Setting(value, "profile", f"the profile {name} that is built in")
            for key, value in BUILT_IN[name].items()
        }
    there = list(dict.fromkeys([*file.profiles, *BUILT_IN]))
    raise UsageError(f"there is no profile {name!r}{meant(name, there)}{_all_of(name, there)}")


def _of_environment(name: str, file: ConfigFile) -> Mapping[str, str]:
    if name in file.environments:
        return file.environments[name]
    there = list(file.environments)
    what = meant(name, there) if there else f"; [{TABLE}.env.{name}] in pyproject.toml would make it"
    raise UsageError(f"--env: there is no set of variables {name!r}{what}{_all_of(name, there)}")


def _all_of(name: str, there: list[str]) -> str:
    return f" There are {', '.join(there)}" if "did you mean" in meant(name, there) else ""
