from __future__ import annotations

import gc

from wfrun.measure.calibration import STEPS, calibrate, spin
from wfrun.measure.gc_pauses import GcPauses


def test_the_loop_is_the_one_stored_calibrations_were_made_with() -> None:
    """A changed loop would make every stored calibration lie; change this number only together with the format."""
    assert (STEPS, spin(STEPS)) == (25_000, 444805017)


def test_each_round_gives_a_duration() -> None:
    durations_ns = calibrate(3)

    assert len(durations_ns) == 3
    assert min(durations_ns) > 100_000


def test_the_garbage_collector_has_nothing_to_do() -> None:
    gc.collect()
    with GcPauses() as pauses:
        calibrate(3)

    assert pauses.figures().count == 0
