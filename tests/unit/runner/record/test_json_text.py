from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import RootModel

from wfrun.runner.record.json_text import json_bytes

TEXTS = st.text() | st.sampled_from(["a[", "]\n[", "\\", '"[\n 1,\n 2\n]', "é,\n", '["', "{", "[1,2]"])
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=20
)


def text_of(value: Any) -> str:
    return json_bytes(RootModel[Any](value)).decode()


@given(VALUES)
def test_what_is_written_is_what_was_given(value: Any) -> None:
    assert json.loads(text_of(value)) == value


@given(st.lists(SCALARS, min_size=1))
def test_a_list_without_containers_is_one_line(values: list[Any]) -> None:
    assert text_of({"samples": values}).count("\n") == 4 - 1


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(-9, 9)), min_size=1))
def test_a_list_of_pairs_of_whole_numbers_is_one_line(pairs: list[tuple[int, int]]) -> None:
    assert text_of({"latency": pairs}).count("\n") == 4 - 1


def test_a_field_stands_on_a_line_of_its_own() -> None:
    value = {"a": 1, "b": {"c": [1, 2], "d": [[1.5, 2]], "e": [], "f": {}}, "g": [["x"], ["y"]]}

    assert text_of(value) == (
        '{\n  "a": 1,\n  "b": {\n    "c": [1,2],\n    "d": [\n      [1.5,2]\n    ],\n    "e": [],\n    "f": {}\n  },\n'
        '  "g": [\n    ["x"],\n    ["y"]\n  ]\n}\n'
    )
