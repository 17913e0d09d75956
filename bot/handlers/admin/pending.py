"""Open and unknown operations of all partners: open reviews first, then the rest."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from bot.context import TurnContext
from bot.handlers.admin.search import operation_facts
from bot.handlers.admin.timeline import possible_acts
from bot.handlers.admin.wording import age
from bot.handlers.declaring import Handlers
from flows.engine.host import COUNTED_MAX, Place, View
from services.domain.evidence import ReviewItem
from services.domain.operation import FoundOperation
from services.domain.partner import Right
from services.ports import Tx

HANDLERS = Handlers()

PAGE = 6  # operations of one page
LISTED_MAX = 10_000  # are counted for a page; more have no place

# A cursor says where the next page begins: after a review, or after an operation of the rest.
_REVIEW, _REST = "review", "rest"


class Page(NamedTuple):
    reviews: list[ReviewItem]
    rest: list[FoundOperation]
    next: str | None


@HANDLERS.view("pending", needs=Right.ADMIN, shows=("lines",))
def listed(turn: TurnContext, cursor: str | None) -> View:
    """Oldest first, so "newer" is the next page and "older" returns to the first one."""
    page = _page(turn.tx, cursor)
    lines = [_review(turn, review) for review in page.reviews]
    lines += [turn.say("pending.list.line", _facts(turn, found)) for found in page.rest]
    references = dict.fromkeys(
        [
            *(review.operation for review in page.reviews),
            *(found.operation.reference for found in page.rest),
        ]
    )
    return View(
        {"lines": "\n".join(lines) or turn.say("pending.list.empty")},
        [(reference, reference) for reference in references],
        more="" if cursor else None,
        newer=page.next,
        item_acts={reference: possible_acts(turn, reference) for reference in references},
        place=_place(turn.tx, page),
    )


def _place(tx: Tx, page: Page) -> Place | None:
    reviews = tx.evidence.count_open_reviews(LISTED_MAX)
    rest = tx.operations.count_pending(LISTED_MAX)
    if LISTED_MAX in (reviews, rest):
        return None
    if page.reviews:
        first = tx.evidence.count_open_reviews(LISTED_MAX, page.reviews[0])
    elif page.rest:
        first_shown = page.rest[0].operation.reference
        first = reviews + tx.operations.count_pending(LISTED_MAX, first_shown)
    else:
        return None
    return Place(first, first + len(page.reviews) + len(page.rest) - 1, reviews + rest)


@HANDLERS.count("pending", needs=Right.ADMIN)
def waiting(turn: TurnContext) -> int:
    tx = turn.tx
    return tx.evidence.count_open_reviews(COUNTED_MAX) + tx.operations.count_pending(COUNTED_MAX)


def _page(tx: Tx, cursor: str | None) -> Page:
    kind, *behind = (_REVIEW,) if cursor is None else cursor.split("|")
    reviews: list[ReviewItem] = []
    if kind == _REVIEW:
        after = None
        if behind:
            after = (datetime.fromisoformat(behind[0]), behind[1], behind[2])
        reviews = tx.evidence.open_reviews(after, PAGE + 1)
        if len(reviews) > PAGE:
            last = reviews[PAGE - 1]
            opened_at = last.opened_at.isoformat()
            return Page(reviews[:PAGE], [], f"{_REVIEW}|{opened_at}|{last.operation}|{last.why}")
        behind = []
    room = PAGE - len(reviews)
    after_reference = behind[0] if behind else None
    rest = tx.operations.pending(after_reference or None, room + 1)
    if len(rest) <= room:
        return Page(reviews, rest, None)
    shown = rest[:room]
    last_shown = shown[-1].operation.reference if shown else ""
    return Page(reviews, shown, f"{_REST}|{last_shown}")


def _review(turn: TurnContext, review: ReviewItem) -> str:
    why = {"why": review.why, "reference": review.operation}
    found = turn.tx.operations.of_reference(review.operation)
    payment = turn.tx.payments.of_reference(review.operation)
    if payment is not None:
        facts = {
            "amount": payment.amount,
            "state": turn.say(f"state.{payment.state}"),
            "age": age(turn, review.opened_at),
        }
        return turn.say("pending.list.payment", why | facts)
    if found is None:
        return turn.say("pending.list.other", why | {"age": age(turn, review.opened_at)})
    return turn.say("pending.list.review", _facts(turn, found) | why)


def _facts(turn: TurnContext, found: FoundOperation) -> dict[str, Any]:
    return operation_facts(turn, found) | {"age": age(turn, found.operation.begun_at)}
