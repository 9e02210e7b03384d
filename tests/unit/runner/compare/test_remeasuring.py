"""Whether a baseline of another machine could be measured again: its commit must be here, and be all there was."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

import pytest

from wfrun.runner.compare.remeasuring import remeasurable
from wfrun.runner.record.models import SourceRecord

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.runner.conftest import Maker
    from wfrun.runner.record.models import Baseline

GIT: Final = shutil.which("git") or "git"


@pytest.fixture
def commit(tmp_path: Path) -> str:
    """A repository with one commit; its hash."""

    def git(*arguments: str) -> str:
        names = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
        return subprocess.run(
            [GIT, *arguments],
            cwd=tmp_path,
            env={**os.environ, **dict.fromkeys(names, "a@b")},
            check=True,
            capture_output=True,
            text=True,
            timeout=20,
        ).stdout.strip()

    git("init", "--quiet")
    git("commit", "--quiet", "--allow-empty", "--message", "first")
    return git("rev-parse", "HEAD")


def taken_at(make: Maker, sha: str | None, *, dirty: bool = False) -> Baseline:
    make.source = SourceRecord(sha=sha, branch=None, dirty=dirty, diff_hash="abc" if dirty else None)
    return make.baseline(make.record(make.measured({"wall_time_ns": [[1.0]] * 5})))


def test_a_commit_that_is_here_can_be_measured(make: Maker, commit: str, tmp_path: Path) -> None:
    assert remeasurable(taken_at(make, commit), tmp_path) == (commit, "")


@pytest.mark.parametrize(
    ("sha", "dirty", "reason"),
    [
        ("c0ffee" * 6 + "c0ff", False, "commit c0ffeec0ff is not in this repository"),
        (None, False, "the baseline names no commit"),
        ("c0ffee" * 6 + "c0ff", True, "the baseline was taken with uncommitted changes on top of c0ffeec0ff"),
    ],
)
@pytest.mark.usefixtures("commit")
def test_what_stands_against_it_is_said(
    make: Maker, tmp_path: Path, sha: str | None, reason: str, *, dirty: bool
) -> None:
    found, why_not = remeasurable(taken_at(make, sha, dirty=dirty), tmp_path)

    assert found is None
    assert why_not.startswith(reason)


def test_outside_a_repository_git_says_so(make: Maker, tmp_path: Path) -> None:
    found, why_not = remeasurable(taken_at(make, "c0ffee" * 6 + "c0ff"), tmp_path)

    assert found is None
    assert "not a git repository" in why_not
