"""The language of patterns: what it means, that any title can be asked for, and what is said of a wrong one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfrun.runner.plan.pattern import (
    MOST_NESTED,
    AllOf,
    AnyOf,
    Expression,
    Not,
    PatternError,
    Phrase,
    literal_pattern,
    parse_pattern,
    plain_text,
)

A, B, C = Phrase("a"), Phrase("b"), Phrase("c")


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("Load Testing", Phrase("load testing")),
        ("load_testing", Phrase("load testing")),
        ("  a  ", A),
        ("a and b", AllOf((A, B))),
        ("a AND b", AllOf((A, B))),
        ("a or b and c", AnyOf((A, AllOf((B, C))))),
        ("(a or b) and c", AllOf((AnyOf((A, B)), C))),
        ("not a and b", AllOf((Not(A), B))),
        ("not (a and b)", Not(AllOf((A, B)))),
        ("not not a", Not(Not(A))),
        ("a and not(b)or c", AnyOf((AllOf((A, Not(B))), C))),
        ('"and"', Phrase("and")),
        ('"a or (not) b"', Phrase("a or (not) b")),
        ('retry "and" backoff', Phrase("retry and backoff")),
        (r'"say \"hi\" \\ twice"', Phrase(r'say "hi" \ twice')),
        ("android", Phrase("android")),
        ("the session's seed", Phrase("the session's seed")),
        ("pay[method=card]", Phrase("pay[method=card]")),
        ("STRASSE", Phrase("strasse")),
        ("straße", Phrase("strasse")),
    ],
)
def test_it_means(text: str, meaning: Expression) -> None:
    assert parse_pattern(text) == meaning


@pytest.mark.parametrize(
    ("text", "problem", "column"),
    [
        ("", "the pattern is empty", 0),
        ("   ", "the pattern is empty", 0),
        ("a and", "a phrase is missing after 'and'", 5),
        ("and a", "a phrase is missing here", 0),
        ("a or or b", "a phrase is missing after 'or'", 5),
        ("not", "a phrase is missing after 'not'", 3),
        ("()", "a phrase is missing after '('", 1),
        ("(a or b", 'there is no ")" for this "("', 0),
        ("a)", 'there is no "(" for this ")"', 1),
        ("order is not lost", 'write "and" or "or" before \'not\', or put a phrase that holds it in quotes', 9),
        ("f(x)", 'write "and" or "or" before \'(\', or put', 1),
        ("(a not b)", 'write "and", "or" or ")" before \'not\'', 3),
        ('a "b', "this quote is never closed", 2),
        ('""', "this phrase is empty", 0),
        ('"_"', "this phrase is empty", 0),
    ],
)
def test_a_wrong_one_says_what_is_wrong_and_shows_where(text: str, problem: str, column: int) -> None:
    with pytest.raises(PatternError) as caught:
        parse_pattern(text, "--exclude")

    message, shown, caret = str(caught.value).split("\n")
    assert message.startswith(f"--exclude: {problem}")
    assert shown == f"  {text}"
    assert caret == f"  {' ' * column}^"


def test_the_caret_stands_below_its_place_behind_wide_letters_and_line_ends() -> None:
    with pytest.raises(PatternError) as caught:
        parse_pattern("注文\n)")

    assert str(caught.value).split("\n")[1:] == ["  注文 )", "       ^"]


@pytest.mark.parametrize("opening", ["(", "not "])
def test_deep_nesting_is_refused_and_breaks_nothing(opening: str) -> None:
    with pytest.raises(PatternError, match=f"nested deeper than {MOST_NESTED}"):
        parse_pattern(opening * 100_000 + "a")


WORDS = st.text(min_size=1, max_size=6).filter(plain_text)
PHRASES = WORDS.map(lambda text: Phrase(plain_text(text)))
EXPRESSIONS: st.SearchStrategy[Expression] = st.recursive(
    PHRASES,
    lambda parts: (
        parts.map(Not)
        | st.lists(parts, min_size=2, max_size=3).map(lambda several: AllOf(tuple(several)))
        | st.lists(parts, min_size=2, max_size=3).map(lambda several: AnyOf(tuple(several)))
    ),
    max_leaves=8,
)


def written(expression: Expression) -> str:
    match expression:
        case Phrase(text):
            return literal_pattern(text)
        case Not(part):
            return f"not ({written(part)})"
        case AllOf(parts):
            return " and ".join(f"({written(part)})" for part in parts)
        case AnyOf(parts):
            return " or ".join(f"({written(part)})" for part in parts)


def meant(expression: Expression, text: str) -> bool:
    """The same in Python's own words."""
    match expression:
        case Phrase(phrase):
            return phrase in text
        case Not(part):
            return not meant(part, text)
        case AllOf(parts):
            return all(meant(part, text) for part in parts)
        case AnyOf(parts):
            return any(meant(part, text) for part in parts)


@given(EXPRESSIONS, st.text(max_size=20))
def test_every_expression_can_be_written_and_holds_where_its_parts_say(expression: Expression, text: str) -> None:
    plain = plain_text(text)

    assert parse_pattern(written(expression)).holds(plain) == meant(expression, plain)


@given(st.text().filter(plain_text))
def test_every_title_can_be_asked_for_as_it_stands(title: str) -> None:
    assert parse_pattern(literal_pattern(title)) == Phrase(plain_text(title))


@given(
    st.lists(st.sampled_from(["a", "b", "and", "or", "not", "(", ")", '"', "\\", " ", "_"]), max_size=12).map("".join)
)
def test_whatever_is_written_is_understood_or_refused_at_a_place_in_it(text: str) -> None:
    position = 0
    try:
        parse_pattern(text).holds("a b")
    except PatternError as error:
        position = error.position

    assert 0 <= position <= len(text)


@pytest.mark.parametrize("title", ["Load Testing", "pay[method=card]", "a · b"])
def test_a_plain_title_needs_no_quotes(title: str) -> None:
    assert literal_pattern(title) == title
