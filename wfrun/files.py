"""Files that are either the old one or the new one, never a half."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from wfrun.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["folder_locked", "parts", "read_bytes", "write_atomically"]

LOCK_PATIENCE_S: Final = 2.0
"""How long another session's turn is waited for; it takes milliseconds unless that session is suspended."""


def write_atomically(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Replace ``path`` by ``content``: temporary file in the same folder, fsync, rename, fsync of the folder.

    A crash, a full disk or a signal at any moment leaves the old file whole, or no file where there was none.

    Raises:
        FileError: The folder cannot be made or the file cannot be written; the text says why, and that the old file
            is whole.
    """
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        with os.fdopen(descriptor, "wb") as stream:
            stream.writelines(parts(content))
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        os.replace(temporary, path)  # noqa: PTH105 - the temporary name is a string already
        temporary = None
        _sync_folder(path.parent)
    except OSError as error:
        whole = "; the file that was there is unchanged" if path.is_file() else ""
        raise FileError(f"cannot write {path}: {error.strerror or error}{whole}") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108 - as above


def parts(content: bytes | Iterable[bytes]) -> Iterable[bytes]:
    """Return ``content`` as parts, also where it is whole."""
    return (content,) if isinstance(content, bytes) else content


def read_bytes(path: Path) -> bytes:
    """Return the content of ``path``.

    Raises:
        FileError: It cannot be read; the text says why.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror or error}") from error


@contextmanager
def folder_locked(folder: Path) -> Iterator[None]:
    """Keep other processes that ask for it out of ``folder`` meanwhile, so that what is read there can be added to.

    The folder is made where it is missing. After two seconds, or on a file system without locks, it goes on without.

    Raises:
        FileError: The folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise FileError(f"cannot write in {folder}: {error.strerror or error}") from error
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    import fcntl  # noqa: PLC0415 - only what adds to files needs it

    due_s = time.monotonic() + LOCK_PATIENCE_S
    while time.monotonic() < due_s:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.01)
        except OSError:
            return
        else:
            return


def _umask() -> int:
    current = os.umask(0o022)
    os.umask(current)
    return current


def _sync_folder(folder: Path) -> None:
    # Without this a power cut may forget the rename. Some file systems refuse it; the rename itself stands.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
