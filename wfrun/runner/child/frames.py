"""Messages between parent and child: JSON in frames that carry their length and checksum.

A frame is four bytes of length, four bytes of CRC-32, then the JSON. A child may write anything anywhere; a frame that
does not check is a fact about the child, never a wrong result.
"""

from __future__ import annotations

import os
import struct
import zlib
from typing import TYPE_CHECKING, Any, Final

import orjson

from wfrun.errors import WfrunError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DamagedFrame", "FrameDecoder", "encode_frame", "read_frame", "write_frame"]

_HEADER: Final = struct.Struct(">II")
MOST_BYTES: Final = 256 * 2**20
"""A longer length is damage, not a message."""
MOST_LEVELS: Final = 50
"""Values nested deeper become their text where a message cannot be written as it is."""


class DamagedFrame(WfrunError):
    """What came through the pipe is not what was sent: something else wrote to it."""


def encode_frame(message: dict[str, Any]) -> bytes:
    """Return ``message`` as one frame. Values JSON has no word for become their text; nothing makes this fail."""
    try:
        payload = orjson.dumps(message, default=repr, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        # Half a surrogate pair, a huge integer, a circle, a repr() that raises: rare, and an answer must arrive.
        payload = orjson.dumps(_plain(message, MOST_LEVELS))
    return _HEADER.pack(len(payload), zlib.crc32(payload)) + payload


class FrameDecoder:
    """Collects bytes as they come and gives back whole messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Take in ``data`` and yield the messages it completes, in order; those before damage are good.

        Raises:
            DamagedFrame: A length or checksum is wrong; nothing after it can be trusted.
        """
        self._buffer += data
        while len(self._buffer) >= _HEADER.size:
            length, checksum = _HEADER.unpack_from(self._buffer)
            if length > MOST_BYTES:
                raise DamagedFrame(f"a frame claims {length} bytes; something else wrote to the pipe")
            end = _HEADER.size + length
            if len(self._buffer) < end:
                break
            payload = bytes(self._buffer[_HEADER.size : end])
            del self._buffer[:end]
            if zlib.crc32(payload) != checksum:
                raise DamagedFrame("a frame's checksum is wrong; something else wrote to the pipe")
            yield orjson.loads(payload)


def read_frame(descriptor: int) -> dict[str, Any] | None:
    """Wait for one message on a blocking descriptor; ``None`` when the other end is gone."""
    header = _read_exactly(descriptor, _HEADER.size)
    if header is None:
        return None
    length, checksum = _HEADER.unpack(header)
    payload = _read_exactly(descriptor, length) if length <= MOST_BYTES else None
    if payload is None:
        return None
    if zlib.crc32(payload) != checksum:
        raise DamagedFrame("a command's checksum is wrong")
    message: dict[str, Any] = orjson.loads(payload)
    return message


def write_frame(descriptor: int, message: dict[str, Any]) -> None:
    """Write one whole message to a blocking descriptor."""
    frame = encode_frame(message)
    written = os.write(descriptor, frame)
    while written < len(frame):
        written += os.write(descriptor, memoryview(frame)[written:])


def _plain(value: Any, levels: int) -> Any:  # noqa: ANN401 - whatever a case notes
    """Return ``value`` with everything that JSON cannot carry replaced by its text."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return int(value) if -(2**63) <= value < 2**64 else str(value)
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict) and levels > 0:
        return {_text(key): _plain(inner, levels - 1) for key, inner in value.items()}
    if isinstance(value, list | tuple) and levels > 0:
        return [_plain(inner, levels - 1) for inner in value]
    return _text(value)


def _text(value: object) -> str:
    try:
        text = value if isinstance(value, str) else repr(value)
    except Exception:  # noqa: BLE001 - the value's class is anybody's
        text = f"<{type(value).__name__} without a text>"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _read_exactly(descriptor: int, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        part = os.read(descriptor, count - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)
