"""Notices to a business rather than to one conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.context import AppContext, queue_admin_notices
from services.domain.outbox import OutboxRow
from services.domain.partner import Person
from services.ports import Tx


def notify_owners(
    tx: Tx,
    context: AppContext,
    partner: str,
    key: str,
    facts: Mapping[str, Any],
    first: Sequence[Person] = (),
) -> list[OutboxRow]:
    """Queue a receipt for every account of ``first``, or else of the partner's owners.

    If none of them can be told anywhere, everybody else at the partner gets it, and failing that
    the admins, so that somebody always does.
    """
    for people in (first, tx.people.owners(partner), tx.people.of(partner)):
        rows = []
        for person in people:
            text = context.texts.say(person.language, key, facts)
            for channel, address in context.accounts_to_tell(tx, person):
                rows.append(tx.outbox.add(channel, address, kind="receipt", text=text))
        if rows:
            return rows
    return queue_admin_notices(tx, context, key, facts)
