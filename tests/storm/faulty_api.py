"""Faulty replacements for functions that partners' systems meet: each takes the original, then its
arguments."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.http.api.problems import to_json
from services.domain.api_key import id_of
from services.domain.public_operation import Status
from services.domain.webhook import NotTaken, Taken
from storage.stores.public_operations import PublicOperationStore


def stored_later(right: Any, calls: Any, tx: Any, *rest: Any) -> None:
    if not hasattr(calls, "later"):
        calls.later = []
    calls.later.append(lambda tx: right(calls, tx, *rest))


def then_stored(right: Any, calls: Any, *args: Any) -> Any:
    async def handle() -> Any:
        outcome = await right(calls, *args)
        later, calls.later = getattr(calls, "later", []), []
        for store in later:
            await calls._database.write(store)
        return outcome

    return handle()


def rendered_afresh(right: Any, store: Any, *args: Any) -> Any:
    """A replay tells how the operation stands now."""
    found = right(store, *args)
    if found is None or found.answer.status != 202:
        return found
    operation = PublicOperationStore(store._conn).get(found.answer.operation)
    assert operation is not None
    return replace(found, answer=replace(found.answer, body=to_json(operation.document())))


def without_path(right: Any, method: str, path: str, members: Any) -> Any:
    return right(method, "", members)


def whoever_owns_it(right: Any, call: Any, reference: str) -> Any:
    return call.tx.public_operations.get(reference)


def by_id_alone(right: Any, tx: Any, key: str) -> Any:
    found = tx.api_keys.get(id_of(key) or "")
    return found if found is not None and found.is_active(tx.now) else None


def silent_of_not_paid(
    right: Any, store: Any, partner: str, type_: str, *rest: Any, **more: Any
) -> Any:
    if type_ == f"topup.{Status.NOT_PAID}":
        return None
    return right(store, partner, type_, *rest, **more)


def only_new_statuses(right: Any, changes: Any) -> Any:
    """What changes beside the status raises no version."""
    return [
        (before, now)
        for before, now in right(changes)
        if before is None or before.status is not now.status
    ]


def taken_out_of_turn(
    right: Any, store: Any, endpoint: str, partner: str, n: int, attempts: int, *lease: Any
) -> bool:
    ends_at, owner = lease
    cursor = store._conn.execute(
        "UPDATE webhook_deliveries SET attempts = attempts + 1, due_at = ?, leased_by = ?"
        " WHERE endpoint = ? AND partner = ? AND n = ? AND state = 'queued' AND attempts = ?"
        " AND due_at <= ?",
        (ends_at, owner, endpoint, partner, n, attempts, store._time.ms),
    )
    return bool(cursor.rowcount)


def silence_is_taken(right: Any, worker: Any, delivery: Any) -> Any:
    async def answer() -> Any:
        given = await right(worker, delivery)
        return Taken(200) if isinstance(given, NotTaken) and given.status is None else given

    return answer()


def shown_again(right: Any, call: Any) -> Any:
    secrets = {
        one.id: call.app.keys.unseal(one.secret) for one in call.tx.webhooks.of(call.partner.code)
    }
    answer = right(call)
    data = [{**one, "secret": secrets[one["id"]]} for one in answer.document["data"]]
    return replace(answer, document={"data": data})


def without_its_first(right: Any, store: Any, partner: str, after: int, limit: int) -> Any:
    """The first event after a known one is taken for the known one."""
    return right(store, partner, after and after + 1, limit)


def caused_by_nobody(right: Any, store: Any, request_id: str, idempotency_key: Any) -> None:
    right(store, request_id, None)


def one_too_far(right: Any, cursor: Any, place: int) -> Any:
    return right(cursor, place - 1)
