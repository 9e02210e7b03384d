"""JSON as people review it: a field a line, and a list of numbers on one line, so that a changed sample is one line."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic import BaseModel

__all__ = ["json_bytes", "json_parts"]

TOGETHER: Final = 50
"""Items made text at once: a single one would cost twice as much."""
_SCALAR: Final = rb'(?:"(?:[^"\\]|\\.)*"|[^\s"\[\]{},]+)'
_PAIR: Final = rb"\[-?\d+,-?\d+\]"
_BREAK: Final = re.compile(rb",\n\s+")


def _list_of(part: bytes) -> re.Pattern[bytes]:
    # A line break never stands inside a text, where it is escaped: so a bracket before one is a list's own.
    return re.compile(rb"\[\n\s+(" + part + rb"(?:,\n\s+" + part + rb")*)\n\s+\]")


_LISTS: Final = (_list_of(_SCALAR), _list_of(_PAIR))
"""Lists without containers go on one line, and so do then lists of pairs of whole numbers."""


def json_bytes(model: BaseModel) -> bytes:
    """Return ``model`` as UTF-8 JSON that ends with a line break; equal models give equal bytes."""
    return _text(model.model_dump(mode="json")) + b"\n"


def json_parts(model: BaseModel, name: str, items: Iterable[object]) -> Iterator[bytes]:
    """Return what :func:`json_bytes` would, part by part, if ``items`` were in the list called ``name``.

    So the items need not be there all at once. They are plain values, and the model's own list is empty.
    """
    opening = b'\n  "' + name.encode() + b'": ['
    before, found, after = json_bytes(model).partition(opening + b"]")
    if not found:
        raise ValueError(f"there is no empty list {name}")
    yield before + opening
    separator, end = b"", b"]"
    remaining = iter(items)
    while some := list(itertools.islice(remaining, TOGETHER)):
        # In a list of that name they are set in as they shall be.
        yield separator + _text({name: some}).partition(opening)[2].removesuffix(b"\n  ]\n}")
        separator, end = b",", b"\n  ]"
    yield end + after


def _text(value: object) -> bytes:
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2)
    for each in _LISTS:
        text = each.sub(lambda found: b"[" + _BREAK.sub(b",", found[1]) + b"]", text)
    return text
