"""The history of a partner's money, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.domain.operation import Operation
from services.ports import Tx

PAGE = 5  # operations per screen


@dataclass(frozen=True, slots=True)
class Page:
    """Newest first. ``older`` and ``newer`` are cursors, ``None`` if there is no such page."""

    operations: Sequence[Operation]
    older: str | None
    newer: str | None


def page(tx: Tx, partner: str, cursor: str | None) -> Page:
    """``cursor`` comes from an earlier page: ``<REF`` for older, ``>REF`` for newer operations."""
    if cursor is None:
        found = list(tx.operations.page(partner, PAGE + 1))
        return _page(found[:PAGE], has_older=len(found) > PAGE, has_newer=False)
    way, reference = cursor[0], cursor[1:]
    if way == "<":
        found = list(tx.operations.page(partner, PAGE + 1, before=reference))
        return _page(found[:PAGE], has_older=len(found) > PAGE, has_newer=True)
    found = list(tx.operations.page(partner, PAGE + 1, after=reference))
    if len(found) < PAGE:  # reached the top: show a full first page
        return page(tx, partner, None)
    return _page(found[-PAGE:], has_older=True, has_newer=len(found) > PAGE)


def _page(operations: Sequence[Operation], *, has_older: bool, has_newer: bool) -> Page:
    return Page(
        operations,
        older=f"<{operations[-1].reference}" if operations and has_older else None,
        newer=f">{operations[0].reference}" if operations and has_newer else None,
    )
