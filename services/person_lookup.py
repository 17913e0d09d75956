"""Which person a typed name means, and whether a partner may add a new name.

Each function runs inside a transaction and makes no outside calls.
"""

from __future__ import annotations

from services.domain.names import is_name, lookalike_key, tidy
from services.domain.partner import Person
from services.domain.refusal import Refusal
from services.ports import Tx


def find(tx: Tx, partner: str, typed: str) -> Person | None:
    """The partner's person with exactly that name; else with that name normalised, if only one
    matches: some names were stored before normalisation."""
    name = tidy(typed)
    exact = tx.people.of_name(partner, typed) or tx.people.of_name(partner, name)
    if exact is not None:
        return exact
    found = [person for person in tx.people.of(partner) if tidy(person.name) == name]
    return found[0] if len(found) == 1 else None


def name_to_invite(tx: Tx, partner: str, typed: str) -> str | Refusal:
    """The name for an invitation: that of an existing person, or a new one that cannot be mistaken
    for another's.

    Refusals: ``not_a_name``, ``name_alike`` (known).
    """
    there = find(tx, partner, typed)
    if there is not None:
        return there.name
    name = tidy(typed)
    if not is_name(name):
        return Refusal("not_a_name")
    known = [person.name for person in tx.people.of(partner)]
    for other in (*known, *tx.invites.open_names(partner)):
        if other != name and lookalike_key(other) == lookalike_key(name):
            return Refusal.of("name_alike", known=tidy(other))
    return name
