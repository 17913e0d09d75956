"""One partner's system: what it asks of the API next, and what it learns from the answers."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from string import ascii_letters
from typing import Any

from bot.simulation.secret_scan import CODE
from bot.storm.systems.feed import Feed
from bot.storm.systems.request import Answer, Request

AMOUNTS = (500, 1_500, 1_500, 1_501, 2_000, 9_000)
FLOAT_AMOUNTS = (500, 1_500, 5_000, 9_000)
MOVES_PER_MINUTE = 60
WAIT_S = 25  # real seconds: far more than a step takes
REMEMBERED = 60  # requests that may be sent again
STRANGERS = tuple(f"25473300{n:04}" for n in range(12))  # phones of nobody in the storm
OLDER_TOPUP = "/functions/v1/wallet-manager/topup/stk-push"
TOPUP, GENERATE, PURCHASE = "/v1/topup/stk-push", "/v1/otp/generate", "/v1/float/purchase"


@dataclass
class Waiting:
    """An operation that waits for its code; ``body`` goes with it."""

    reference: str
    path: str
    body: Mapping[str, Any]
    quote: Mapping[str, str] | None


@dataclass
class PartnerSystem:
    """``read`` returns what the owner was sent by SMS and mail. ``reader`` is a key that may only
    look."""

    code: str
    dice: random.Random
    owner_phone: str
    phones: Sequence[str]
    read: Callable[[], Sequence[str]]
    key: str = field(repr=False)
    reader: str = field(repr=False)
    feed: Feed = field(init=False)
    references: list[str] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)  # with a key, and answered
    next: list[Callable[[], list[Request]]] = field(default_factory=list)  # follows from answers
    cursor: str | None = None
    wrong_codes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.feed = Feed(self.code)

    def draw(self) -> list[Request]:
        """One or two requests to be sent at the same moment."""
        if self.next and self.dice.random() < 0.9:
            return self.next.pop(0)()
        choices: tuple[tuple[int, Callable[[], list[Request]]], ...] = (
            (6, self._topup),
            (2, self._twice_at_once),
            (1, self._too_often),
            (4, self._code),
            (4, self._with_code),
            (2, self._check_code),
            (5, self._again),
            (2, self._other_body),
            (3, self._look),
            (2, self._wait),
            (2, self._history),
            (2, self._ask_bank),
            (1, self._clean_up),
        )
        weights = [weight for weight, _ in choices]
        return self.dice.choices([draw for _, draw in choices], weights)[0]()

    # Money and codes -----------------------------------------------------------------------------

    def _topup(self) -> list[Request]:
        dice = self.dice
        body: dict[str, Any] = {
            "amount": dice.choice(AMOUNTS),
            "phone_number": dice.choice((*self.phones, *self.phones, *STRANGERS)),
        }
        if dice.random() < 0.3:
            body["again"] = True
        if dice.random() < 0.3:
            body["description"] = dice.choice(("Order", "Rent of May", "für Müller – №"))
        if dice.random() < 0.05:
            body["amount"] = dice.choice((0, 999_999_999, "1500.50"))
        path = OLDER_TOPUP if dice.random() < 0.15 else TOPUP
        return [self._post(path, body, creates=True, learn=partial(self._topped_up, body))]

    def _topped_up(self, body: Mapping[str, Any], answer: Answer) -> None:
        members = answer.members()
        if answer.reference is not None:
            self.references.append(answer.reference)
        elif members.get("code") == "duplicate_suspected":
            body = {**body, "again": True}
            learn = partial(self._topped_up, body)
            again = self._post(TOPUP, body, creates=True, learn=learn)
            self.next.append(lambda: [again])
        elif members.get("code") == "otp_required":
            asked = {"purpose": "wallet_topup", "amount": body["amount"]}
            asked["payer_phone"] = body["phone_number"]
            learn = partial(self._code_sent, TOPUP, body)
            code = self._post(GENERATE, asked, creates=True, learn=learn)
            self.next.append(lambda: [code])

    def _twice_at_once(self) -> list[Request]:
        (request,) = self._topup() if self.dice.random() < 0.6 else self._code()
        if request.key is None or self.dice.random() < 0.7:
            return [request, replace(request, learn=None)]
        return [request, self._differing(request)]

    def _too_often(self) -> list[Request]:
        """More within a minute than are allowed, now and then."""
        (request,) = self._topup()
        if self.dice.random() < 0.8:
            return [request]
        return [request] + [replace(request, learn=None)] * MOVES_PER_MINUTE

    def _code(self) -> list[Request]:
        dice = self.dice
        if self.waiting and dice.random() < 0.2:
            waiting = dice.choice(self.waiting)
            return [self._post(GENERATE, {"reference": waiting.reference})]
        body: dict[str, Any] = {"amount": dice.choice(FLOAT_AMOUNTS)}
        path, asked = PURCHASE, {"purpose": "float_purchase", **body}
        if dice.random() < 0.2:
            body["phone_number"] = dice.choice(STRANGERS)
            path, asked = TOPUP, {"purpose": "wallet_topup", "amount": body["amount"]}
            asked["payer_phone"] = body["phone_number"]
        if dice.random() < 0.1:
            asked["phone_number"] = dice.choice((self.owner_phone, *STRANGERS))
        learn = partial(self._code_sent, path, body)
        request = self._post(GENERATE, asked, creates=True, learn=learn)
        return [request if dice.random() < 0.7 else replace(request, key=None)]

    def _code_sent(self, path: str, body: Mapping[str, Any], answer: Answer) -> None:
        if answer.status == 201:
            members = answer.members()
            found = Waiting(members["reference"], path, body, members["quote"])
            self.waiting = [*self.waiting[-5:], found]
            self.references.append(found.reference)
            if self.dice.random() < 0.8:  # before another code is sent to the same person
                self.next.insert(0, lambda: self._with(found))

    def _with_code(self) -> list[Request]:
        return self._with(self.dice.choice(self.waiting)) if self.waiting else self._code()

    def _with(self, waiting: Waiting) -> list[Request]:
        dice = self.dice
        code, is_guess = self._draw_code()
        body = {**waiting.body, "otp_reference": waiting.reference, "otp_code": code}
        if dice.random() < 0.1:
            body["amount"] += 1
        if waiting.quote is not None and dice.random() < 0.3:
            body["transfer_fee"] = waiting.quote["transfer_fee"]
            body["processing_fee"] = waiting.quote["processing_fee"]
            if dice.random() < 0.3:
                body["processing_fee"] = "1.01"
        learn = partial(self._used, waiting)
        request = self._post(waiting.path, body, is_guess=is_guess, learn=learn)
        if dice.random() < 0.15:
            return [request, replace(request, key=self.new_key(), learn=None)]
        return [request]

    def _used(self, waiting: Waiting, answer: Answer) -> None:
        over = answer.status == 202 or answer.members().get("code") in ("otp_expired", "otp_locked")
        if over and waiting in self.waiting:
            self.waiting.remove(waiting)

    def _check_code(self) -> list[Request]:
        if not self.waiting:
            return self._look()
        code, _ = self._draw_code()
        reference = self.dice.choice(self.waiting).reference
        body = {"reference": reference, "otp_code": code}
        return [replace(self._post("/v1/otp/validate", body), key=None)]

    def codes(self) -> list[str]:
        """Those that may be in use."""
        sent = [code for text in self.read() for code in CODE.findall(text)]
        return [*sent, *self.wrong_codes[-5:]]

    def _draw_code(self) -> tuple[str, bool]:
        """A code to send, and whether nobody was sent it."""
        sent = [code for text in self.read() for code in CODE.findall(text)]
        if sent and self.dice.random() < 0.8:
            return sent[-1], False
        draws = iter(lambda: f"{self.dice.randrange(1_000_000):06}", "")
        wrong = next(code for code in draws if code not in sent)
        self.wrong_codes.append(wrong)
        # Without a delivered SMS, what was sent is not known.
        return wrong, bool(sent)

    # Again ---------------------------------------------------------------------------------------

    def _again(self) -> list[Request]:
        return [self.dice.choice(self.asked)] if self.asked else self._topup()

    def _other_body(self) -> list[Request]:
        return [self._differing(self.dice.choice(self.asked))] if self.asked else self._topup()

    def _differing(self, request: Request) -> Request:
        """The same key for another body, or for another call."""
        body = request.body or {}
        request = replace(request, learn=None, is_guess=False)
        if self.dice.random() < 0.4:
            path = self.dice.choice(
                [one for one in (TOPUP, OLDER_TOPUP, GENERATE) if one != request.path]
            )
            return replace(request, path=path)
        if "amount" not in body:
            return request.with_body(amount=1)
        return request.with_body(amount=int(float(body["amount"])) + self.dice.choice((1, 10)))

    # Reads ---------------------------------------------------------------------------------------

    def _look(self) -> list[Request]:
        dice = self.dice
        path = dice.choice(("/v1/balance", "/v1/webhook-endpoints", "/v1/operations/", "/v1/otp"))
        if path == "/v1/otp":
            if not self.waiting:
                return [self.get("/v1/balance")]
            return [self.get("/v1/otp/status", f"reference={self.waiting[-1].reference}")]
        if path == "/v1/operations/":
            if not self.references:
                return [self.get("/v1/balance")]
            return [self.get(path + dice.choice(self.references), "wait=0&version=0")]
        if dice.random() < 0.2:
            body = {"kind": "float", "amount": dice.choice(FLOAT_AMOUNTS)}
            return [replace(self._post("/v1/quotes", body), key=None)]
        return [self.get(path)]

    def _wait(self) -> list[Request]:
        """For a change of something that is not over, for longer than this lasts."""
        moving = [one for one in self.feed.newest.values() if not one["final"]]
        if not moving:
            return self._look()
        one = self.dice.choice(moving)
        query = f"wait={WAIT_S}&version={one['version']}"
        return [self.get(f"/v1/operations/{one['reference']}", query)]

    def _history(self) -> list[Request]:
        query = f"limit={self.dice.choice((1, 3, 20, 200))}"
        if self.cursor is not None and self.dice.random() < 0.7:
            query += f"&cursor={self.cursor}"
        elif self.dice.random() < 0.3:
            query += self.dice.choice(("&kind=topup", "&status=paid", "&kind=float&status=expired"))
        return [replace(self.get("/v1/transactions", query), learn=self._paged)]

    def _paged(self, answer: Answer) -> None:
        self.cursor = answer.members().get("next_cursor")

    def _ask_bank(self) -> list[Request]:
        if not self.references:
            return self._topup()
        path = self.dice.choice(("/v1/topup/validate", "/v1/stk-push/query"))
        body = {"reference": self.dice.choice(self.references[-10:])}
        return [replace(self._post(path, body), key=None)]

    def _clean_up(self) -> list[Request]:
        return [replace(self._post("/v1/otp/cleanup", {}), key=None)]

    # Requests ------------------------------------------------------------------------------------

    def get(self, path: str, query: str = "") -> Request:
        return Request(self.code, self.key, "GET", path, query=query)

    def _post(self, path: str, body: Mapping[str, Any], **more: Any) -> Request:
        return Request(self.code, self.key, "POST", path, body, key=self.new_key(), **more)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Request:
        return Request(self.code, self.key, "POST", path, body)

    def new_key(self) -> str:
        """Without digits, so that none can be taken for a code."""
        return "k-" + "".join(self.dice.choices(ascii_letters, k=20))

    def remember(self, request: Request) -> None:
        """To be sent again some time: at once, or hours later."""
        self.asked.append(request)
        if len(self.asked) > REMEMBERED:
            self.asked.pop(self.dice.randrange(REMEMBERED))
