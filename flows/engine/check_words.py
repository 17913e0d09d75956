"""Checks of phrases and words: every form is there, and no sentence has an identifier in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flows.engine.texts import (
    Texts,
    literal_words,
    phrase_kinds,
    placeholders,
    plural_forms,
)

TYPED = "typed."  # what people may type is not said to them
# Settings and programs that a sentence tells an admin to use, by the name they have there.
NAMED_ON_PURPOSE = frozenset({"NCBA_ACCOUNT_REF_TEMPLATE"})
IDENTIFIER = re.compile(
    r"\b[A-Za-z]+[0-9]*_\w+"  # snake_case, UPPER_STATE
    r"|\b[a-z][a-z0-9]*\.[a-z][\w.]*"  # dotted.keys
    r"|\b(?:admin|person|account|partner):\w+"  # actors of the audit log
    r"|\b[a-z]+:[a-z]+:\w+"  # kind:channel:address
)
_MAIL_ADDRESS = re.compile(r"\S+@\S+")


def word_errors(texts: Texts) -> Iterator[str]:
    yield from _phrase_errors(texts)
    for language in texts.languages:
        for key, sentence in texts.keys(language).items():
            if key.startswith(TYPED):
                continue
            for name in identifiers(literal_words(sentence)):
                yield f"{language}: {key} says {name}, which is no word"


def identifiers(said: str) -> list[str]:
    """What only the program should call so, in something that people read."""
    found = IDENTIFIER.findall(_MAIL_ADDRESS.sub("", said))
    return [name for name in found if name not in NAMED_ON_PURPOSE]


def _phrase_errors(texts: Texts) -> Iterator[str]:
    for language in texts.languages:
        said = texts.keys(language)
        counted = {key.split(".")[1] for key in said if key.startswith("counted.")}
        worded = {key.split(".")[1] for key in said if key.startswith("words.")}
        for kind in sorted(counted & worded):
            yield f"{language}: {kind} is both counted and in words"
        for key, sentence in said.items():
            for kind in sorted(phrase_kinds(sentence) - counted - worded):
                yield f"{language}: {key} has a phrase {kind}, which has no words"
            if key.startswith("words.") and placeholders(sentence):
                yield f"{language}: {key} is a word, and cannot say anything"
            if key.startswith("counted.") and not placeholders(sentence) <= {"n"}:
                yield f"{language}: {key} knows only its count, n"
        for kind in sorted(counted):
            for form in sorted(plural_forms(language)):
                if f"counted.{kind}.{form}" not in said:
                    yield f"{language}: counted.{kind}.{form} is missing"
