"""Reading the record of a session back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from pydantic import ValidationError

from wfrun.errors import FileError
from wfrun.files import read_bytes
from wfrun.runner.record.session_record import SESSION_SCHEMA, SessionRecord

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["load_session"]


def load_session(path: Path) -> SessionRecord:
    """Return the record that ``--json`` wrote to ``path``.

    Raises:
        FileError: It is missing, unreadable, damaged, of a newer form, or something else; the text says which.
    """
    content = read_bytes(path)
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise FileError(
            f"{path} is not the record of a session: it is not even JSON ({error}); write one with --json"
        ) from None
    form = value.get("format") if isinstance(value, dict) else None
    if form != "wfrun-session":
        what = "a baseline" if form == "wfrun-baseline" else "JSON"
        raise FileError(f"{path} is {what}, but not the record of a session; write one with --json FILE")
    schema = value.get("schema_version")
    if isinstance(schema, int) and schema > SESSION_SCHEMA:
        raise FileError(
            f"{path} was written by a newer wfrun (schema {schema}; this one reads {SESSION_SCHEMA}): upgrade wfrun"
        )
    try:
        return SessionRecord.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise FileError(f"{path} has another shape than expected: field {field}: {first['msg']}") from error
