"""A measured case repeated a little at a time, so that two processes can take turns on one core."""

from __future__ import annotations

import gc
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from wfrun.authoring.declarations import Scope
from wfrun.measure.calibration import calibrate
from wfrun.measure.gc_pauses import GcPauses
from wfrun.measure.memory import peak_rss_bytes, settled_rss_bytes
from wfrun.measure.run_delay import RunDelay
from wfrun.measure.throttle import throttled_since, throttling
from wfrun.runner.child.execute import make_runner
from wfrun.runner.child.messages import CaseResult, Status
from wfrun.runner.child.sample import CALIBRATION_ROUNDS, Figures, declared_metrics, repeat_once, settle
from wfrun.runner.child.suite_loop import tear_down_wide

if TYPE_CHECKING:
    from wfrun.authoring.collect import CollectedCase
    from wfrun.runner.child.execute import PassOptions
    from wfrun.runner.child.messages import FixtureFailure

__all__ = ["Batches"]


class Batches:
    """One half of a pair: made and warmed up once, then asked for a batch at a time, then closed.

    Garbage is collected and frozen before the first batch; after that collection runs as it does in real life, and
    what it takes is in the samples. Times are those of :func:`~wfrun.runner.child.sample.repeat_once`.
    """

    def __init__(self, case: CollectedCase, options: PassOptions, cpu: int | None) -> None:
        """Make the half.

        Args:
            case: What is repeated.
            options: How a pass goes.
            cpu: The core to stay on; ``None`` for any.
        """
        if cpu is not None:
            os.sched_setaffinity(0, {cpu})
        self._cpu = cpu
        self._case = case
        self._options = options
        # Where a case has several cores, what its own processes and threads keep it waiting is part of its work.
        self._delay = None if cpu is None else RunDelay()
        self._figures = Figures(delay=self._delay)
        self._runner = make_runner(case)
        self._throttled = throttling()
        self._pauses = GcPauses()
        self._before_bytes: int | None = None

    def warm(self) -> CaseResult:
        """Pass once without counting it; what outlives a pass is made then. Its duration says how long one takes."""
        self._before_bytes = settle(self._runner)
        result, _ = repeat_once(self._case, self._options, self._runner, self._figures)
        self._figures = Figures(delay=self._delay)
        gc.collect()
        gc.freeze()
        self._pauses.start()
        return result

    def batch(self, least_s: float) -> tuple[CaseResult, dict[str, list[float]]]:
        """Repeat for at least ``least_s`` seconds, at least once.

        Returns:
            The last pass's result, which is the first that did not succeed, and the samples of the others by metric.
        """
        rows: dict[str, list[float]] = {}
        until_s = time.perf_counter() + least_s
        while True:
            result, row = repeat_once(self._case, self._options, self._runner, self._figures)
            for name, value in row.items():
                rows.setdefault(name, []).append(value)
            if result.status is not Status.PASSED or time.perf_counter() >= until_s:
                return result, rows

    def close(self) -> tuple[dict[str, Any], list[FixtureFailure]]:
        """Tear down what was made, and return what is known of the whole process."""
        self._pauses.stop()
        pauses = self._pauses.figures()
        peak_bytes = peak_rss_bytes().value
        after_bytes = settled_rss_bytes().value
        wide, grace_s = self._options.wide, self._options.teardown_grace_s
        failures = (
            []
            if wide is None
            else list(tear_down_wide(self._runner, wide, Scope.SESSION, self._options.guard, grace_s))
        )
        self._runner.close()
        if self._delay is not None:
            self._delay.close()
        samples: dict[str, float] = {"gc_pause_ns": pauses.total_ns, "gc_collections": pauses.count}
        if peak_bytes is not None:
            samples["peak_rss_bytes"] = peak_bytes
        if after_bytes is not None and self._before_bytes is not None:
            samples["kept_rss_bytes"] = after_bytes - self._before_bytes
        return {
            "samples": samples,
            "latency": [list(pair) for pair in self._figures.latency.histogram().to_pairs()],
            "declared": declared_metrics(self._figures),
            "calibration_ns": [float(value) for value in calibrate(CALIBRATION_ROUNDS)],
            "void": self._why_void(),
            "modules": _modules_on_disk(),
        }, failures

    def _why_void(self) -> str | None:
        withheld = throttled_since(self._throttled).value
        if withheld and withheld.happened:
            return "the processor limit of the control group was used up"
        if self._cpu is not None and os.sched_getaffinity(0) != {self._cpu}:
            return "something moved the process off its core"
        return None


def _modules_on_disk() -> dict[str, str]:
    """Return where each imported module came from: the proof of whose code was measured."""
    found = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str):
            found[name] = file
    return found
