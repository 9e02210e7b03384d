from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from wfrun.measure import source_state as module
from wfrun.measure.git import MISLEADING
from wfrun.measure.source_state import SourceState, source_state

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in MISLEADING:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)


def git(folder: Path, *arguments: str) -> str:
    settings = ["-c", "user.name=n", "-c", "user.email=e", "-c", "init.defaultBranch=main", "-c", "gc.auto=0"]
    command = ["git", *settings, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init")
    (folder / "tracked").write_text("one\n")
    (folder / ".gitignore").write_text("ignored\n")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "first")
    return folder


def state_of(folder: Path) -> SourceState:
    state, doubt = source_state(folder)
    assert state is not None, doubt
    return state


def test_a_clean_tree_is_its_commit(repository: Path) -> None:
    sha = git(repository, "rev-parse", "HEAD")

    assert state_of(repository) == SourceState(sha=sha, branch="main", dirty=False, diff_hash=None)


def test_a_changed_file_makes_it_dirty(repository: Path) -> None:
    (repository / "tracked").write_text("two\n")

    state = state_of(repository)

    assert state.dirty
    assert state.diff_hash is not None


def test_a_new_file_makes_it_dirty_and_an_ignored_one_does_not(repository: Path) -> None:
    (repository / "ignored").write_text("")
    assert not state_of(repository).dirty

    (repository / "new name\nwith a line").write_text("")

    assert state_of(repository).dirty


def test_a_file_to_be_ignored_counts_as_unchanged(repository: Path) -> None:
    """A baseline that was just written is about this source and no part of it."""
    clean = state_of(repository)
    (repository / "tracked").write_text("two\n")
    (repository / "new").write_text("")
    own = {repository.resolve() / "tracked", repository.resolve() / "new"}

    state, _ = source_state(repository, lambda path: path in own)

    assert state == clean


def test_different_differences_have_different_hashes(repository: Path) -> None:
    hashes = []
    for change in (
        lambda: (repository / "tracked").write_text("two\n"),
        lambda: (repository / "tracked").write_text("three\n"),
        lambda: (repository / "tracked").chmod(0o755),
        lambda: (repository / "new").write_text("a"),
        lambda: (repository / "new").write_text("b"),
        lambda: (repository / "new").rename(repository / "other"),
        lambda: (repository / "link").symlink_to("tracked"),
        (repository / "tracked").unlink,
    ):
        change()
        hashes.append(state_of(repository).diff_hash)

    assert None not in hashes
    assert len(set(hashes)) == len(hashes)


def test_staging_does_not_change_the_hash(repository: Path) -> None:
    (repository / "tracked").write_text("two\n")
    (repository / "new").write_text("a")
    before = state_of(repository)

    git(repository, "add", ".")

    assert state_of(repository) == before


def test_a_conflict_is_a_difference(repository: Path) -> None:
    git(repository, "checkout", "-b", "other")
    (repository / "tracked").write_text("theirs\n")
    git(repository, "commit", "-am", "theirs")
    git(repository, "checkout", "main")
    (repository / "tracked").write_text("ours\n")
    git(repository, "commit", "-am", "ours")
    with pytest.raises(subprocess.CalledProcessError):
        git(repository, "merge", "other")
    first = state_of(repository).diff_hash

    (repository / "tracked").write_text("resolved\n")

    assert None is not first != state_of(repository).diff_hash


def test_a_folder_inside_sees_the_whole_repository(repository: Path) -> None:
    inside = repository / "inside"
    inside.mkdir()
    (repository / "tracked").write_text("two\n")

    assert state_of(inside) == state_of(repository)


def test_before_the_first_commit_there_is_no_sha(tmp_path: Path) -> None:
    git(tmp_path, "init")

    state = state_of(tmp_path)

    assert (state.sha, state.branch, state.dirty) == (None, "main", False)


def test_a_detached_head_has_no_branch(repository: Path) -> None:
    git(repository, "checkout", "--detach")

    state = state_of(repository)

    assert state.branch is None
    assert state.sha is not None


def test_a_changed_submodule_is_a_difference(repository: Path, tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.mkdir()
    git(part, "init")
    git(part, "commit", "--allow-empty", "-m", "part")
    git(repository, "-c", "protocol.file.allow=always", "submodule", "add", str(part), "part")
    git(repository, "commit", "-m", "with part")
    assert not state_of(repository).dirty

    git(repository / "part", "commit", "--allow-empty", "-m", "more")
    first = state_of(repository)
    git(repository / "part", "commit", "--allow-empty", "-m", "still more")

    assert first.dirty
    assert state_of(repository).diff_hash != first.diff_hash


def test_a_pipe_among_the_files_does_not_block(repository: Path) -> None:
    (repository / "tracked").unlink()
    os.mkfifo(repository / "tracked")

    assert state_of(repository).dirty


def test_a_large_file_counts_without_being_read(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGE_FILE_BYTES", 3)
    (repository / "new").write_text("abcd")
    before = state_of(repository)
    monkeypatch.setattr(Path, "read_bytes", lambda _self: pytest.fail("it was read"))

    (repository / "new").write_text("abcdef")

    assert state_of(repository).diff_hash != before.diff_hash


def test_the_settings_of_a_hook_do_not_mislead(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside a hook, GIT_DIR names the hook's repository for every git command, whatever folder it runs in."""
    before = state_of(repository)

    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")

    assert state_of(repository) == before


def test_looking_changes_nothing(repository: Path) -> None:
    (repository / "tracked").touch()
    index = repository / ".git" / "index"
    before = index.stat().st_mtime_ns

    state_of(repository)

    assert index.stat().st_mtime_ns == before


def test_outside_a_repository_it_is_none_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    state, doubt = source_state(tmp_path)

    assert state is None
    assert "not a git repository" in doubt


def test_a_missing_folder_is_none_with_the_reason(tmp_path: Path) -> None:
    state, doubt = source_state(tmp_path / "none")

    assert state is None
    assert "none" in doubt


def test_without_git_it_is_none_with_the_reason(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))

    state, doubt = source_state(repository)

    assert state is None
    assert "git" in doubt


def test_a_git_that_hangs_is_none_with_the_reason(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(module, "GIT_TIMEOUT_S", 0.2)

    state, doubt = source_state(repository)

    assert state is None
    assert "timed out" in doubt
