from __future__ import annotations

import ast
import asyncio
import weakref
from typing import Any

import pytest

from wfrun.authoring.explain import EXPLAIN_NAME, UNSET_NAME, UNSET_VALUE, explain, rewrite_asserts


def run(source: str, **names: Any) -> dict[str, Any]:
    """Compile ``source`` as a suite file would be, and run it."""
    scope = {EXPLAIN_NAME: explain, UNSET_NAME: UNSET_VALUE, **names}
    exec(compile(rewrite_asserts(ast.parse(source), source), "suite_x.py", "exec"), scope)  # noqa: S102 - test source
    return scope


def failure(source: str, **names: Any) -> str:
    with pytest.raises(AssertionError) as caught:
        run(source, **names)
    return str(caught.value)


def test_a_comparison_shows_the_values_of_its_parts() -> None:
    text = failure("assert len(received) == wanted * 2", received=[1, 2, 3], wanted=2)

    assert text.splitlines() == [
        "assert len(received) == wanted * 2",
        "  received = [1, 2, 3]",
        "  wanted = 2",
        "  len(received) = 3",
        "  wanted * 2 = 4",
    ]


def test_the_authors_message_comes_first() -> None:
    assert failure("assert flag, f'not {name}'", flag=0, name="ready").startswith("not ready\nassert flag\n  flag = 0")


def test_unequal_sequences_name_the_first_difference() -> None:
    text = failure("assert left == right", left=[1, 2, 3, 4], right=[1, 2, 9])

    assert "lengths 4 and 3" in text
    assert "first difference at index 2: 3 != 9" in text


def test_unequal_mappings_and_sets_name_what_differs() -> None:
    assert "at 'b': 2 != 3" in failure("assert a == b", a={"a": 1, "b": 2}, b={"a": 1, "b": 3})
    text = failure("assert a == b", a={1, 2}, b={2, 3})
    assert "only on the left: {1}" in text
    assert "only on the right: {3}" in text


def test_unequal_texts_of_several_lines_are_shown_as_a_difference() -> None:
    text = failure("assert a == b", a="one\ntwo\n", b="one\nthree\n")

    assert "- three" in text
    assert "+ two" in text


def test_nothing_is_evaluated_twice_or_beyond_a_short_circuit() -> None:
    calls: list[str] = []

    def call(name: str, value: object) -> object:
        calls.append(name)
        return value

    text = failure("assert call('a', 0) and call('b', 1)", call=call)

    assert calls == ["a"]
    assert "call('a', 0) = 0" in text
    assert "'b'" not in text.partition("\n")[2]


def test_chained_comparisons_keep_their_meaning() -> None:
    run("assert 0 < n < 10", n=5)
    assert "n = 12" in failure("assert 0 < n < 10", n=12)


def test_comprehensions_lambdas_and_walruses_are_left_alone() -> None:
    run("assert all(x > 0 for x in items)\nassert (n := len(items)) == 2\nassert (lambda y: y)(n)", items=[1, 2])
    assert "items = [-1]" in failure("assert all([x > 0 for x in items]) is list(items)", items=[-1])


def test_awaited_values_are_shown() -> None:
    source = """
async def case():
    assert await value() == 2
"""

    async def value() -> int:
        return 1

    with pytest.raises(AssertionError, match=r"await value\(\) = 1"):
        asyncio.run(run(source, value=value)["case"]())


def test_a_passing_assertion_keeps_nothing_alive() -> None:
    class Large:
        ok = True

    source = """
def case(make, seen):
    assert make().ok
    return seen()
"""
    seen: list[weakref.ref[Large]] = []

    def make() -> Large:
        large = Large()
        seen.append(weakref.ref(large))
        return large

    assert run(source)["case"](make, lambda: seen[0]()) is None  # noqa: PLW0108 - there is none before the call


def test_a_repr_that_raises_does_not_hide_the_failure() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    assert "thing = <Broken instance at" in failure("assert thing is None", thing=Broken())


def test_huge_values_are_shortened() -> None:
    assert len(failure("assert not items", items=list(range(100_000)))) < 500
