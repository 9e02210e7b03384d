"""The record of a session: everything it produced, as values that can be kept."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wfrun.runner.record.figures import measurements_of
from wfrun.runner.record.json_text import json_parts
from wfrun.runner.record.session_record import (
    AttachmentRecord,
    AttemptRecord,
    CommandRecord,
    FixtureFailureRecord,
    LoadFailureRecord,
    OutcomeRecord,
    Protocol,
    SessionRecord,
)
from wfrun.runner.record.surroundings import look_around
from wfrun.units import format_duration
from wfrun.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic import JsonValue

    from wfrun.authoring.attachments import Attachment
    from wfrun.runner.discover.discovery import Discovery
    from wfrun.runner.options import MeasureProtocol, SessionOptions
    from wfrun.runner.plan.planned import Plan
    from wfrun.runner.record.comparison_record import ComparedWith
    from wfrun.runner.record.measurements import CaseMeasurements
    from wfrun.runner.record.surroundings import Surroundings
    from wfrun.runner.run.outcomes import Attempt, Outcome, Outcomes, RunResult

    CaseKey = tuple[str, int]

__all__ = ["Recording", "record_session"]


@dataclass(frozen=True, slots=True)
class Recording:
    """The record of a session, of which each outcome is recorded when it is asked for: there may be very many."""

    head: SessionRecord
    """The record with the outcomes alone that have figures."""
    outcomes: Outcomes
    figures: Mapping[CaseKey, CaseMeasurements]
    commands: Mapping[CaseKey, Sequence[CommandRecord]] = field(default_factory=dict)
    """What makes failures come back."""

    def ended(self, exit_code: int, comparison: ComparedWith | None = None) -> Recording:
        """Return the record of a session that ended so, with what it was compared with."""
        return replace(self, head=self.head.model_copy(update={"exit_code": exit_code, "comparison": comparison}))

    def whole(self) -> SessionRecord:
        """Return the record with all of its outcomes."""
        outcomes = tuple(OutcomeRecord(**values) for values in self._values())
        return self.head.model_copy(update={"outcomes": outcomes})

    def json(self) -> Iterator[bytes]:
        """Return the whole record as JSON, part by part."""
        return json_parts(self.head.model_copy(update={"outcomes": ()}), "outcomes", map(_plain, self._values()))

    def _values(self) -> Iterator[dict[str, Any]]:
        known = self.figures.keys() | self.commands.keys()
        for outcome in self.outcomes:
            if known and (key := outcome.case.key) in known:
                yield _outcome_values(outcome, self.figures.get(key), self.commands.get(key, ()))
            else:
                yield _outcome_values(outcome, None)


def record_session(
    plan: Plan,
    run_result: RunResult,
    discovery: Discovery,
    options: SessionOptions,
    *,
    surroundings: Surroundings | None = None,
) -> Recording:
    """Return the record of a finished, or interrupted, run.

    Args:
        plan: What was to run.
        run_result: What became of it.
        discovery: Where the cases came from, and what could not be loaded.
        options: For the protocol, and for the outputs, which do not count as changes of the source.
        surroundings: ``None`` to look at this machine and at the repository around the current folder now.
    """
    around = surroundings or look_around(discovery, options.outputs, Path.cwd())
    figures: dict[CaseKey, CaseMeasurements] = {}
    measured: list[OutcomeRecord] = []
    warnings: list[str] = [*discovery.warnings]
    for outcome in run_result.outcomes.told:
        measurements, doubts = measurements_of(outcome)
        if measurements is not None:
            figures[outcome.case.key] = measurements
            measured.append(OutcomeRecord(**_outcome_values(outcome, measurements)))
        warnings.extend((*doubts, *outcome.warnings, *_near_time_out(outcome)))
    head = SessionRecord(
        created=around.created,
        tool_version=__version__,
        seed=plan.seed,
        fingerprint=around.fingerprint,
        conditions=around.conditions,
        source=around.source,
        source_doubt=_text(around.source_doubt),
        protocol=_protocol(options.limits.protocol),
        duration_s=round(run_result.duration_s, 6),
        interrupted=run_result.interrupted,
        faults=tuple(_text(fault) for fault in run_result.faults),
        discovered=plan.discovered,
        planned=len(plan.cases),
        selected=plan.selected,
        in_shard=plan.in_shard,
        selection=plan.selection_digest,
        shard=None if plan.shard is None else str(plan.shard),
        order=plan.order,
        load_failures=tuple(
            LoadFailureRecord(file=_text(f.file), message=_text(f.message), traceback=_text(f.traceback))
            for f in discovery.failures
        ),
        fixture_failures=tuple(
            FixtureFailureRecord(**{name: _text(value) for name, value in asdict(failure).items()})
            for failure in run_result.fixture_failures
        ),
        outcomes=tuple(measured),
        warnings=tuple(_text(warning) for warning in dict.fromkeys(warnings)),
    )
    return Recording(head, run_result.outcomes, figures)


def _near_time_out(outcome: Outcome) -> Iterator[str]:
    if outcome.near_time_out:
        taken, limit = format_duration(outcome.duration_s), format_duration(outcome.case.timeout_s)
        yield f"{outcome.case.info.id}: took {taken} of the {limit} it may take"


def _protocol(protocol: MeasureProtocol) -> Protocol:
    return Protocol(
        generations=protocol.generations,
        sampling_s=protocol.sampling_s,
        min_repetitions=protocol.min_repetitions,
        max_repetitions=protocol.max_repetitions,
    )


def _outcome_values(
    outcome: Outcome, measurements: CaseMeasurements | None, commands: Sequence[CommandRecord] = ()
) -> dict[str, Any]:
    """Return the fields of an :class:`OutcomeRecord`, in its order.

    Making one takes longer than all the rest that is done with an outcome, so only those that are looked at are made.
    """
    info = outcome.case.info
    return {
        "id": _text(info.id),
        "title": _text(info.title),
        "suite": _text(info.suite_title),
        "kinds": info.kinds,
        "tier": info.tier,
        "tags": tuple(map(_text, info.tags)),
        "parameters": {_text(name): _text(value) for name, value in info.parameters.items()},
        "file": _text(info.file),
        "line": info.line,
        "source_hash": info.source_hash,
        "seed": outcome.case.seed,
        "measured": outcome.case.measured,
        "status": outcome.status,
        "duration_s": round(outcome.duration_s, 6),
        "message": _text(outcome.message),
        "details": _text(outcome.details),
        "output": _text(outcome.output.text),
        "output_dropped_bytes": outcome.output.dropped_bytes,
        "items": outcome.items,
        "notes": {_text(name): _json_value(value) for name, value in outcome.notes.items()},
        "attachments": tuple(map(_attachment, outcome.attachments)),
        "unfinished_teardowns": tuple(map(_text, outcome.unfinished_teardowns)),
        "findings": tuple(map(_text, outcome.findings)),
        "measurements": measurements,
        "turn": outcome.case.turn,
        "attempts": tuple(map(_attempt, outcome.attempts)),
        "reproduce": tuple(commands),
    }


def _attachment(kept: Attachment) -> AttachmentRecord:
    return AttachmentRecord(
        name=_text(kept.name),
        size_bytes=kept.size_bytes,
        text=None if kept.text is None else _text(kept.text),
        base64=kept.base64,
    )


def _attempt(attempt: Attempt) -> AttemptRecord:
    return AttemptRecord(
        status=attempt.status,
        duration_s=round(attempt.duration_s, 6),
        message=_text(attempt.message),
        details=_text(attempt.details),
        output=_text(attempt.output.text),
    )


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an outcome as JSON can hold them; of most they are that already."""
    if values["measurements"] is None and not (values["attachments"] or values["attempts"] or values["reproduce"]):
        return values
    return OutcomeRecord(**values).model_dump(mode="json")


def _text(text: str) -> str:
    """Return ``text`` as UTF-8 can hold it: what a case prints may contain halves of surrogate pairs."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def _json_value(value: Any) -> JsonValue:  # noqa: ANN401 - whatever an author attached
    """Return ``value`` as JSON can hold it; what JSON has no form for becomes its text."""
    match value:
        case None | bool():
            return value
        case int():
            # orjson, like most readers, stops at 64 bits.
            return value if -(2**63) <= value < 2**64 else str(value)
        case float():
            return value if math.isfinite(value) else str(value)
        case str():
            return _text(value)
        case dict():
            return {_text(str(name)): _json_value(part) for name, part in value.items()}
        case list() | tuple():
            return [_json_value(part) for part in value]
        case _:
            return _text(json.dumps(value, default=str))
