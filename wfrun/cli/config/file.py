"""The part of ``pyproject.toml`` that is wfrun's: defaults, profiles and sets of environment variables."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from wfrun.cli.config.keys import Value, meant, value_of_file
from wfrun.errors import FileError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wfrun.cli.config.keys import Key

__all__ = ["BUILT_IN", "ConfigFile", "nearest_table", "read_config"]

NAME: Final = "pyproject.toml"
TABLE: Final = "tool.wfrun"

BUILT_IN: Final[Mapping[str, Mapping[str, Value]]] = {
    "ci": {"output": "wfrun-results"},
    "dev": {"fail_fast": True},
    "perf": {"category": ("performance",)},
}
"""Profiles that are there without a file; a table of the same name in the file takes the place of one."""


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What a file says, checked; empty where there is none."""

    path: Path | None = None
    profile: str | None = None
    """The profile that is used where none is asked for."""
    defaults: Mapping[str, Value] = field(default_factory=dict)
    profiles: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    environments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def read_config(folder: Path, keys: Mapping[str, Key]) -> ConfigFile:
    """Return what the nearest ``pyproject.toml`` upward from ``folder`` with a table ``[tool.wfrun]`` says.

    Args:
        folder: An absolute path.
        keys: The options that can stand there, by name.

    Raises:
        FileError: The file cannot be read.
        UsageError: It is no TOML, or has a key that is unknown or of a wrong type.
    """
    path, table = nearest_table(folder)
    return ConfigFile() if path is None else _checked(path, table, keys)


def nearest_table(folder: Path) -> tuple[Path | None, dict[str, Any]]:
    """Return the nearest file upward from ``folder`` with a table of ours, and that table, unchecked.

    Raises:
        FileError: A file on the way cannot be read.
        UsageError: It is no TOML.
    """
    for parent in (folder, *folder.parents):
        path = parent / NAME
        table = _table_in(path)
        if table is not None:
            return path, table
    return None, {}


def _table_in(path: Path) -> dict[str, Any] | None:
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror or error}") from error
    if b"wfrun" not in content:  # most files of others are put aside without reading them through
        return None
    try:
        found = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from None
    tool = found.get("tool")
    table = tool.get("wfrun") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise UsageError(f"{path}: [{TABLE}] is not a table")
    return table


def _checked(path: Path, table: dict[str, Any], keys: Mapping[str, Key]) -> ConfigFile:
    rest = dict(table)
    profiles = _tables(path, "profiles", rest.pop("profiles", {}))
    environments = _tables(path, "env", rest.pop("env", {}))
    profile = rest.pop("config", None)
    if profile is not None and not isinstance(profile, str):
        raise UsageError(f"{path}: [{TABLE}]: config takes the name of a profile, not {profile!r}")
    extra = ("config", "profiles", "env")
    of_profile = {name: key for name, key in keys.items() if name != "config"}
    of_defaults = {name: key for name, key in of_profile.items() if name not in extra}
    return ConfigFile(
        path=path,
        profile=profile,
        defaults=_values(f"{path}: [{TABLE}]", rest, of_defaults, extra),
        profiles={
            name: _values(f"{path}: [{TABLE}.profiles.{name}]", values, of_profile) for name, values in profiles.items()
        },
        environments={
            name: _variables(f"{path}: [{TABLE}.env.{name}]", values) for name, values in environments.items()
        },
    )


def _tables(path: Path, name: str, value: Any) -> dict[str, dict[str, Any]]:  # noqa: ANN401 - whatever TOML holds
    if isinstance(value, dict) and all(isinstance(part, dict) for part in value.values()):
        return value
    raise UsageError(f"{path}: [{TABLE}]: {name} holds tables, as in [{TABLE}.{name}.ci]")


def _values(
    where: str, table: dict[str, Any], keys: Mapping[str, Key], extra: tuple[str, ...] = ()
) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for written, value in table.items():
        key = keys.get(written.replace("-", "_"))
        if key is None:
            raise UsageError(f"{where} has no key {written!r}{meant(written, [*keys, *extra])}")
        values[key.name] = value_of_file(key, value, where)
    return values


def _variables(where: str, table: dict[str, Any]) -> dict[str, str]:
    for name, value in table.items():
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise UsageError(f"{where}: the variable {name} takes a text or a number")
    return {name: str(value) for name, value in table.items()}
