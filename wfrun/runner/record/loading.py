"""Reading a baseline back, and saying exactly what is wrong with one that cannot be read."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Final, NoReturn

import orjson
from pydantic import ValidationError

from wfrun.errors import BaselineError
from wfrun.runner.record.baseline import BASELINE_SCHEMA, Baseline
from wfrun.runner.record.migrating import newest

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BASELINE_FOLDER", "load_baseline"]

BASELINE_FOLDER: Final = "baselines"
"""Where bare names are looked for."""

_RECORD_ANEW: Final = "record it anew with --baseline {path} --replace"


def load_baseline(path: Path) -> Baseline:
    """Return the baseline in ``path``.

    Raises:
        BaselineError: It is missing, unreadable, damaged, of another shape, or of a newer format; the text says
            which, where, and what to do next.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise BaselineError(f"there is no baseline {path}; {_what_is_there(path)}") from None
    except OSError as error:
        raise BaselineError(f"cannot read the baseline {path}: {error.strerror or error}; check the path") from error
    value = _parse(path, content)
    _check_form(path, value)
    try:
        # From bytes and not from the value: JSON mode takes arrays for tuples, and nothing else for anything else.
        return Baseline.model_validate_json(
            content if value.get("schema_version") == BASELINE_SCHEMA else newest(value)
        )
    except ValidationError as error:
        _refuse_shape(path, error)


def _what_is_there(path: Path) -> str:
    beside = path.parent.parent / path.name
    if path.parent.name == BASELINE_FOLDER and beside.is_file():
        return f"a bare name is looked for in {path.parent}; for the file in {beside.parent} write {beside.absolute()}"
    try:
        there = sorted(found for found in path.parent.iterdir() if found.suffix == ".json")
    except OSError:
        return f"there is no folder {path.parent} either; record one with --baseline {path}"
    close = difflib.get_close_matches(path.stem, [found.stem for found in there], n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(str(found) for found in there if found.stem in close)}?"
    names = ", ".join(found.name for found in there[:5]) + (", …" if len(there) > 5 else "")
    return f"{f'{path.parent} has {names}; ' if names else ''}record one with --baseline {path}"


def _parse(path: Path, content: bytes) -> Any:  # noqa: ANN401 - any JSON value
    anew = _RECORD_ANEW.format(path=path)
    if not content.strip():
        raise BaselineError(f"the baseline {path} is empty; restore it from version control, or {anew}")
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        if content.lstrip()[:1] != b"{":
            raise BaselineError(f"{path} is not a baseline: it is not even JSON ({error}); {anew}") from error
        cut_short = not content.rstrip().endswith(b"}")
        what = "is cut short" if cut_short else "is damaged"
        raise BaselineError(
            f"the baseline {path} {what} ({error}); restore it from version control, or {anew}"
        ) from error


def _check_form(path: Path, value: Any) -> None:  # noqa: ANN401 - any JSON value
    anew = _RECORD_ANEW.format(path=path)
    form = value.get("format") if isinstance(value, dict) else None
    if form == "wfrun-session":
        raise BaselineError(
            f"{path} is the record of a session (--json), not a baseline; record a baseline with --baseline FILE"
        )
    if form != "wfrun-baseline":
        raise BaselineError(
            f'{path} is JSON, but not a baseline: field "format" is {_shown(form)}, not "wfrun-baseline"; {anew}'
        )
    schema = value.get("schema_version")
    if isinstance(schema, int) and schema > BASELINE_SCHEMA:
        raise BaselineError(
            f"{path} was written by a newer wfrun (schema {schema}; this one reads {BASELINE_SCHEMA}): "
            f"upgrade wfrun, or {anew}"
        )


def _refuse_shape(path: Path, error: ValidationError) -> NoReturn:
    first, *others = error.errors(include_url=False)
    field = ".".join(str(part) for part in first["loc"]) or "the whole file"
    more = f", and {len(others)} more" if others else ""
    raise BaselineError(
        f"the baseline {path} has another shape than expected: field {field}: {first['msg']}{more}; "
        f"restore it from version control, or {_RECORD_ANEW.format(path=path)}"
    ) from error


def _shown(form: object) -> str:
    return "missing" if form is None else orjson.dumps(form).decode()[:40]
