from __future__ import annotations

import threading
import time

import pytest

from wfrun.errors import UsageError
from wfrun.measure.calibration import spin
from wfrun.measure.stopwatch import Stopwatch


def test_spans_add_up() -> None:
    stopwatch = Stopwatch()
    stopwatch.start()
    first_ns = stopwatch.stop()
    stopwatch.start()
    second_ns = stopwatch.stop()

    assert stopwatch.spans == 2
    assert stopwatch.wall_ns == first_ns + second_ns > first_ns > 0


def test_time_between_spans_does_not_count() -> None:
    stopwatch = Stopwatch()
    started_ns = time.perf_counter_ns()
    with stopwatch:
        pass
    time.sleep(0.02)
    with stopwatch:
        pass
    elapsed_ns = time.perf_counter_ns() - started_ns

    assert stopwatch.wall_ns <= elapsed_ns - 20_000_000


def test_waiting_costs_wall_time_and_hardly_any_processor_time() -> None:
    with Stopwatch() as stopwatch:
        time.sleep(0.05)

    assert stopwatch.wall_ns >= 50_000_000
    assert stopwatch.cpu_ns < 25_000_000


def test_the_processor_time_of_threads_counts() -> None:
    thread = threading.Thread(target=spin, args=(200_000,))

    with Stopwatch() as stopwatch:
        thread.start()
        thread.join()

    assert stopwatch.cpu_ns > 1_000_000


def test_a_failing_span_counts() -> None:
    stopwatch = Stopwatch()

    with pytest.raises(ZeroDivisionError), stopwatch:
        raise ZeroDivisionError

    assert stopwatch.spans == 1
    assert not stopwatch.running


def test_starting_twice_is_refused() -> None:
    with Stopwatch() as stopwatch, pytest.raises(UsageError, match="running already"):
        stopwatch.start()


def test_stopping_what_does_not_run_is_refused() -> None:
    with pytest.raises(UsageError, match="not running"):
        Stopwatch().stop()


def test_a_reset_forgets_everything() -> None:
    stopwatch = Stopwatch()
    with stopwatch:
        pass
    stopwatch.start()

    stopwatch.reset()

    assert (stopwatch.wall_ns, stopwatch.cpu_ns, stopwatch.spans, stopwatch.running) == (0, 0, 0, False)
