"""What ``wfrun config show`` prints: every option's value, and where it comes from."""

from __future__ import annotations

import json
import os
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wfrun.cli.config.apply import given_names, keys_of, resolved_of
from wfrun.cli.config.file import BUILT_IN, read_config
from wfrun.cli.config.keys import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wfrun.cli.config.keys import Key

__all__ = ["settings_json", "settings_lines"]

OWN_VARIABLES: Final = frozenset({"WFRUN_STARTED_BY"})
"""Set by wfrun itself, for the processes that it starts."""


def settings_lines(context: Any, answers: Sequence[str]) -> list[str]:  # noqa: ANN401 - its type is private to typer
    """Return a line for each option: its name, its value, where it was set; the environment's variables last."""
    facts = _facts(context, answers)
    rows = [(name, _shown(each["value"]), each["origin"]) for name, each in facts["options"].items()]
    rows += [(f"${name}", "set for the cases", facts["environment_origin"]) for name in facts["environment"]]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    head = [
        f"file: {facts['file'] or 'none; no pyproject.toml upward from here has a table [tool.wfrun]'}",
        f"profile: {facts['profile'] or 'none'}; there are {', '.join(facts['profiles'])}",
        "",
    ]
    strays = [f"{name} is set, and is no option{meant}" for name, meant in facts["unknown_variables"].items()]
    return [*head, *strays, *(f"{name:<{widths[0]}}  {value:<{widths[1]}}  {origin}" for name, value, origin in rows)]


def settings_json(context: Any, answers: Sequence[str]) -> str:  # noqa: ANN401 - its type is private to typer
    """Return the same as JSON; of the environment's variables only the names, as values may be secrets."""
    return json.dumps({"schema_version": 1, **_facts(context, answers)}, indent=2)


def _facts(context: Any, answers: Sequence[str]) -> dict[str, Any]:  # noqa: ANN401 - its type is private to typer
    keys = keys_of(context.command.params)
    resolved = resolved_of(context)
    file = read_config(Path.cwd(), keys)
    given = given_names(context, answers)
    defaults = {param.name: getattr(param, "show_default", None) for param in context.command.params}
    options = {}
    for name, key in keys.items():
        setting = resolved.settings.get(name)
        value = context.params.get(name)
        if name in given:
            source, origin = "flag", _on_command_line(key)
        elif setting is not None:
            source, origin = setting.source, setting.origin
        else:
            source, origin = "default", "default"
            value = defaults[name] if value is None and isinstance(defaults[name], str) else value
        options[name] = {"value": value, "source": source, "origin": origin}
    environment = options.get("env", {}).get("value")
    return {
        "file": None if file.path is None else str(file.path),
        "profile": resolved.profile,
        "profiles": list(dict.fromkeys([*file.profiles, *BUILT_IN])),
        "options": options,
        "environment": list(resolved.environment),
        "unknown_variables": _strays(keys),
        "environment_origin": f"{file.path} [tool.wfrun.env.{environment}]" if environment else None,
    }


def _strays(keys: Mapping[str, Key]) -> dict[str, str]:
    """Return the variables that look like an option's and are none's, with what may be meant: a slip does nothing."""
    known = {key.variable for key in keys.values()} | OWN_VARIABLES
    strays = [name for name in os.environ if name.startswith(VARIABLES) and name not in known]
    near = {name: get_close_matches(name, known, n=1) for name in strays}
    return {name: f"; did you mean {found[0]}?" if found else "" for name, found in near.items()}


def _on_command_line(key: Key) -> str:
    return f"command line, {key.option}" if key.option.startswith("-") else "command line"


def _shown(value: object) -> str:
    if value is None or value in ([], ()):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
