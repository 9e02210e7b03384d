"""A history for programs: what was looked at, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wfrun.runner.compare.nightly import NightlyCheck
    from wfrun.runner.compare.nights import Look, Move
    from wfrun.runner.record.history import History, Night

__all__ = ["check_json", "history_json"]


def history_json(history: History, machine: str, looks: Iterable[Look]) -> str:
    """Return every series of a machine with its nights, its changes of level, its band and its anchor."""
    return _text(
        {"machine": machine, "damage": _damage(history), "series": [_look(look, whole=True) for look in looks]}
    )


def check_json(history: History, machine: str, check: NightlyCheck) -> str:
    """Return what a check says: whether there are nights enough, what changed, and whether that fails."""
    return _text(
        {
            "machine": machine,
            "damage": _damage(history),
            "nights": check.nights,
            "nights_needed": check.needed,
            "enough": check.enough,
            "failed": bool(check.failing),
            "findings": [
                {
                    "what": finding.what,
                    "fails": finding.fails,
                    **_look(finding.look, whole=False),
                    "move": None if finding.move is None else _move(finding.look, finding.move),
                }
                for finding in check.findings
            ],
            "off_their_anchor": [_look(look, whole=False) for look in check.moved],
            "within": check.within,
            "too_few_nights": [{"case": look.series.case_id, "metric": look.series.metric} for look in check.few],
        }
    )


def _text(value: dict[str, Any]) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _damage(history: History) -> list[dict[str, Any]]:
    return [{"line": damage.line, "why": damage.why} for damage in history.damage]


def _look(look: Look, *, whole: bool) -> dict[str, Any]:
    series = look.series
    facts: dict[str, Any] = {
        "case": series.case_id,
        "title": series.case.title,
        "suite": series.case.suite_title,
        "metric": series.metric,
        "unit": series.unit,
        "better": series.better,
        "gates": series.gates,
        "absent": series.absent,
        "level": look.level,
        "anchor": look.anchor,
        "band": look.band,
    }
    if whole:
        facts["moves"] = [_move(look, move) for move in look.moves]
        facts["nights"] = [_night(night) for night in series.nights]
    return facts


def _move(look: Look, move: Move) -> dict[str, Any]:
    return {
        "kind": move.kind,
        "worse": move.worse,
        "old": move.old,
        "new": move.new,
        "ratio": move.ratio,
        "found": _when(look.series.nights[move.found_at]),
        "since": _when(move.since),
        "before": _when(move.before),
    }


def _when(night: Night) -> dict[str, Any]:
    return {"created": night.created, "commit": night.commit, "dirty": night.dirty}


def _night(night: Night) -> dict[str, Any]:
    return {**_when(night), "value": night.value, "interval": night.interval, "sessions": night.sessions}
