"""The words that people type instead of tapping: navigation, commands, greetings, yes and no.

They are read from the texts of all languages together, because people mix them. A list of words is
a text whose key begins with ``typed.``, with commas between. The menu's labels are commands too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from typing import NamedTuple

from flows.engine.event import Button
from flows.engine.next_steps import split_option
from flows.engine.session import FlowRegistry
from flows.engine.texts import Texts

NAVIGATION = ("cancel", "back", "menu", "help")
WORDS = ("greeting", "opener", "thanks", "okay", "yes", "no")
# Options that are asked for in other words.
OTHER_NAMES = frozenset(
    {"mine", "check", "resend", "again"}
    | {"transfer", "processing", "credit", "debit", "owner", "operator", "viewer"}
    | {"c2b-min", "c2b-max", "c2b-day", "float-min", "float-max", "float-day", "float-day-desk"}
)
OPENER_MAX = 4  # words of one greeting or opener
OPENERS_MAX = 3  # "hi, please, I want to"
POLITE = frozenset({"please", "pls", "tafadhali", "kindly", "naomba"})
_SPLIT = re.compile(r"[\s:]+")
_ENDS = " .,;:!?"  # what people put behind a word


class TypedCommand(NamedTuple):
    """``words`` as ``FlowRegistry.for_command`` takes them: which one is meant depends on who asks.
    ``values`` is what was typed behind it."""

    words: tuple[str, ...]
    values: str


def tidy(text: str) -> str:
    """In the form in which words are compared: "  Top-Up, please. " is "top up", and "?" stays."""
    plain = " ".join(text.casefold().replace("-", " ").split())
    words = (word.strip(_ENDS) for word in plain.split())
    return " ".join(word for word in words if word and word not in POLITE) or plain


_tidied = lru_cache(maxsize=1024)(tidy)  # of labels only: what people type is kept nowhere


class TypedWords:
    def __init__(self, flows: FlowRegistry, texts: Texts) -> None:
        self._flows = flows
        self._texts = texts

    def navigation(self, said: str) -> str | None:
        """The engine's own option that the tidied text names."""
        return self._navigation.get(said)

    def command(self, text: str) -> TypedCommand | None:
        """The longest command that the text begins with, behind a greeting or "I want to", and the
        rest."""
        tokens = [token for token in _SPLIT.split(text) if token.casefold() not in POLITE]
        tokens = tokens[self._opener(tokens) :]
        for count in range(min(len(tokens), self._longest), 0, -1):
            words = self._commands.get(tidy(" ".join(tokens[:count])))
            if words is not None:
                return TypedCommand(words, " ".join(tokens[count:]))
        return None

    def _opener(self, tokens: list[str]) -> int:
        """How many words come before what is wanted; something always follows them."""
        openers, at = self._lists["opener"] | self._lists["greeting"], 0
        for _ in range(OPENERS_MAX):
            rest = tokens[at:]
            for count in range(min(len(rest) - 1, OPENER_MAX), 0, -1):
                if tidy(" ".join(rest[:count])) in openers:
                    at += count
                    break
            else:
                break
        return at

    def named(self, place: str, buttons: Iterable[Button], said: str) -> str | None:
        """The id of the option that the tidied text names, unless it could be several."""
        called = [button for button in buttons if said in self.names(place, button)]
        exact = [button for button in called if said == _tidied(button.label)]
        found = {button.id for button in exact or called}
        return found.pop() if len(found) == 1 else None

    def names(self, place: str, button: Button) -> Iterator[str]:
        """What an option can be called: its label or what stands before its comma, its label in the
        other languages if that has no facts, and other words for it."""
        option, _ = split_option(button.id)
        yield _tidied(button.label)
        yield _tidied(button.label.partition(",")[0])
        if option in OTHER_NAMES:
            yield from self._listed(option)
        for language in self._texts.languages:
            for key in (f"{place}.{option}", f"button.{option}"):
                if self._texts.has(language, key):
                    label = self._texts.keys(language)[key].partition(",")[0]
                    if "{" not in label:
                        yield _tidied(label)

    def says(self, what: str, said: str) -> bool:
        """Whether the tidied text is one of the words ``typed.<what>``."""
        return said in self._lists[what]

    @cached_property
    def _navigation(self) -> Mapping[str, str]:
        return {phrase: name for name in NAVIGATION for phrase in self._listed(name)}

    @cached_property
    def _lists(self) -> Mapping[str, frozenset[str]]:
        return {name: frozenset(self._listed(name)) for name in WORDS}

    @cached_property
    def _commands(self) -> Mapping[str, tuple[str, ...]]:
        commands: dict[str, tuple[str, ...]] = {}
        for flow in self._flows.newest.values():
            if flow.needs is None or not flow.has_command:
                continue
            word = flow.command_word
            phrases = [word, *self._said(f"menu.{flow.name}"), *self._listed(flow.name)]
            for phrase in phrases:
                known = commands.get(tidy(phrase), ())
                if word not in known:
                    commands[tidy(phrase)] = (*known, word)
        return commands

    @cached_property
    def _longest(self) -> int:
        return max(len(phrase.split()) for phrase in self._commands)

    def _listed(self, name: str) -> Iterator[str]:
        for words in self._said(f"typed.{name}"):
            yield from (tidy(phrase) for phrase in words.split(","))

    def _said(self, key: str) -> Iterator[str]:
        for language in self._texts.languages:
            if self._texts.has(language, key):
                yield self._texts.keys(language)[key]
