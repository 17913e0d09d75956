"""Safaricom's Daraja: payments from the short code to customers (facts: Daraja 1, 2, 7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import httpx
import structlog

from services.domain.bank import NoAnswer, NotSent, Ready, Unknown
from services.domain.payout_answers import (
    Acknowledged,
    Asked,
    PayoutAnswer,
    PayoutOrder,
    Refused,
)
from services.gateways.daraja.credentials import DarajaCredentials
from services.gateways.daraja.pace import Pace
from services.gateways.daraja.request_wire import (
    balance_body,
    payment_body,
    read_payment_answer,
    read_query_answer,
    read_refusal,
    read_token,
    status_body,
)
from services.gateways.http_exchange import Exchange, Reply
from services.gateways.tokens import OWN_TOKENS, Token, TokenCache, TokenKeeper
from services.ports import Clock

TOKEN = "/oauth/v1/generate?grant_type=client_credentials"
PAYMENT = "/mpesa/b2c/v3/paymentrequest"
STATUS = "/mpesa/transactionstatus/v1/query"
BALANCE = "/mpesa/accountbalance/v1/query"
REFRESH_TOKEN_BEFORE = timedelta(minutes=5)

__all__ = ["DarajaB2c", "DarajaCredentials"]


class DarajaB2c:
    """``services.ports.PayoutRail`` over HTTP; ``client`` provides only the transport.

    A new token ends the one before, so whoever calls M-PESA shares one, by ``keeper``. Nothing is
    retried here but what was refused for its token, which M-PESA has not seen.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        clock: Clock,
        credentials: DarajaCredentials,
        keeper: TokenKeeper = OWN_TOKENS,
    ) -> None:
        self._clock = clock
        self._credentials = credentials
        self._exchange = Exchange(
            client,
            clock,
            user_agent=credentials.user_agent,
            connect_s=credentials.connect_s,
            call_s=credentials.call_s,
        )
        self._tokens = TokenCache(
            self._fetch_token, clock, refresh_before=REFRESH_TOKEN_BEFORE, keeper=keeper
        )
        self._pace = Pace(clock, credentials.calls_per_s)
        self._log = structlog.get_logger("daraja").bind()

    async def prepare(self) -> Ready | NotSent:
        """A token, and this caller's turn: what is still to wait for is waited for here, before the
        intent to pay is committed."""
        token = await self._tokens.cached()
        if isinstance(token, NotSent):
            self._log.warning("daraja token", said=token.why)
            return token
        await self._pace.turn()
        return Ready(token.text)

    async def pay(self, ready: Ready, order: PayoutOrder) -> PayoutAnswer:
        """One order, sent again only while its token is refused, and twice at most."""
        started = self._clock.monotonic()
        reply = await self._authorised(PAYMENT, payment_body(order, self._credentials), ready.token)
        answer: PayoutAnswer
        if not isinstance(reply, Reply):
            answer = reply
        elif _is_about_token(reply):
            answer = NotSent(f"the token was refused twice: {read_refusal(reply)}")
        else:
            answer = read_payment_answer(reply, order.originator_id)
        self._log_call(
            "payout",
            started,
            answer,
            originator_id=order.originator_id,
            phone=order.phone.masked,
        )
        return answer

    async def ask_status(self, originator_id: str) -> Asked | NoAnswer:
        """The answer comes as a Result whose occasion is ``originator_id``."""
        body = status_body(originator_id, self._credentials)
        return await self._ask("status", STATUS, body, originator_id=originator_id)

    async def ask_balance(self) -> Asked | NoAnswer:
        return await self._ask("balance", BALANCE, balance_body(self._credentials))

    async def _ask(
        self, call: str, path: str, body: Mapping[str, object], **facts: str
    ) -> Asked | NoAnswer:
        started = self._clock.monotonic()
        token = await self._tokens.cached()
        answer: Asked | NoAnswer
        if isinstance(token, NotSent):
            answer = NoAnswer(token.why)
        else:
            await self._pace.turn()
            answer = read_query_answer(await self._authorised(path, body, token.text))
        self._log_call(call, started, answer, **facts)
        return answer

    async def _authorised(
        self, path: str, body: Mapping[str, object], token: str
    ) -> Reply | NotSent | Unknown:
        """Once more, with a new token, if the old one was refused."""
        reply = await self._post(path, body, token)
        if not _is_about_token(reply):
            return reply
        replacement = await self._tokens.replacement_for(token)
        if isinstance(replacement, NotSent):
            return replacement
        return await self._post(path, body, replacement.text)

    async def _post(
        self, path: str, body: Mapping[str, object], token: str
    ) -> Reply | NotSent | Unknown:
        reply = await self._exchange.send(
            "POST", self._credentials.url(path), bearer=token, body=body
        )
        if isinstance(reply, Reply):
            refusal = read_refusal(reply)
            if refusal is None:
                self._pace.speed_up()
            elif refusal.is_too_many:
                self._pace.slow_down()
        return reply

    async def _fetch_token(self) -> Token | NotSent:
        given = self._credentials
        basic = (given.consumer_key, given.consumer_secret)
        return read_token(await self._exchange.send("GET", given.url(TOKEN), basic=basic))

    def _log_call(
        self, call: str, started: float, answer: PayoutAnswer | Asked | NoAnswer, **facts: str
    ) -> None:
        """One line per call, without token, credential and whole phone."""
        match answer:
            case Acknowledged(conversation_id) | Asked(conversation_id):
                detail, write = conversation_id, self._log.info
            case Refused(detail) | NotSent(detail) | Unknown(detail) | NoAnswer(detail):
                write = self._log.warning
        write(
            f"daraja {call}",
            answer=type(answer).__name__,
            said=detail,
            ms=round((self._clock.monotonic() - started) * 1_000),
            **facts,
        )


def _is_about_token(reply: Reply | NotSent | Unknown) -> bool:
    refusal = read_refusal(reply) if isinstance(reply, Reply) else None
    return refusal is not None and refusal.is_about_token
