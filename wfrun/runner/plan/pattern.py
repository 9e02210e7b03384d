r"""The language of ``--pattern`` and ``--exclude``: phrases joined by ``and``, ``or``, ``not`` and parentheses.

::

    pattern = all { "or" all }
    all     = one { "and" one }
    one     = "not" one | "(" pattern ")" | phrase
    phrase  = piece { piece }            adjacent pieces are one phrase
    piece   = word | quoted              quoted: "and", "or (not)"; \" and \\ stand for " and \

``and``, ``or`` and ``not`` may be written in capitals. A phrase is looked for as it stands, in any case of
letters, with ``_`` and every run of white space as one space.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, NoReturn, TypeAlias

from wfrun.errors import UsageError

__all__ = ["AllOf", "AnyOf", "Expression", "Not", "PatternError", "Phrase", "literal_pattern", "parse_pattern"]

MOST_NESTED: Final = 50
OPERATORS: Final = ("and", "or", "not")

_TOKEN: Final = re.compile(
    r'\s+|(?P<mark>[()])|"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<open>")|(?P<word>[^\s()"]+)', re.DOTALL
)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)


class PatternError(UsageError):
    """A pattern that cannot be read; the text shows it with a caret below the place."""

    def __init__(self, option: str, problem: str, text: str, position: int) -> None:
        # Every white space is one column, so that the caret stands where it should.
        shown = "".join(" " if letter.isspace() else letter for letter in text)
        before = sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in shown[:position])
        super().__init__(f"{option}: {problem}\n  {shown}\n  {' ' * before}^")
        self.position = position


@dataclass(frozen=True, slots=True)
class Phrase:
    """Holds where this text stands."""

    text: str

    def holds(self, plain: str) -> bool:
        """Return whether it holds for a text that :func:`plain_text` returned."""
        return self.text in plain


@dataclass(frozen=True, slots=True)
class Not:
    """Holds where the other does not."""

    part: Expression

    def holds(self, plain: str) -> bool:
        """Return whether it holds for a text that :func:`plain_text` returned."""
        return not self.part.holds(plain)


@dataclass(frozen=True, slots=True)
class AllOf:
    """Holds where all parts do."""

    parts: tuple[Expression, ...]

    def holds(self, plain: str) -> bool:
        """Return whether it holds for a text that :func:`plain_text` returned."""
        return all(part.holds(plain) for part in self.parts)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Holds where any part does."""

    parts: tuple[Expression, ...]

    def holds(self, plain: str) -> bool:
        """Return whether it holds for a text that :func:`plain_text` returned."""
        return any(part.holds(plain) for part in self.parts)


Expression: TypeAlias = Phrase | Not | AllOf | AnyOf


def parse_pattern(text: str, option: str = "--pattern") -> Expression:
    """Return what ``text`` means.

    Args:
        text: As it was written.
        option: Named where it cannot be read.

    Raises:
        PatternError: It cannot be read; the message says why and shows where.
    """
    return _Parser(text, option).whole()


def literal_pattern(text: str) -> str:
    """Return the pattern that looks for ``text`` as it stands: in quotes where it could mean something else."""
    words = text.casefold().split()
    if words and not set('()"').intersection(text) and not set(OPERATORS).intersection(words):
        return text
    return '"{}"'.format(text.replace("\\", "\\\\").replace('"', '\\"'))


def plain_text(text: str) -> str:
    """Return ``text`` as phrases are compared: without capitals, with ``_`` and every run of white space as a space."""
    return " ".join(text.casefold().replace("_", " ").split())


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    position: int
    is_literal: bool
    """Part of a phrase, and neither an operator nor a parenthesis."""


class _Parser:
    """Recursive descent over the tokens of one pattern; each method takes what its rule of the grammar describes."""

    def __init__(self, text: str, option: str) -> None:
        self._text = text
        self._option = option
        self._tokens = self._split()
        self._next = 0
        self._depth = 0

    def whole(self) -> Expression:
        if not self._tokens:
            self._refuse("the pattern is empty; write a part of a title, or leave the option out", 0)
        expression = self._pattern()
        token = self._peek()
        if token is not None and token.text == ")":
            self._refuse('there is no "(" for this ")"', token.position)
        if token is not None:
            self._refuse(
                f'write "and" or "or" before {token.text!r}, or put a phrase that holds it in quotes', token.position
            )
        return expression

    def _pattern(self) -> Expression:
        parts = [self._all()]
        while self._take("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _all(self) -> Expression:
        parts = [self._one()]
        while self._take("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _one(self) -> Expression:
        self._depth += 1
        if self._depth > MOST_NESTED:
            self._refuse(f"this is nested deeper than {MOST_NESTED} times", self._here())
        expression = self._nested()
        self._depth -= 1
        return expression

    def _nested(self) -> Expression:
        if self._take("not"):
            return Not(self._one())
        opened = self._here()
        if not self._take("("):
            return self._phrase()
        expression = self._pattern()
        if not self._take(")"):
            token = self._peek()
            if token is None:
                self._refuse('there is no ")" for this "("', opened)
            self._refuse(f'write "and", "or" or ")" before {token.text!r}', token.position)
        return expression

    def _phrase(self) -> Expression:
        pieces = []
        start = self._here()
        while (token := self._peek()) is not None and token.is_literal:
            pieces.append(token.text)
            self._next += 1
        if not pieces:
            before = self._tokens[self._next - 1].text if self._next else ""
            self._refuse(f"a phrase is missing {f'after {before!r}' if before else 'here'}", start)
        phrase = plain_text(" ".join(pieces))
        if not phrase:
            self._refuse("this phrase is empty, so every case would have it", start)
        return Phrase(phrase)

    def _split(self) -> list[_Token]:
        tokens = []
        for found in _TOKEN.finditer(self._text):
            if found["open"]:
                self._refuse("this quote is never closed", found.start())
            if found["quoted"] is not None:
                tokens.append(_Token(_ESCAPE.sub(r"\1", found["quoted"]), found.start(), is_literal=True))
            elif found["mark"]:
                tokens.append(_Token(found["mark"], found.start(), is_literal=False))
            elif found["word"]:
                operator = found["word"].lower()
                is_literal = operator not in OPERATORS
                tokens.append(_Token(found["word"] if is_literal else operator, found.start(), is_literal=is_literal))
        return tokens

    def _peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _here(self) -> int:
        token = self._peek()
        return len(self._text.rstrip()) if token is None else token.position

    def _take(self, text: str) -> bool:
        token = self._peek()
        if token is None or token.is_literal or token.text != text:
            return False
        self._next += 1
        return True

    def _refuse(self, problem: str, position: int) -> NoReturn:
        raise PatternError(self._option, problem, self._text, position)
