"""The options of a command line, written again for another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.cli.options.panels import KINDS, MEASURE, TELL, WHICH

if TYPE_CHECKING:
    import typer

__all__ = ["words_about_running"]

_SAID_ANEW = frozenset(
    {
        *("workers", "fail_fast", "seed", "order", "repeat", "until_failed", "retries", "flaky", "version"),
        *("in_process", "pdb", "no_capture", "profile"),
    }
)
"""Options about running that a command for one failed case gives itself, or has no use for."""


def words_about_running(context: typer.Context) -> tuple[str, ...]:
    """Return the options of this command line that change how a case runs, as words for another command line.

    Wherever their values came from: what an environment variable or a file chose is spelled out.
    """
    words: list[str] = []
    for param in context.command.params:
        name, value = param.name or "", context.params.get(param.name or "")
        panel = getattr(param, "rich_help_panel", None)
        if not param.opts or not param.opts[0].startswith("-") or name in _SAID_ANEW:
            continue
        if panel in {KINDS, WHICH, TELL, MEASURE} or value is None or value is False or value == param.default:
            continue
        option = max(param.opts, key=len)
        for each in value if isinstance(value, list | tuple) else (value,):
            words += [option] if each is True else [option, str(each)]
    return tuple(words)
