"""Drawing from a plain iterable: as much as is quickly there, and its errors are the source's."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from wfrun.concurrency.errors import EndOfChannel
from wfrun.concurrency.inbox import IterableInbox, SourceFailed

if TYPE_CHECKING:
    from collections.abc import Iterator


async def drained(inbox: IterableInbox) -> None:
    while True:
        await inbox.receive_many(8)


async def test_chunks_grow_while_the_iterable_is_quick() -> None:
    inbox = IterableInbox(range(100))

    chunks = [await inbox.receive_many(8) for _ in range(5)]

    assert chunks == [[0], [1, 2], [3, 4, 5, 6], [*range(7, 15)], [*range(15, 23)]]


async def test_chunks_stay_small_while_the_iterable_is_slow() -> None:
    def slow() -> Iterator[int]:
        for item in range(5):
            time.sleep(0.002)
            yield item

    inbox = IterableInbox(slow())

    assert [await inbox.receive_many(8) for _ in range(5)] == [[0], [1], [2], [3], [4]]


async def test_after_the_last_item_comes_the_end_and_stays() -> None:
    inbox = IterableInbox([1])
    await inbox.receive_many(8)

    for _ in range(2):
        with pytest.raises(EndOfChannel):
            await inbox.receive_many(8)


async def test_what_the_iterable_raises_is_the_cause() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise LookupError("gone")

    with pytest.raises(SourceFailed, match="gone") as raised:
        await drained(IterableInbox(source()))

    assert isinstance(raised.value.__cause__, LookupError)


async def test_what_cannot_begin_to_iterate_is_the_sources_failure_too() -> None:
    class Broken:
        def __iter__(self) -> Iterator[int]:
            raise LookupError("no cursor")

    with pytest.raises(SourceFailed, match="no cursor"):
        await IterableInbox(Broken()).receive_many(1)
