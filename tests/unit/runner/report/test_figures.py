from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.runner.report.figures import figures_table

if TYPE_CHECKING:
    from tests.unit.runner.report.conftest import Make


def test_a_session_without_measurements_has_no_table(make: Make) -> None:
    assert figures_table(make.record()) is None


def test_figures_are_printed_in_their_units(make: Make) -> None:
    record = make.record(
        (
            "[bold] queue",
            {
                "wall_time_ns": ("ns", 2.5e6),
                "throughput_per_s": ("/s", 123_000.0),
                "latency_p50_ns": ("ns", 900.0),
                "latency_p99_ns": ("ns", 45_000.0),
                "peak_rss_bytes": ("B", 3 * 2**20),
            },
        )
    )
    table = figures_table(record)
    assert table is not None

    row = next(line for line in make.text(table).splitlines() if "queue" in line)

    assert "Load Testing · [bold] queue" in row
    figures = [word.strip() for word in row.split("  ") if word.strip()]
    assert figures[1:] == ["2", "123 k/s", "2.50 ms", "900 ns", "45.0 µs", "3.00 MiB"]


def test_the_slowest_case_comes_first(make: Make) -> None:
    record = make.record(
        ("quick", {"wall_time_ns": ("ns", 1.0)}),
        ("slow", {"wall_time_ns": ("ns", 1e9)}),
    )
    table = figures_table(record)
    assert table is not None

    text = make.text(table)

    assert text.index("slow") < text.index("quick")


def test_a_figure_that_was_not_taken_is_a_dash(make: Make) -> None:
    table = figures_table(make.record(("queue", {"wall_time_ns": ("ns", 1e6)})))
    assert table is not None

    row = next(line for line in make.text(table).splitlines() if "queue" in line)

    assert row.split()[-6:] == ["-", "1.00", "ms", "-", "-", "-"]


def test_faster_cases_beyond_twenty_are_counted(make: Make) -> None:
    record = make.record(*((f"case {number}", {"wall_time_ns": ("ns", float(number))}) for number in range(25)))
    short, whole = figures_table(record), figures_table(record, everything=True)
    assert short is not None
    assert whole is not None

    assert "and 5 faster cases" in make.text(short)
    assert make.text(whole).count("Load Testing · case") == 25
