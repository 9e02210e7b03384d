"""Settings put into a command line that was read: options that it leaves open get the value that was set elsewhere."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from wfrun.cli.config.file import read_config
from wfrun.cli.config.keys import NO, YES, Key
from wfrun.cli.config.resolve import Resolved, resolve
from wfrun.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wfrun.errors import WfrunError

__all__ = ["apply_settings", "given_names", "keys_of", "resolved_of", "say_origin", "without_answers"]

NOT_KEYS: Final = ("help", "version")
META: Final = "wfrun.settings"


def keys_of(params: Iterable[Any]) -> dict[str, Key]:
    """Return the options that can be set in a file or by a variable, by name, from the parameters of ``run``."""
    return {param.name: _key(param) for param in params if param.name not in NOT_KEYS}


def without_answers(arguments: Sequence[str], params: Iterable[Any]) -> tuple[list[str], dict[str, bool]]:
    """Return the arguments without those such as ``--fail-fast=no``, and what those say by option.

    A flag that is set in a file could otherwise not be taken back on the command line.
    """
    flags = {option: param.name for param in params if getattr(param, "is_flag", False) for option in param.opts}
    rest: list[str] = []
    answers: dict[str, bool] = {}
    for position, word in enumerate(arguments):
        if word == "--":
            return [*rest, *arguments[position:]], answers
        option, equals, answer = word.partition("=")
        if equals and option in flags and answer.lower() in YES + NO:
            answers[flags[option]] = answer.lower() in YES
        else:
            rest.append(word)
    return rest, answers


def apply_settings(context: Any, answers: dict[str, bool], run_params: Iterable[Any]) -> None:  # noqa: ANN401 - see below
    """Give the options that the command line leaves open what the file and the environment say.

    Args:
        context: Of the command that was read; its type is private to typer. Its parameters are changed, and what was
            resolved is kept in its ``meta``.
        answers: Flags given as ``--flag=yes`` or ``--flag=no``.
        run_params: The parameters of ``run``, which decide what keys there are.

    Raises:
        UsageError: The file, a variable, or the choice of a profile is wrong.
        FileError: The file cannot be read.
    """
    context.params.update(answers)
    keys = keys_of(run_params)
    # An option that means something else here than with run, such as --json of list, is not set by its keys.
    mine = {param.name: param for param in context.command.params if keys.get(param.name) == _key(param)}
    given = {name: context.params[name] for name in given_names(context, answers)}
    try:
        folder = Path.cwd()
    except FileNotFoundError:
        raise UsageError("the working folder is not there any more; change to one that is") from None
    file = read_config(folder, keys)
    resolved = resolve(keys, file, os.environ, given=given)
    for name, setting in resolved.settings.items():
        if name in mine:
            value = list(setting.value) if isinstance(setting.value, tuple) else setting.value
            context.params[name] = mine[name].process_value(context, value)
    context.meta[META] = resolved


def given_names(context: Any, answers: Iterable[str] = ()) -> set[str]:  # noqa: ANN401 - its type is private to typer
    """Return the options that stand on the command line."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return {*answers, *(name for name, source in sources.items() if source and source.name == "COMMANDLINE")}


def resolved_of(context: Any) -> Resolved:  # noqa: ANN401 - its type is private to typer
    """Return what :func:`apply_settings` found out."""
    resolved: Resolved = context.meta.get(META, Resolved({}, None, {}))
    return resolved


def say_origin(error: WfrunError, context: Any) -> None:  # noqa: ANN401 - its type is private to typer
    """Add to a message that begins with an option where that option was set, if not on the command line."""
    found = re.match(r"--([a-z0-9-]+)", str(error))
    setting = resolved_of(context).settings.get(found[1].replace("-", "_")) if found else None
    if found and setting is not None:
        error.args = (f"{found[0]} (set by {setting.origin}){str(error)[found.end() :]}",)


def _takes_several(param: Any) -> bool:  # noqa: ANN401 - its type is private to typer
    return bool(getattr(param, "multiple", False)) or param.nargs == -1


def _key(param: Any) -> Key:  # noqa: ANN401 - its type is private to typer
    form: Literal["flag", "text", "list"] = (
        "flag" if getattr(param, "is_flag", False) else "list" if _takes_several(param) else "text"
    )
    return Key(param.name, param.opts[0], form, takes_pairs="=" in (param.metavar or ""))
