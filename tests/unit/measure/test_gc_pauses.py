from __future__ import annotations

import gc

from wfrun.measure.gc_pauses import GcFigures, GcPauses


def test_a_collection_is_counted_with_its_duration() -> None:
    with GcPauses() as pauses:
        gc.collect()

    figures = pauses.figures()
    assert figures.count >= 1
    assert 0 < figures.max_ns <= figures.total_ns


def test_generations_are_told_apart() -> None:
    gc.disable()
    try:
        with GcPauses() as pauses:
            gc.collect(0)
            gc.collect(0)
            gc.collect(2)
    finally:
        gc.enable()

    assert {generation: part.count for generation, part in pauses.by_generation.items()} == {0: 2, 2: 1}


def test_nothing_is_counted_after_the_stop() -> None:
    with GcPauses() as pauses:
        pass

    gc.collect()

    assert pauses.figures() == GcFigures()


def test_starting_again_goes_on_adding_up() -> None:
    pauses = GcPauses()
    for _ in range(2):
        with pauses:
            gc.collect()

    assert pauses.figures().count >= 2


def test_no_callback_is_left_behind() -> None:
    before = len(gc.callbacks)
    pauses = GcPauses()
    pauses.start()
    pauses.start()

    pauses.stop()

    assert len(gc.callbacks) == before


def test_a_collection_that_began_before_is_not_counted() -> None:
    pauses = GcPauses()

    pauses._on_collection("stop", {"generation": 2})

    assert pauses.figures() == GcFigures()
