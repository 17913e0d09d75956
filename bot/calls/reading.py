"""Calls that only look: balances, one operation, the history, a quote, the event feed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.calls.answers import FieldError, Problem, Reply, invalid, not_found
from bot.calls.caller import CallContext
from bot.calls.cursor import Cursor, decode, encode
from bot.calls.fields import WHOLE_ONLY
from bot.calls.refusals import float_short, problem_of, too_little
from bot.calls.requests import QuoteRequest
from bot.calls.sent_codes import quote_document
from services import approvals, balances, float_quotes, payout_quotes
from services.domain.fees import Quote
from services.domain.instant import to_rfc3339
from services.domain.ledger import Balance
from services.domain.money import Money
from services.domain.partner_event import place_of
from services.domain.payout_tariff import payout_quote
from services.domain.public_operation import PublicKind, PublicOperation, Status
from services.domain.refusal import Refusal

OFFSET_MAX = 10_000


def balance(call: CallContext) -> Reply:
    partner = call.partner
    seen = balances.of(call.tx, partner)
    low_float = Money(partner.low_float_cents, partner.currency)

    def account(held: Balance, threshold: Money) -> dict[str, object]:
        return {
            "balance": held.posted.decimal,
            "available": held.available.decimal,
            "held": (held.posted - held.available).decimal,
            "low_balance_threshold": threshold.decimal,
            "low": held.available < threshold,
        }

    return Reply(
        {
            "partner_id": partner.code,
            "currency": partner.currency,
            "wallet": account(seen.wallet, seen.threshold),
            "float": account(seen.float, low_float),
            "as_of": to_rfc3339(call.tx.now),
        }
    )


def tag_of(document: dict[str, object]) -> str:
    """An entity tag of a balance, whatever its moment."""
    lasting = {name: value for name, value in document.items() if name != "as_of"}
    text = json.dumps(lasting, sort_keys=True)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def find(call: CallContext, reference: str) -> PublicOperation | None:
    """The partner's own operation of that reference."""
    found = call.tx.public_operations.get(reference)
    return found if found is not None and found.partner == call.partner.code else None


def operation(call: CallContext, reference: str) -> Reply | Problem:
    call.tx.partner_events.settle()
    found = find(call, reference)
    return not_found() if found is None else Reply(found.document(), found.reference)


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """Begun from ``since`` on and before ``until``; ``cursor`` carries the filters."""

    limit: int
    cursor: str | None = None
    kind: PublicKind | None = None
    status: Status | None = None
    since: datetime | None = None
    until: datetime | None = None


def history(call: CallContext, query: HistoryQuery) -> Reply | Problem:
    asked = Cursor(None, query.kind, query.status, query.since, query.until)
    if query.cursor is not None:
        decoded = decode(query.cursor)
        if decoded is None:
            return invalid(FieldError("/cursor", "This cursor was not given by us."))
        asked = decoded
    page = call.tx.public_operations.page(
        call.partner.code,
        query.limit + 1,
        before=asked.before,
        kind=asked.kind,
        status=asked.status,
        since=asked.since,
        until=asked.until,
    )
    shown = page[: query.limit]
    more = encode(asked.after(shown[-1][0])) if len(page) > query.limit else None
    return Reply({"data": [found.document() for _, found in shown], "next_cursor": more})


def page_at(call: CallContext, limit: int, offset: int) -> tuple[Sequence[PublicOperation], int]:
    """Newest first from ``offset`` on, at most ``OFFSET_MAX``; and how many there are in all."""
    partner = call.partner.code
    page = call.tx.public_operations.page(partner, limit, offset=offset)
    return [found for _, found in page], call.tx.public_operations.count(partner)


def newest(call: CallContext, kind: PublicKind, status: Status) -> PublicOperation | None:
    """The one that was begun last of those of this kind that stand like this."""
    page = call.tx.public_operations.page(call.partner.code, 1, kind=kind, status=status)
    return page[0][1] if page else None


def quote(call: CallContext, request: QuoteRequest) -> Reply | Problem:
    """What a purchase or a payout would cost now, and whether it would be taken. Moves nothing."""
    if request.kind == "float":
        return _float_quote(call, request.amount)
    if not request.amount.is_whole:
        return invalid(FieldError("/amount", WHOLE_ONLY))
    return _payout_quote(call, request.amount)


def _float_quote(call: CallContext, amount: Money) -> Reply:
    tx, policy, partner = call.tx, call.app.policy, call.partner
    price = float_quotes.current_quote(tx, partner.code, amount)
    seen = balances.of(tx, partner)
    refusal = (
        Refusal("float_not_set_up")
        if policy.short_code is None
        else Refusal.of("suspended", partner=partner.code)
        if partner.suspended
        else float_quotes.check_amount(
            tx, partner.code, amount, whole=not policy.float_part_shillings
        )
    )
    problem = None if refusal is None else problem_of(call.app.texts, refusal)
    if problem is None and (short := float_quotes.shortfall(tx, partner.code, price)) is not None:
        problem = too_little(short)
    wallet, float_ = seen.wallet.available - price.total, seen.float.available + price.amount
    return _quoted(call, "float", price, wallet, float_, problem)


def _payout_quote(call: CallContext, amount: Money) -> Reply:
    """Nobody is named yet: limits of a recipient are told by the payout itself."""
    tx, partner = call.tx, call.partner
    price = payout_quote(amount)
    seen = balances.of(tx, partner)
    refusal = payout_quotes.check_partner(tx, call.app.policy, partner)
    refusal = refusal or payout_quotes.check_any_recipient(tx, partner.code, amount)
    problem = None if refusal is None else problem_of(call.app.texts, refusal)
    if problem is None and (short := payout_quotes.shortfall(tx, partner.code, price)) is not None:
        problem = float_short(short)
    wallet, float_ = seen.wallet.available, seen.float.available - price.total
    return _quoted(call, "payout", price, wallet, float_, problem)


def _quoted(
    call: CallContext,
    kind: str,
    price: Quote,
    wallet_after: Money,
    float_after: Money,
    problem: Problem | None,
) -> Reply:
    return Reply(
        {
            "kind": kind,
            **quote_document(price),
            "wallet_after": wallet_after.decimal,
            "float_after": float_after.decimal,
            "approval_needed": approvals.is_needed(call.partner, price.amount),
            "allowed": problem is None,
            "reason": None if problem is None else problem.code.value,
        }
    )


def events(call: CallContext, after: str | None, limit: int) -> Reply | Problem:
    code = call.partner.code
    place = 0
    if after is not None:
        known = place_of(code, after)
        stored = call.tx.partner_events
        is_known = known is not None and (
            stored.get(code, known) is not None
            or known == stored.newest_place(code) > 0  # nothing came after it, however old it is
        )
        if known is None or not is_known:
            return invalid(FieldError("/after", "No event of yours has this id."))
        place = known
    page = call.tx.partner_events.page(code, place, limit + 1)
    data = [event.document() for event in page[:limit]]
    return Reply({"data": data, "has_more": len(page) > limit})
