from __future__ import annotations

import inspect
import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from wfrun.authoring.collect import collect_file
from wfrun.authoring.source_hash import hashes_within, source_hash

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wfrun.authoring.collect import CollectedCase

SUITE = """from wfrun import Suite
suite = Suite("Hashed")


@suite.case()
def plain():
    assert 1 + 1 == 2


class Holder:
    @suite.case()
    def within():
        def inner():
            return 3

        return inner
"""


@pytest.fixture(autouse=True)
def _untouched_imports(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    modules, path = dict(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - set(modules):
        del sys.modules[name]


def collected(file: Path) -> list[CollectedCase]:
    """Load a file as a process does that has not seen it."""
    for name in [name for name in sys.modules if name.startswith(file.stem)]:
        del sys.modules[name]
    return collect_file(file)


def test_a_hash_that_was_kept_is_that_of_the_lines(tmp_path: Path) -> None:
    file = tmp_path / "suite_hashed.py"
    file.write_text(SUITE)
    first = [case.info.source_hash for case in collected(file)]
    again = collected(file)

    assert [case.info.source_hash for case in again] == first
    assert len(set(first)) == 2
    # What is kept is looked up by the file's name.
    function = again[0].declaration.function
    assert first[0] == source_hash(function.__code__.replace(co_qualname="not kept"))
    assert inspect.getsource(function).startswith("@suite.case()\ndef plain")


def test_functions_within_classes_and_functions_have_one(tmp_path: Path) -> None:
    file = tmp_path / "hashed.py"
    file.write_text(SUITE)
    code = compile(SUITE, str(file), "exec")

    assert {name for _, name in hashes_within(code)} == {
        "plain",
        "Holder",
        "Holder.within",
        "Holder.within.<locals>.inner",
    }


def test_a_copy_of_a_project_is_not_taken_for_the_first(tmp_path: Path) -> None:
    """Byte-code is copied with it, and the times of files may be too."""
    file = tmp_path / "first" / "suite_hashed.py"
    file.parent.mkdir()
    file.write_text(SUITE)
    collected(file)
    shutil.copytree(file.parent, tmp_path / "second")
    copy = tmp_path / "second" / file.name
    copy.write_text(SUITE.replace("1 + 1 == 2", "2 + 2 == 4"))
    os.utime(copy, ns=(0, file.stat().st_mtime_ns))

    (case, _) = collected(copy)

    assert case.declaration.place == f"{copy}:5"
    assert case.info.source_hash != collected(file)[0].info.source_hash
