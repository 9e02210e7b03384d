"""Why a case got worse: changed functions are named, the dearest first, and unchanged ones never."""

from __future__ import annotations

from wfrun.runner.compare.why import cost_of, why
from wfrun.runner.record.models import FunctionRecord


def function(name: str, calls: int, own_ns: int, allocated_bytes: int = 0, line: int = 1) -> FunctionRecord:
    return FunctionRecord(
        file="app/codec.py", line=line, name=name, calls=calls, own_ns=own_ns, allocated_bytes=allocated_bytes
    )


def test_a_function_that_is_called_more_often_is_named_with_its_place() -> None:
    before = [function("decode", 1, 50_000), function("parse", 300, 900_000, line=41)]
    after = [function("decode", 1, 52_000), function("parse", 600, 1_800_000, line=43)]

    (change,) = why(before, after)

    assert change.describe() == "parse() in app/codec.py:43 called 300 → 600 times"
    assert round(change.share, 2) == 0.95


def test_a_function_that_takes_much_longer_is_named_although_it_is_called_as_often() -> None:
    (change,) = why([function("parse", 300, 900_000)], [function("parse", 300, 1_800_000)])

    assert change.describe() == "parse() in app/codec.py:1 took 900 µs → 1.80 ms by itself"


def test_times_alone_scatter_and_name_nobody() -> None:
    assert not why([function("parse", 300, 900_000)], [function("parse", 300, 1_000_000)])


def test_what_does_less_than_before_explains_nothing() -> None:
    assert not why([function("parse", 300, 900_000)], [function("parse", 200, 600_000)])


def test_memory_is_explained_by_who_asked_for_it() -> None:
    before = [function("parse", 300, 900_000, 100_000), function("join", 10, 1_000, 500_000)]
    after = [function("parse", 300, 2_000_000, 100_000), function("join", 10, 1_000, 900_000)]

    (change,) = why(before, after, cost_of("allocated_bytes", "B"))

    assert change.name == "join"
    assert "asked for 488 KiB → 879 KiB" in change.describe()


def test_more_calls_are_explained_by_calls() -> None:
    before = [function("parse", 300, 900_000), function("len_of", 10, 1_000)]
    after = [function("parse", 300, 900_000), function("len_of", 500, 2_000)]

    assert [change.name for change in why(before, after, cost_of("function_calls", ""))] == ["len_of"]


def test_the_dearest_comes_first() -> None:
    before = [function("cheap", 100, 100_000), function("dear", 100, 900_000)]
    after = [function("cheap", 200, 200_000), function("dear", 200, 1_800_000)]

    assert [change.name for change in why(before, after)] == ["dear", "cheap"]


def test_a_new_function_was_not_called_before() -> None:
    before, after = [function("old", 1, 1_000)], [function("old", 1, 1_000), function("added", 50, 9_000)]

    (change,) = why(before, after)

    assert change.describe() == "added() in app/codec.py:1 called 0 → 50 times"


def test_of_one_that_was_not_kept_it_is_not_said_that_nobody_called_it() -> None:
    """Only the functions that did most are kept; another may have been called a little."""
    before = [function(f"f{number}", 1, 1_000) for number in range(40)]

    (change,) = why(before, [*before, function("added", 50, 90_000)])

    assert change.describe() == "added() in app/codec.py:1 called 50 times, and hardly before"


def test_functions_of_one_name_are_told_apart_by_their_order() -> None:
    """Lines move when code above is edited, so they cannot be what a function is known by."""
    before = [function("<lambda>", 10, 10_000, line=5), function("<lambda>", 100, 100_000, line=9)]
    after = [function("<lambda>", 10, 10_000, line=7), function("<lambda>", 200, 200_000, line=11)]

    (change,) = why(before, after)

    assert (change.line, change.calls_before, change.calls_after) == (11, 100, 200)
