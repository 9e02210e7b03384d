"""Checkpoints: the last good one wins, damage is told, and nothing newer is guessed at."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfrun.concurrency.checkpoint import CheckpointError, CheckpointStore, NewerCheckpoint
from wfrun.errors import FileError, UsageError

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def written(path: Path, **changes: object) -> None:
    """Write an intact checkpoint with another header."""
    payload = b"{}"
    header = {"format": "wfrun-checkpoint", "version": 1, "sequence": 1, **changes}
    text = json.dumps(header, separators=(",", ":")).encode()
    header["sha256"] = hashlib.sha256(text + b"\n" + payload).hexdigest()
    path.write_bytes(json.dumps(header, separators=(",", ":")).encode() + b"\n" + payload + b"\n")


def test_an_empty_or_missing_folder_has_no_checkpoint(tmp_path: Path) -> None:
    assert CheckpointStore(tmp_path).load_latest().latest is None
    assert CheckpointStore(tmp_path / "missing").load_latest().latest is None


def test_the_highest_sequence_is_loaded(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    for sequence in (9, 10, 100):
        store.save({"processed": sequence}, sequence)

    latest = CheckpointStore(tmp_path).load_latest().latest

    assert latest is not None
    assert (latest.sequence, latest.state) == (100, {"processed": 100})


@given(state=json_values)
def test_every_json_value_comes_back_as_it_was(state: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = CheckpointStore(Path(folder))
        store.save(state, 1)

        latest = store.load_latest().latest

    assert latest is not None
    assert latest.state == state


@given(data=st.data())
def test_any_damage_to_the_latest_lets_the_previous_win(data: st.DataObject) -> None:
    """Whatever is done to one byte, or to the length, the state before it is loaded and the damage is named."""
    with tempfile.TemporaryDirectory() as folder:
        store = CheckpointStore(Path(folder))
        store.save({"processed": 100, "failed": [1, 2]}, 1)
        path = store.save({"processed": 200, "failed": [1, 2, 3]}, 2).path
        content = path.read_bytes()
        if data.draw(st.booleans(), label="truncate"):
            damaged = content[: data.draw(st.integers(0, len(content) - 1))]
        else:
            place = data.draw(st.integers(0, len(content) - 1))
            flip = data.draw(st.integers(1, 255))
            damaged = content[:place] + bytes([content[place] ^ flip]) + content[place + 1 :]
        path.write_bytes(damaged)

        loaded = store.load_latest()

    assert loaded.latest is not None
    assert loaded.latest.state == {"processed": 100, "failed": [1, 2]}
    assert [damage.path for damage in loaded.damaged] == [path]


def test_appended_bytes_are_damage(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    path = store.save([1], 1).path
    path.write_bytes(path.read_bytes() + b"\n")

    loaded = store.load_latest()

    assert loaded.latest is None
    assert loaded.damaged[0].reason == "its checksum does not fit its content"


def test_a_header_that_only_means_the_same_is_damage(tmp_path: Path) -> None:
    """Somebody's hand, or a tool that reformats: what else it changed is not known."""
    store = CheckpointStore(tmp_path)
    path = store.save([1], 1).path
    path.write_bytes(path.read_bytes().replace(b'"version":', b'"version": ', 1))

    assert store.load_latest().latest is None


def test_a_file_under_another_sequence_is_damage(tmp_path: Path) -> None:
    written(tmp_path / "checkpoint-000000000002.json")

    loaded = CheckpointStore(tmp_path).load_latest()

    assert loaded.latest is None
    assert "holds sequence 1" in loaded.damaged[0].reason


def test_so_many_are_kept(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, keep=2)

    for sequence in range(5):
        store.save(sequence, sequence)

    assert names(tmp_path) == ["checkpoint-000000000003.json", "checkpoint-000000000004.json"]


def test_a_kill_before_the_rename_leaves_the_previous_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = CheckpointStore(tmp_path, keep=1)
    store.save("before", 1)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match="No space left"):
        store.save("after", 2)

    latest = store.load_latest().latest
    assert latest is not None
    assert latest.state == "before"


def test_what_a_killed_save_left_is_swept_up_by_the_next(tmp_path: Path) -> None:
    (tmp_path / ".checkpoint-000000000001.json.abc.tmp").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("not ours")

    CheckpointStore(tmp_path).save("state", 1)

    assert names(tmp_path) == ["checkpoint-000000000001.json", "notes.txt"]


def test_a_damaged_newer_one_is_moved_out_of_the_way(tmp_path: Path) -> None:
    """Or the run that resumed from an older one would never load what it saves now."""
    store = CheckpointStore(tmp_path, keep=1)
    (tmp_path / "checkpoint-000000000009.json").write_bytes(b"garbage")

    store.save("resumed", 5)

    latest = store.load_latest().latest
    assert latest is not None
    assert latest.state == "resumed"
    assert "checkpoint-000000000009.json.damaged" in names(tmp_path)


def test_saving_behind_a_good_one_is_refused(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    store.save("newer", 7)

    with pytest.raises(CheckpointError, match="newer than sequence 6"):
        store.save("older", 6)


def test_saving_a_sequence_again_replaces_it(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    store.save("first", 1)
    store.save("second", 1)

    latest = store.load_latest().latest
    assert latest is not None
    assert latest.state == "second"


def test_an_intact_file_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    """Going back behind it in silence would lose what the newer version did."""
    store = CheckpointStore(tmp_path)
    store.save("old", 0)
    written(tmp_path / "checkpoint-000000000001.json", version=2)

    with pytest.raises(NewerCheckpoint, match="format version 2"):
        store.load_latest()


def test_an_intact_file_of_another_format_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "checkpoint-000000000001.json", format="other")

    with pytest.raises(CheckpointError, match="'other'"):
        CheckpointStore(tmp_path).load_latest()


@pytest.mark.parametrize(
    "state",
    [(1, 2), {1: "a"}, float("nan"), {"a"}, object(), {"deep": [(1,)]}],
    ids=lambda state: repr(state)[:20],
)
def test_a_state_that_would_not_come_back_is_refused(tmp_path: Path, state: object) -> None:
    with pytest.raises(CheckpointError):
        CheckpointStore(tmp_path).save(state, 1)

    assert names(tmp_path) == []


def test_keeping_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        CheckpointStore(tmp_path, keep=0)


def test_a_negative_sequence_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        CheckpointStore(tmp_path).save("state", -1)
