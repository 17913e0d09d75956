"""The words of documents, as the product says them."""

from __future__ import annotations

from flows.engine.texts import Texts
from services.documents.words import Words


def words_in(language: str) -> Words:
    texts = Texts.load()
    return Words(language, lambda key, facts: texts.say(language, f"document.{key}", facts))


ENGLISH, KISWAHILI = words_in("en"), words_in("sw")
