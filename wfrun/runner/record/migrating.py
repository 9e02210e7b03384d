"""Baselines of older forms, brought to the newest one before they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["newest"]


def newest(value: Any) -> bytes:  # noqa: ANN401 - any JSON value; its shape is checked afterwards
    """Return the baseline ``value`` as JSON of the newest form; what is of no known form is left as it is."""
    schema = value.get("schema_version")
    while isinstance(schema, int) and schema in STEPS:
        value = STEPS[schema](value)
        schema = value["schema_version"]
    return orjson.dumps(value)


def _from_1(value: dict[str, Any]) -> dict[str, Any]:
    """Schema 1 knew of accepted changes but applied none, and did not say when they were accepted."""
    accepted = value.get("accepted", [])
    if isinstance(accepted, list):
        accepted = [{"accepted_at": None, **each} if isinstance(each, dict) else each for each in accepted]
    return {**value, "schema_version": 2, "accepted": accepted}


STEPS: Final[Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {1: _from_1}
"""By the schema that a step starts from; each leads to a newer one."""
