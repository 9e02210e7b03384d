"""Whose code a child imports."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wfrun.runner.against.side import Side, import_roots, strangers
from wfrun.runner.against.worktree import same_length_path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = (tmp_path / "project").resolve()
    (folder / "src").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def test_paths_into_the_project_lead_into_the_other_tree(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(project / "src"))
    monkeypatch.setenv("PYTHONPATH", "/somewhere/else")
    side = Side("main", Path("/other"), project, roots=import_roots(project))

    place = side.place({"PYTHONHASHSEED": "7"})

    assert place.environment["PYTHONPATH"].split(os.pathsep) == ["/other", "/other/src", "/somewhere/else"]
    assert place.environment["PYTHONHASHSEED"] == "7"
    assert place.folder == Path("/other")


def test_an_environment_in_the_project_stays_where_it_is(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = project / ".venv" / "lib" / "site-packages"
    installed.mkdir(parents=True)
    monkeypatch.syspath_prepend(str(installed))

    assert installed not in import_roots(project)


def test_modules_of_another_tree_are_strangers(project: Path) -> None:
    side = Side("main", Path("/other"), project)
    modules = {
        "app": "/other/app.py",
        "helper": str(project / "helper.py"),
        "json": "/usr/lib/python3/json/__init__.py",
        "wfrun.runner.child.main": str(project / "wfrun" / "runner" / "child" / "main.py"),
        "installed": str(project / ".venv" / "lib" / "site-packages" / "installed.py"),
    }

    assert strangers(modules, side, (project,)) == {"helper": str(project / "helper.py")}


def test_the_other_path_is_as_long(project: Path) -> None:
    first, second = same_length_path(project, "base"), same_length_path(project, "base")
    try:
        assert len(os.fsencode(first)) == len(os.fsencode(second)) == len(os.fsencode(project))
        assert first != second
    finally:
        first.rmdir()
        second.rmdir()
