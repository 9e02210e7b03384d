"""The text of functions, hashed: whether a case is the one it was.

The hashes of a suite file are kept with its byte-code, because to read and split the text again takes as long as all
else that is done to collect a case.
"""

from __future__ import annotations

import hashlib
import linecache
import types
from operator import itemgetter
from typing import Final, TypeAlias

__all__ = ["Hashes", "hashes_within", "remember_hashes", "source_hash"]

Hashes: TypeAlias = dict[tuple[int, str], str]
"""By the first line and the qualified name of functions."""

_remembered: Final[dict[str, Hashes]] = {}


def source_hash(code: types.CodeType) -> str:
    """Return a short hash of a function's lines, decorators included."""
    kept = _remembered.get(code.co_filename)
    known = None if kept is None else kept.get((code.co_firstlineno, code.co_qualname))
    return known or _hash_lines(code)


def hashes_within(code: types.CodeType) -> Hashes:
    """Return the hashes of all functions with a name of their own within a module, a class or a function."""
    hashes: Hashes = {}
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            hashes |= hashes_within(inner)
            if not inner.co_name.startswith("<"):
                hashes[inner.co_firstlineno, inner.co_qualname] = _hash_lines(inner)
    return hashes


def remember_hashes(file: str, hashes: Hashes) -> None:
    """Have :func:`source_hash` answer with ``hashes`` for what ``file`` holds."""
    _remembered[file] = hashes


def _hash_lines(code: types.CodeType) -> str:
    # As inspect.getsource returns them, which takes thirty times as long.
    lines = linecache.getlines(code.co_filename)[code.co_firstlineno - 1 : _last_line(code)]
    source = "".join(lines) if lines else code.co_code.hex()
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def _last_line(code: types.CodeType) -> int:
    ends = [end or 0 for end in map(itemgetter(1), code.co_positions())]
    return max(*ends, *(_last_line(inner) for inner in code.co_consts if isinstance(inner, types.CodeType)), 0)
