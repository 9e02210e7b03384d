"""Items on their way between processes: each travels as if alone, though many share one pickle.

Plain values (numbers, texts, bytes, None, and tuples of these) cannot change and can always be pickled, so a batch of
them is one pickle of a list, which is what makes small items cheap. Any other item is *sealed*: pickled by itself, so
that an object two items share does not arrive shared, and one item that cannot be pickled or unpickled spoils no other.
"""

from __future__ import annotations

import pickle
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from wfrun.concurrency.processes.errors import ItemNotPicklable, shortened
from wfrun.concurrency.processes.wire import Body, encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["PLAIN", "Batch", "Failure", "Sealed", "all_sealed_unless_plain", "sealed_unless_plain"]

PLAIN: Final = frozenset({int, float, complex, bool, str, bytes, type(None)})
_MOST_BYTES: Final = 1024 * 1024


class Failure(NamedTuple):
    """What was raised, in words, because not every exception can travel."""

    error_type: str
    message: str
    traceback_text: str

    @classmethod
    def of(cls, error: BaseException, *, own_frames: int = 1) -> Failure:
        """Describe ``error`` without the ``own_frames`` outermost frames, which are not the user's."""
        import traceback  # noqa: PLC0415 - most children never need it

        kind = type(error)
        trace = error.__traceback__
        for _ in range(own_frames):
            trace = trace.tb_next if trace is not None else None
        try:
            message = str(error)
        except Exception:  # noqa: BLE001 - an exception whose text fails is still a failure to report
            message = "(its text could not be had)"
        text = "".join(traceback.format_exception(kind, error, trace)).rstrip()
        return cls(f"{kind.__module__}.{kind.__qualname__}", message, text)


class Sealed:
    """An item that was pickled by itself."""

    __slots__ = ("data",)

    def __init__(self, item: object) -> None:
        # A memoryview cannot be pickled; what it shows can.
        self.data: Final = pickle.dumps(bytes(item) if type(item) is memoryview else item, 5)


def sealed_unless_plain(item: object) -> object:
    """Return ``item`` itself if it is plain, else sealed.

    Raises:
        ItemNotPicklable: It cannot be pickled; the text names it and says why.
    """
    if type(item) in PLAIN or (type(item) is tuple and PLAIN.issuperset(map(type, cast("tuple[object, ...]", item)))):
        return item
    try:
        return Sealed(item)
    except Exception as error:
        raise ItemNotPicklable(f"{shortened(item)} cannot be sent to another process: {error}") from error


def all_sealed_unless_plain(items: Sequence[Any]) -> list[Any]:
    """Return :func:`sealed_unless_plain` of every item, in one go where all are plain, in a new list.

    Raises:
        ItemNotPicklable: One of them cannot be pickled.
    """
    kinds = set(map(type, items))
    if PLAIN.issuperset(kinds):
        return list(items)
    if kinds == {tuple} and PLAIN.issuperset(map(type, chain.from_iterable(items))):
        return list(items)
    return [sealed_unless_plain(item) for item in items]


class Batch:
    """Items, some sealed, some replaced by what went wrong with them."""

    __slots__ = ("failures", "sealed", "values")

    def __init__(
        self,
        values: list[Any] | None = None,
        sealed: list[int] | None = None,
        failures: dict[int, Failure] | None = None,
    ) -> None:
        self.values: Final = [] if values is None else values
        self.sealed: Final = [] if sealed is None else sealed
        self.failures: Final = {} if failures is None else failures

    @classmethod
    def of_prepared(cls, items: list[Any]) -> Batch:
        """Make a batch of items that all went through :func:`sealed_unless_plain`; the list becomes the batch's."""
        sealed: list[int] = []
        if Sealed in set(map(type, items)):
            sealed = [index for index, item in enumerate(items) if type(item) is Sealed]
            for index in sealed:
                items[index] = items[index].data
        return cls(items, sealed)

    @classmethod
    def of(cls, items: list[Any]) -> Batch:
        """Make a batch of any items, those that cannot be pickled as their failures."""
        try:
            return cls.of_prepared(all_sealed_unless_plain(items))
        except ItemNotPicklable:
            pass
        batch = cls()
        for item in items:
            batch.add(item)
        return batch

    def add(self, item: object) -> None:
        """Append an item, sealed unless it is plain; if it cannot be pickled, append that as its failure."""
        if type(item) not in PLAIN:
            try:
                item = sealed_unless_plain(item)
            except ItemNotPicklable as error:
                self.fail(Failure(f"{type(error).__module__}.{type(error).__qualname__}", str(error), ""))
                return
            if type(item) is Sealed:
                self.sealed.append(len(self.values))
                item = item.data
        self.values.append(item)

    def fail(self, failure: Failure) -> None:
        """Append a failure in the place of an item."""
        self.failures[len(self.values)] = failure
        self.values.append(None)

    def pieces(self) -> Iterator[tuple[int, int, Body]]:
        """Yield the batch encoded, as first index, index after the last, and body; large ones in several pieces."""
        return self._pieces(0, len(self.values))

    def _pieces(self, start: int, stop: int) -> Iterator[tuple[int, int, Body]]:
        part: Sequence[Any] = self.values
        sealed, failures = self.sealed, self.failures
        if stop - start < len(self.values):
            part = self.values[start:stop]
            sealed = [index - start for index in sealed if start <= index < stop]
            failures = {index - start: failure for index, failure in failures.items() if start <= index < stop}
        body = encode((part, sealed, failures), shares=False)
        if body.length <= _MOST_BYTES or stop - start == 1:
            yield start, stop, body
            return
        # Large buffers are only referred to so far; encoding again costs little.
        middle = (start + stop) // 2
        yield from self._pieces(start, middle)
        yield from self._pieces(middle, stop)

    @classmethod
    def opened(cls, content: tuple[list[Any], list[int], dict[int, Failure]]) -> Batch:
        """Return the batch whose encoded content was loaded, each sealed item opened or replaced by its failure."""
        values, sealed, failures = content
        for index in sealed:
            try:
                values[index] = pickle.loads(values[index])  # noqa: S301 - see above
            except BaseException as error:  # noqa: BLE001 - unpickling runs the items' own code
                values[index] = None
                failures[index] = Failure.of(error)
        return cls(values, [], failures)
