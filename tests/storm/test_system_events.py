"""What is reported of feeds and webhooks that partners' systems get, and what is right."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from bot.simulation.clock import START
from bot.storm.systems.endpoint import Endpoint
from bot.storm.systems.feed import Feed, as_told
from bot.storm.systems.promises import Promises
from bot.storm.systems.request import Answer, Request
from services.domain.webhook import NotTaken, Taken
from services.domain.webhook_signature import draw_secret, signed_headers

SECRET, OTHER_SECRET = (draw_secret(random.Random(seed)) for seed in (1, 2))
TAKEN = Taken(200)


def _event(n: int, version: int, *, key: str | None = None, status: str = "pending") -> Any:
    data = {"reference": "TU-AAAAAA", "kind": "topup", "status": status, "version": version}
    meta = {"request_id": None, "idempotency_key": key}
    return {"id": f"ev_P00_{n}", "type": f"topup.{status}", "data": data, "meta": meta}


@pytest.mark.parametrize(
    ("page", "problems"),
    [
        ([_event(1, 1), _event(3, 2)], 0),
        ([_event(1, 1), _event(2, 3)], 1),  # version 2 is missing
        ([_event(1, 2)], 1),
        ([_event(2, 1), _event(1, 2)], 1),  # ids go back
        ([_event(1, 1), _event(2, 1)], 1),
        ([{**_event(1, 1), "type": "topup.paid"}], 1),
        ([{**_event(1, 1), "id": "ev_P01_1"}], 1),
    ],
)
def test_a_feed_tells_each_version_once_and_in_order(page: Any, problems: int) -> None:
    assert len(list(Feed("P00").read(page))) == problems


def test_a_feed_and_the_answers_name_the_same_operations() -> None:
    feed, promises = Feed("P00"), Promises()
    assert list(feed.read([_event(1, 1, key="k")])) == []
    assert len(list(feed.causes(promises.keyed))) == 1
    asked = Request("P00", None, "POST", "/v1/topup/stk-push", {}, key="k", creates=True)
    answer = Answer(202, {}, b'{"reference": "TU-AAAAAA"}')
    assert list(promises.heard(asked, answer, [], was_cut_off=False)) == []
    assert list(feed.causes(promises.keyed)) == []
    assert len(list(Feed("P00").causes(promises.keyed))) == 1


def test_an_event_names_who_was_paid_by_first_name_and_initials() -> None:
    full = {"kind": "payout", "reference": "PO-AAAAAA", "recipient_name": "ESTHER MARY PLACEHOLDER"}
    assert as_told(full) == {**full, "recipient_name": "ESTHER M. P."}
    for name in ("ESTHER", None):
        assert as_told({**full, "recipient_name": name})["recipient_name"] == name
    topup = {"kind": "topup", "reference": "TU-AAAAAA"}
    assert as_told(topup) == topup


# Webhooks --------------------------------------------------------------------------------------


class _Sender:
    """Sends what the feed holds to one endpoint."""

    def __init__(self) -> None:
        self.endpoint = Endpoint("P00", "https://p00.example", "we_1", SECRET, None, 0)
        self.feed = Feed("P00")
        list(self.feed.read([_event(1, 1), _event(2, 2)]))

    def begin(self, n: int, secret: str | None = None) -> Any:
        body = json.dumps(_event(n, n)).encode()
        id_, now = f"ev_P00_{n}", START
        headers = signed_headers(secret or self.endpoint.secret, id_, now, body)
        return self.endpoint.begin(headers, body)

    def send(self, n: int, answer: Any = TAKEN, secret: str | None = None) -> None:
        self.endpoint.end(self.begin(n, secret), answer)

    @property
    def problems(self) -> int:
        return len(self.endpoint.problems) + len(list(self.endpoint.missing(self.feed)))


def test_webhooks_in_order_are_right_also_when_an_answer_was_lost() -> None:
    sender = _Sender()
    sender.send(1, NotTaken(None, "timeout"))
    sender.send(1)
    sender.send(2)
    assert sender.problems == 0


def test_a_webhook_that_never_came_is_reported() -> None:
    sender = _Sender()
    sender.send(1)
    assert sender.problems == 1


def test_a_webhook_before_the_one_before_it_was_taken_is_reported() -> None:
    sender = _Sender()
    sender.send(1, NotTaken(500, "HTTP 500"))
    sender.send(2)
    sender.send(1)
    assert sender.problems == 1


def test_two_webhooks_of_one_operation_at_once_are_reported() -> None:
    sender = _Sender()
    first = sender.begin(1)
    second = sender.begin(2)
    sender.endpoint.end(first, TAKEN)
    sender.endpoint.end(second, TAKEN)
    assert sender.problems > 0


def test_a_wrong_signature_is_reported() -> None:
    sender = _Sender()
    sender.send(1, secret=OTHER_SECRET)
    sender.send(2)
    assert sender.problems == 1
