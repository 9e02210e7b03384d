"""What a case keeps beside its result: a text, some bytes, or a file, within a bound."""

from __future__ import annotations

import base64
import codecs
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

__all__ = ["MOST_BYTES", "Attachment"]

MOST_BYTES: Final = 2**20
"""Most that is kept of one attachment; of a longer one the beginning."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """One of them, as it crosses to the parent and stands in the record."""

    name: str
    size_bytes: int
    """Of the whole, even where only its beginning is kept."""
    text: str | None = None
    base64: str | None = None
    """What is kept where it is no text."""

    @classmethod
    def of(cls, name: str, content: bytes | str | Path) -> Attachment:
        """Return what is kept of ``content``; a file is read now.

        Raises:
            OSError: The file cannot be read.
        """
        if isinstance(content, Path):
            with content.open("rb") as file:
                kept = file.read(MOST_BYTES)
            size_bytes = content.stat().st_size
        else:
            whole = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else bytes(content)
            kept, size_bytes = whole[:MOST_BYTES], len(whole)
        try:
            # A character that the bound has cut in two is left out.
            text = codecs.getincrementaldecoder("utf-8")().decode(kept, final=len(kept) == size_bytes)
        except UnicodeDecodeError:
            return cls(name, size_bytes, base64=base64.b64encode(kept).decode("ascii"))
        return cls(name, size_bytes, text=text)

    def content(self) -> bytes:
        """Return what was kept."""
        if self.text is not None:
            return self.text.encode("utf-8", "backslashreplace")
        return base64.b64decode(self.base64 or "")

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"name": self.name, "size_bytes": self.size_bytes, "text": self.text, "base64": self.base64}
