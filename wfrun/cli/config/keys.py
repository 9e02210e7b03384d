"""The options as keys of the file and as variables: which there are, and what their values may be."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from wfrun.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["VARIABLES", "Key", "Value", "meant", "value_of_file", "value_of_variable"]

Value: TypeAlias = str | bool | tuple[str, ...]

VARIABLES: Final = "WFRUN_"
SEPARATORS: Final = ";\n"
"""Between the values of a variable for an option that may be given several times."""
YES: Final = ("1", "true", "yes", "on")
NO: Final = ("0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class Key:
    """One option, as a file and the environment know it."""

    name: str
    """In the file: ``fail_fast``; ``-`` may be written for ``_``."""
    option: str
    """On the command line: ``--fail-fast``; for the paths ``paths``."""
    form: Literal["flag", "text", "list"]
    takes_pairs: bool = False
    """Whether each value is NAME=VALUE, so that a table of the file may stand for a list."""

    @property
    def variable(self) -> str:
        """The environment variable: ``WFRUN_FAIL_FAST``."""
        return f"{VARIABLES}{self.name.upper()}"


def value_of_file(key: Key, value: Any, where: str) -> Value:  # noqa: ANN401 - whatever TOML holds
    """Return what ``value`` in the file means.

    Args:
        key: The option.
        value: As TOML holds it.
        where: The file and the table, for the message.

    Raises:
        UsageError: It is of another type.
    """
    match key.form, value:
        case "flag", bool():
            return value
        case "text", str():
            return value
        case "text", (int() | float()) if not isinstance(value, bool):
            return str(value)
        case "list", str():
            return (value,)
        case "list", list() if all(isinstance(part, str) for part in value):
            return tuple(value)
        case "list", dict() if key.takes_pairs and all(_is_plain(part) for part in value.values()):
            return tuple(f"{name}={part}" for name, part in value.items())
    accepted = {
        "flag": "true or false",
        "text": "a text or a number",
        "list": "a text, a list of texts" + (" or a table" if key.takes_pairs else ""),
    }[key.form]
    raise UsageError(f"{where}: {key.name} takes {accepted}, not {_shown(value)}")


def value_of_variable(key: Key, text: str) -> Value:
    """Return what the text of the option's environment variable means.

    Raises:
        UsageError: It says neither yes nor no where that is asked.
    """
    if key.form == "text":
        return text
    if key.form == "list":
        for separator in SEPARATORS[1:]:
            text = text.replace(separator, SEPARATORS[0])
        return tuple(part.strip() for part in text.split(SEPARATORS[0]) if part.strip())
    answer = text.strip().lower()
    if answer not in YES + NO:
        raise UsageError(f"{key.variable} takes {' or '.join(YES)}, or else {' or '.join(NO)}, not {text!r}")
    return answer in YES


def meant(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean …?`` for a name that is like a known one, else what there is."""
    names = list(known)
    near = get_close_matches(name.replace("-", "_"), names, n=1, cutoff=0.5)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; there are {', '.join(names)}" if names else "; there are none"


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, str | int | float) else f"a {type(value).__name__}"
