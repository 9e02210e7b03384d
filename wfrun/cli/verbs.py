"""``wfrun PATHS`` means ``wfrun run PATHS``: the verb that is understood where none is written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DEFAULT_VERB", "RunByDefault", "Verb", "with_verb"]

DEFAULT_VERB = "run"

_OF_THE_WHOLE = ("--help", "-h", "--version", "--install-completion", "--show-completion")


def with_verb(arguments: list[str], verbs: list[str]) -> list[str]:
    """Return ``arguments`` with ``run`` put first, unless they start with a verb or an option of wfrun as a whole.

    Only the first word can be a verb, so that a folder may be called like one: ``wfrun ./list``.
    """
    if arguments and (arguments[0] in verbs or arguments[0].partition("=")[0] in _OF_THE_WHOLE):
        return arguments
    return [DEFAULT_VERB, *arguments]


class Verb(TyperCommand):
    """A verb whose help shows no type behind an option that takes no value.

    One with an option ``--config`` takes what its command line leaves open from the file and the environment.
    """

    # The context's type is private to typer, hence Any in this class. What configuring needs is imported late, as
    # completion, help and the other verbs have no use for it.

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - see above
        """Read the command line, and then what was set elsewhere."""
        if ctx.resilient_parsing or not any(param.name == "config" for param in self.params):
            return super().parse_args(ctx, args)
        from wfrun.cli.config.apply import apply_settings, without_answers  # noqa: PLC0415 - see above

        words, answers = without_answers(args, self.params)
        rest = super().parse_args(ctx, words)
        apply_settings(ctx, answers, ctx.find_root().command.commands[DEFAULT_VERB].params)
        return rest

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - see above
        """Carry the verb out; a wrong value that was set elsewhere says where."""
        if not any(param.name == "config" for param in self.params):
            return super().invoke(ctx)
        from wfrun.cli.config.apply import resolved_of, say_origin  # noqa: PLC0415 - see above
        from wfrun.errors import WfrunError  # noqa: PLC0415 - see above

        # Children inherit it, and so do cases that run in this process.
        os.environ.update(resolved_of(ctx).environment)
        try:
            return super().invoke(ctx)
        except WfrunError as error:
            say_origin(error, ctx)
            raise

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - the context's type is private to typer
        """Return the arguments and options."""
        params = _without_flag_types(super().get_params(ctx))
        _convert_when_needed(params)
        return params


class RunByDefault(TyperGroup):
    """The verbs of wfrun; whatever does not start with one is the command line of ``run``.

    Its help shows the options of ``run`` as well, as they are what most people look for, and so does completion.
    """

    # The context's type is private to typer, hence Any in this class.

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - see above
        """Understand ``run`` where no verb is written; completion of the first word offers the verbs too."""
        if ctx.resilient_parsing and not args:
            return super().parse_args(ctx, args)
        words = with_verb(args, list(self.commands))
        # Before a verb there are no options of wfrun as a whole, and checking their absence would import pydantic.
        ctx.wfrun_has_options = words[0] not in self.commands
        return super().parse_args(ctx, words)

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - see above
        """Return the options of wfrun as a whole; for its help, behind those of ``run``."""
        if not getattr(ctx, "wfrun_has_options", True):
            return []
        own = _without_flag_types(super().get_params(ctx))
        if not getattr(ctx, "wfrun_writes_help", False):
            return own
        names = {param.name for param in own}
        of_run = _without_flag_types(self.commands[DEFAULT_VERB].params)
        return [param for param in of_run if param.name not in names] + own

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - see above
        """Write the help of wfrun as a whole, and of ``run`` with it."""
        ctx.wfrun_writes_help = True
        try:
            super().format_help(ctx, formatter)
        finally:
            ctx.wfrun_writes_help = False

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - see above
        """Return what follows ``wfrun`` in the usage line."""
        return ["[VERB] [PATHS]... [OPTIONS]"]

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:  # noqa: ANN401 - see above
        """Return the verbs and wfrun's options, and the options of ``run``."""
        found = super().shell_complete(ctx, incomplete)
        run = self.commands[DEFAULT_VERB]
        with run.make_context(DEFAULT_VERB, [], parent=ctx, resilient_parsing=True) as run_context:
            known = {item.value for item in found}
            found.extend(item for item in run.shell_complete(run_context, incomplete) if item.value not in known)
        return found


class _WhenNeeded:
    """Converts an option's value as typer does, by what pydantic makes of its type; but text, or nothing, stays so.

    Typer would import pydantic, and build a validator for each option that nobody has given: a tenth of a second.
    """

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:  # noqa: ANN401 - typer's own types are private
        """Return what the verb is given."""
        many = param.multiple or param.nargs == -1
        if value is None:
            return () if many else None
        texts = value if many and isinstance(value, list | tuple) else (value,)
        if param.type_descriptor.annotation in {str, list[str]} and all(type(text) is str for text in texts):
            return list(value) if many else value
        param._runtime_param = None
        return param.get_runtime_param().coerce(value, param=param, ctx=ctx)


def _convert_when_needed(params: Iterable[Any]) -> None:
    for param in params:
        # A typer without this slot converts as it likes.
        if getattr(param, "_runtime_param", ...) is None:
            param._runtime_param = _WhenNeeded()


def _without_flag_types(params: Iterable[Any]) -> list[Any]:
    flags = list(params)
    for param in flags:
        if getattr(param, "is_flag", False) and param.metavar is None:
            param.metavar = ""
    return flags
