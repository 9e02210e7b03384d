"""JSON as people review it: a field a line, and a list of numbers on one line, so that a changed sample is one line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import orjson

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["json_bytes"]

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
    text = orjson.dumps(model.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    for each in _LISTS:
        text = each.sub(lambda found: b"[" + _BREAK.sub(b",", found[1]) + b"]", text)
    return text
