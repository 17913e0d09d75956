"""No stored or scripted name is removed or changed."""

from __future__ import annotations

from tests.guard.names import gone, listed, present, unlisted


def test_every_listed_name_is_there_and_every_name_is_listed() -> None:
    before, now = listed(), present()
    assert gone(before, now) == [], "what is stored or scripted keeps its name"
    assert unlisted(before, now) == [], "new names: `python -m tests.guard.names` adds them"


def test_an_enum_keeps_its_words_whatever_it_is_called() -> None:
    before = {"enum_words": ["OPEN SHUT"], "jobs": ["polls"]}
    assert gone(before, {"enum_words": ["AJAR OPEN SHUT"], "jobs": ["outbox", "polls"]}) == []
    assert gone(before, {"enum_words": ["OPEN", "SHUT"], "jobs": ["outbox"]}) == [
        "enum_words: OPEN SHUT",
        "jobs: polls",
    ]
