"""How often this machine calls unchanged code different, and how small a change it can show: found out by measuring.

Kept in ``.wfrun``, for the machine that it was measured on alone, and put into the conditions of later records.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from pydantic import AwareDatetime, Field, JsonValue, ValidationError

from wfrun.files import write_atomically
from wfrun.measure.environment import HARD_KEYS
from wfrun.runner.record.json_text import json_bytes
from wfrun.runner.record.measurements import ClosedModel
from wfrun.runner.record.store import hide_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MachineNoise", "keep_noise", "known_noise", "noise_shown"]

STATE_FOLDER: Final = Path(".wfrun")
FILE_NAME: Final = "machine-noise.json"
CONDITION: Final = "machine_noise"


class MachineNoise(ClosedModel):
    """What comparisons of identical sides said on one machine."""

    format: Literal["wfrun-machine-noise"] = Field(default="wfrun-machine-noise", description="tells this file")
    schema_version: Literal[1] = Field(default=1, description="form of this file")
    measured: AwareDatetime = Field(description="when, ISO 8601 with its offset from UTC")
    machine: dict[str, JsonValue] = Field(description="cpu_model, cpu_count, architecture and python_minor")
    comparisons: int = Field(ge=1, description="comparisons of identical sides")
    false_alarms: int = Field(ge=0, description="those that called a side slower or faster")
    inconclusive: int = Field(ge=0, description="those that could not say that the sides are the same")
    threshold_percent: float = Field(description="the change from which on they would have counted, in percent")
    error_percent: float = Field(
        description="how far off the estimates were, as the root of the mean square, in percent"
    )
    minimum_detectable_effect_percent: float = Field(
        description="the smallest change that half of the comparisons would have shown, in percent"
    )
    sampling_s: float = Field(description="sampling time of one comparison, both sides together, in seconds")


def keep_noise(noise: MachineNoise, folder: Path = STATE_FOLDER) -> Path:
    """Keep what was measured for later sessions; return where.

    Raises:
        FileError: It cannot be written.
    """
    hide_folder(folder)
    write_atomically(folder / FILE_NAME, json_bytes(noise))
    return folder / FILE_NAME


def known_noise(fingerprint: Mapping[str, object], folder: Path = STATE_FOLDER) -> dict[str, JsonValue] | None:
    """Return what is known of this machine, as a record's conditions hold it; None where nobody measured it."""
    try:
        noise = MachineNoise.model_validate_json((folder / FILE_NAME).read_bytes())
    except (OSError, ValidationError):
        return None
    if any(noise.machine.get(key) != fingerprint.get(key) for key in HARD_KEYS):
        return None
    kept: dict[str, JsonValue] = noise.model_dump(mode="json", exclude={"format", "schema_version", "machine"})
    return kept


def noise_shown(conditions: Mapping[str, object]) -> str:
    """Return in a sentence what the conditions of a record know of its machine; empty where they know nothing."""
    noise = conditions.get(CONDITION)
    if not isinstance(noise, dict):
        return ""
    try:
        day = datetime.fromisoformat(noise["measured"])
        effect, alarms, count = (
            noise[key] for key in ("minimum_detectable_effect_percent", "false_alarms", "comparisons")
        )
        return (
            f"this machine, measured on {day:%Y-%m-%d}: it shows changes from {float(effect):.1f} % on; "
            f"{int(alarms)} of {int(count)} comparisons of unchanged code were false alarms"
        )
    except (KeyError, TypeError, ValueError):
        return ""  # another version's record: it is no reason to fail
