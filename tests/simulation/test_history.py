"""A history is right often enough: the short form of prove_history.py."""

from __future__ import annotations

from tests.simulation.prove_history import Nights, creeping, flat, stepped

FIVE = Nights(sessions=5)


def test_nights_that_do_not_change_raise_no_alarm() -> None:
    assert flat(FIVE, 40).alarms == 0


def test_a_step_of_three_percent_is_told_within_two_nights_and_once() -> None:
    found = stepped(FIVE, 40)

    assert found.in_time >= 36
    assert (found.in_the_end, found.alarms) == (40, 0)
    assert found.placed >= 38
    assert found.again <= 1


def test_what_creeps_is_told() -> None:
    assert creeping(FIVE, 15).in_the_end == 15


def test_fewer_sessions_find_it_later_and_raise_no_more_alarms() -> None:
    one = Nights(sessions=1)

    assert flat(one, 40).alarms <= 1
    assert 25 <= stepped(one, 40).in_the_end <= 40
