"""The end of a page: where the session took place, how it measured, and what is doubtful about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.runner.report.page.markup import listed, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import JsonValue

    from wfrun.runner.record.session_record import SessionRecord

__all__ = ["environment", "warnings"]


def warnings(record: SessionRecord | None) -> Iterator[str]:
    """Yield the doubts about what is recorded."""
    if record is not None and record.warnings:
        yield f'<section id="warnings"><h2>Warnings</h2>{listed(record.warnings, tone="doubts")}</section>'


def environment(record: SessionRecord | None) -> Iterator[str]:
    """Yield the machine, its state and the protocol, folded."""
    if record is None:
        return
    protocol = record.protocol
    rows = [*_rows(record.fingerprint), *_rows(record.conditions)]
    rows.append(("processes of a measured case", f"{protocol.generations}"))
    rows.append(("repetitions", f"{protocol.min_repetitions} to {protocol.max_repetitions}, {protocol.sampling_s:g} s"))
    if record.source is not None:
        changed = " with changes" if record.source.dirty else ""
        rows.append(("commit", f"{record.source.sha or 'none'}{changed}"))
    yield '<section id="environment"><h2>Environment</h2>'
    yield '<details class="fold"><summary>The machine, its state, and the protocol</summary>'
    yield f"{table((), rows)}</details></section>"


def _rows(values: Mapping[str, JsonValue]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        shown = value
        if isinstance(value, list):
            shown = ", ".join(str(each) for each in value)
        elif isinstance(value, dict):
            shown = ", ".join(f"{key} {each}" for key, each in value.items())
        if value not in (None, "", [], {}):
            yield name.replace("_", " "), str(shown)
