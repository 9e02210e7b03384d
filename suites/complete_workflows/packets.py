"""What flows through the scenarios: packets whose contents can be checked wherever they arrive.

A packet carries the checksum it was made with. A stage that computes over the payload yields a :class:`Digest`; an
independent computation makes the same packets from the same seed, digests them without any channel, and must arrive
at the same answer. Nothing here counts or remembers: proof is in what arrives.
"""

from __future__ import annotations

import hashlib
import random
import zlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "DamagedPacket",
    "Digest",
    "Packet",
    "check_exactly_once",
    "digest_packet",
    "expected_digests",
    "fold_digests",
    "make_packet",
    "make_packets",
    "make_repetitive_packet",
    "verify",
]

PATTERN_BYTES: Final = 4096


class DamagedPacket(Exception):
    """A payload does not match the checksum that its packet was made with."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One item of work."""

    id: int
    payload: bytes
    checksum: int
    """CRC-32 of id and payload, taken when the packet was made."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What processing found out about one packet."""

    id: int
    size_bytes: int
    sha256: str


def make_packet(id: int, size_bytes: int, random: random.Random) -> Packet:  # noqa: A002 - the packet's own word
    """Return a packet with ``size_bytes`` of seeded noise."""
    payload = random.randbytes(size_bytes)
    return Packet(id, payload, _checksum(id, payload))


def make_packets(count: int, size_bytes: int, seed: int, *, first_id: int = 0) -> Iterator[Packet]:
    """Yield ``count`` packets with ids from ``first_id``; each depends on ``seed`` and its id alone."""
    for id_ in range(first_id, first_id + count):
        yield make_packet(id_, size_bytes, random.Random(f"{seed}/{id_}"))  # noqa: S311 - repeatable on purpose


def make_repetitive_packet(id: int, size_bytes: int) -> Packet:  # noqa: A002 - the packet's own word
    """Return a packet whose payload repeats 4 KiB that depend on the id; noise by the gigabyte would take too long."""
    pattern = random.Random(id).randbytes(PATTERN_BYTES)  # noqa: S311 - repeatable on purpose
    payload = (pattern * -(-size_bytes // PATTERN_BYTES))[:size_bytes]
    return Packet(id, payload, _checksum(id, payload))


def verify(packet: Packet) -> Packet:
    """Return ``packet`` after comparing its payload with its checksum.

    Raises:
        DamagedPacket: They differ; the packet was changed on its way.
    """
    found = _checksum(packet.id, packet.payload)
    if found != packet.checksum:
        raise DamagedPacket(f"packet {packet.id}: checksum {found:08x}, made with {packet.checksum:08x}")
    return packet


def digest_packet(packet: Packet) -> Digest:
    """Verify ``packet`` and compute its digest from every byte of it: the work of a processing stage.

    Raises:
        DamagedPacket: The packet was changed on its way.
    """
    verify(packet)
    return Digest(packet.id, len(packet.payload), hashlib.sha256(packet.payload).hexdigest())


def fold_digests(digests: Iterable[Digest]) -> str:
    """Return one digest of many, the same in whatever order they come; a lost, doubled or changed one alters it."""
    folded = hashlib.sha256()
    for digest in sorted(digests, key=lambda digest: (digest.id, digest.sha256)):
        folded.update(f"{digest.id}:{digest.size_bytes}:{digest.sha256}\n".encode())
    return folded.hexdigest()


def expected_digests(count: int, size_bytes: int, seed: int, *, first_id: int = 0) -> dict[int, Digest]:
    """Return by id what processing must find, computed beside the channels from the seed alone."""
    expected = {}
    for id_ in range(first_id, first_id + count):
        payload = random.Random(f"{seed}/{id_}").randbytes(size_bytes)  # noqa: S311 - repeatable on purpose
        expected[id_] = Digest(id_, size_bytes, hashlib.sha256(payload).hexdigest())
    return expected


def check_exactly_once(ids: Iterable[int], expected: Iterable[int]) -> None:
    """Compare the ids that arrived with those that must have arrived, each once.

    Raises:
        AssertionError: Some are missing, came twice, or were never sent; the message names up to five of each.
    """
    arrived, wanted = Counter(ids), set(expected)
    missing = sorted(wanted - arrived.keys())
    doubled = sorted(id_ for id_, count in arrived.items() if count > 1)
    foreign = sorted(arrived.keys() - wanted)
    if missing or doubled or foreign:
        raise AssertionError(
            f"of {len(wanted)} items {len(missing)} missing {missing[:5]}, {len(doubled)} came more than once "
            f"{doubled[:5]}, {len(foreign)} were never sent {foreign[:5]}"
        )


def _checksum(id_: int, payload: bytes) -> int:
    return zlib.crc32(payload, id_ & 0xFFFFFFFF)
