"""What ``wfrun doctor`` does: examine the machine, and with ``--aa`` measure how it judges unchanged code."""

from __future__ import annotations

import sys
from pathlib import Path

from wfrun.errors import UsageError
from wfrun.measure.environment import fingerprint
from wfrun.runner.doctor.sheet import examine, sheet_json, sheet_parts
from wfrun.runner.report.console import make_console, print_parts
from wfrun.units import parse_duration

__all__ = ["examine_machine"]


def examine_machine(*, as_json: bool, identical: bool, budget: str | None) -> None:
    """Print the sheet; before that, where it is asked for, compare identical sides and keep what they say.

    Raises:
        UsageError: The budget is no duration, or has nothing to be for.
        FileError: What was measured cannot be kept, or its case could not be run.
    """
    if budget is not None and not identical:
        raise UsageError("--budget says how long --aa may measure; add --aa")
    if identical:
        _measure(_budget_s(budget or "60s"), as_json=as_json)
    findings = examine(Path("/"), Path.cwd().resolve())
    if as_json:
        print(sheet_json(findings))
    else:
        print_parts(make_console(), sheet_parts(findings))


def _budget_s(text: str) -> float:
    try:
        seconds = parse_duration(text)
    except UsageError as error:
        raise UsageError(f"--budget: {error}") from None
    if seconds <= 0:
        raise UsageError(f"--budget {text!r} leaves no time to measure; give some, such as 60s")
    return seconds


def _measure(budget_s: float, *, as_json: bool) -> None:
    # What compares is as heavy as a session, and examining alone has no use for it.
    from wfrun.runner.doctor.identical import identical_sides, noise_of  # noqa: PLC0415 - see above
    from wfrun.runner.record.machine_noise import keep_noise, known_noise  # noqa: PLC0415 - see above

    stream = sys.stderr if as_json else sys.stdout
    decisions, interrupted = identical_sides(budget_s, lambda text: print(text, file=stream, flush=True))
    if not decisions:
        raise KeyboardInterrupt
    noise = noise_of(decisions, fingerprint())  # type: ignore[arg-type]
    before = known_noise(fingerprint())
    if interrupted and before is not None and int(str(before.get("comparisons", 0))) > noise.comparisons:
        print("what was measured before was more, so that is kept", file=stream)
        raise KeyboardInterrupt
    path = keep_noise(noise)
    print(f"kept in {path}: later records and comparisons on this machine tell of it\n", file=stream)
    if interrupted:
        raise KeyboardInterrupt
