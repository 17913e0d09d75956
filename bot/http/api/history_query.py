"""The history's query: filters go with the first page, a cursor carries them on."""

from __future__ import annotations

from bot.calls import reading
from bot.calls.answers import FieldError, Problem, Reply, invalid
from bot.calls.caller import CallContext
from bot.calls.reading import HistoryQuery
from bot.http.api.queries import HistoryQueryString

_FILTERS = {"kind": "/kind", "status": "/status", "since": "/from", "until": "/to"}


def history(call: CallContext, query: HistoryQueryString) -> Reply | Problem:
    if query.cursor is not None:
        beside = [pointer for name, pointer in _FILTERS.items() if name in query.model_fields_set]
        if beside:
            detail = "The cursor carries the filters."
            return invalid(*(FieldError(pointer, detail) for pointer in beside))
    return reading.history(
        call,
        HistoryQuery(
            limit=query.limit,
            cursor=query.cursor,
            kind=query.kind,
            status=query.status,
            since=query.since,
            until=query.until,
        ),
    )
