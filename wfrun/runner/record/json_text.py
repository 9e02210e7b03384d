"""JSON as people review it: a field a line, and a list of numbers on one line, so that a changed sample is one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["json_bytes"]

_INDENT: Final = b"  "


def json_bytes(model: BaseModel) -> bytes:
    """Return ``model`` as UTF-8 JSON that ends with a line break; equal models give equal bytes."""
    pieces: list[bytes] = []
    _write(model.model_dump(mode="json"), b"\n", pieces)
    pieces.append(b"\n")
    return b"".join(pieces)


def _write(value: object, line: bytes, pieces: list[bytes]) -> None:
    inner = line + _INDENT
    if isinstance(value, dict) and value:
        for position, (name, part) in enumerate(value.items()):
            pieces.append((b"," if position else b"{") + inner + orjson.dumps(name) + b": ")
            _write(part, inner, pieces)
        pieces.append(line + b"}")
    elif isinstance(value, list) and value and any(isinstance(part, dict | list) for part in value):
        if _is_pairs(value):
            pieces.append(orjson.dumps(value))
            return
        for position, part in enumerate(value):
            pieces.append((b"," if position else b"[") + inner)
            _write(part, inner, pieces)
        pieces.append(line + b"]")
    else:
        pieces.append(orjson.dumps(value))


def _is_pairs(value: list[object]) -> bool:
    return all(
        isinstance(part, list) and len(part) == 2 and all(isinstance(number, int) for number in part) for part in value
    )
