"""NCBA's collections API: the M-PESA prompt that tops up a wallet (facts: NCBA 1 and 4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import httpx
import structlog

from services.domain.bank import (
    Accepted,
    InitiateAnswer,
    NoAnswer,
    NotPaid,
    NotSent,
    Paid,
    Prompt,
    QrPicture,
    QueryAnswer,
    Ready,
    Rejected,
    StillOpen,
    Unknown,
)
from services.domain.money import Money
from services.gateways.http_exchange import BODY_BYTES_MAX, Exchange, Reply
from services.gateways.ncba.collections_wire import (
    is_refused_token,
    read_initiate,
    read_qr,
    read_query,
    read_token,
)
from services.gateways.ncba.credentials import NcbaCredentials
from services.gateways.tokens import OWN_TOKENS, Token, TokenCache, TokenKeeper
from services.ports import Clock

TOKEN = "/payments/api/v1/auth/token"
INITIATE = "/payments/api/v1/stk-push/initiate"
QUERY = "/payments/api/v1/stk-push/query"
QR = "/payments/api/v1/qr/generate"
PICTURE_BYTES_MAX = 512 * 1024  # of an answer with a picture in it; one has about 10 KB
REFRESH_TOKEN_BEFORE = timedelta(seconds=300)
_WRONG_METHOD = (404, 405)

__all__ = ["NcbaCollections", "NcbaCredentials"]


class NcbaCollections:
    """``services.ports.Collections`` over HTTP; ``client`` provides only the transport.

    Nothing is retried here: the worker repeats what is safe to repeat, on its own schedule.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        clock: Clock,
        credentials: NcbaCredentials,
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
        self._log = structlog.get_logger("ncba").bind()

    async def prepare(self) -> Ready | NotSent:
        """A fresh token, so that a 401 to the money request is rarely about it."""
        started = self._clock.monotonic()
        token = await self._tokens.fresh()
        answer = token if isinstance(token, NotSent) else Ready(token.text)
        self._log_call("token", started, answer)
        return answer

    async def initiate(self, ready: Ready, prompt: Prompt) -> InitiateAnswer:
        """One POST, and a second one only if the bank refused the token of the first: if it accepts
        one token at a time, a later ``prepare`` has invalidated that one.

        Raises ``ValueError`` before sending if the amount is not whole shillings.
        """
        if prompt.amount.currency != "KES":
            raise ValueError(f"M-PESA prompts are in KES, not {prompt.amount.currency}")
        body = {
            "TelephoneNo": prompt.phone.msisdn,
            "Amount": str(prompt.amount.whole_units),
            "PayBillNo": self._credentials.paybill_no,
            "AccountNo": self._credentials.account_reference(prompt.reference),
            "Network": "Safaricom",
            "TransactionType": "CustomerPayBillOnline",
        }
        started = self._clock.monotonic()
        reply = await self._post(INITIATE, ready.token, body)
        if is_refused_token(reply):
            token = await self._tokens.replacement_for(ready.token)
            if isinstance(token, Token):
                reply = await self._post(INITIATE, token.text, body)
            else:
                reply = token
        answer = read_initiate(reply) if isinstance(reply, Reply) else reply
        self._log_call(
            "initiate", started, answer, reference=prompt.reference, phone=prompt.phone.masked
        )
        return answer

    async def query(self, bank_id: str) -> QueryAnswer:
        started = self._clock.monotonic()
        answer = read_query(await self._post_repeatable(QUERY, {"TransactionID": bank_id}))
        self._log_call("query", started, answer, bank_id=bank_id)
        return answer

    async def qr(self, reference: str, amount: Money) -> QrPicture | NoAnswer:
        started = self._clock.monotonic()
        body = {"till": self._credentials.qr_till(reference), "amount": amount.whole_units}
        reply = await self._post_repeatable(QR, body, bytes_max=PICTURE_BYTES_MAX)
        answer = read_qr(reply)
        self._log_call("qr", started, answer, reference=reference)
        return answer

    async def _post_repeatable(
        self, path: str, body: Mapping[str, object], bytes_max: int = BODY_BYTES_MAX
    ) -> Reply | NotSent | Unknown:
        """A request that is safe to repeat: once more, with a new token, if the old one was
        refused."""
        token = await self._tokens.cached()
        if isinstance(token, NotSent):
            return token
        reply = await self._post(path, token.text, body, bytes_max)
        if isinstance(reply, Reply) and reply.status == 401:
            token = await self._tokens.replacement_for(token.text)
            if isinstance(token, NotSent):
                return token
            reply = await self._post(path, token.text, body, bytes_max)
        return reply

    async def _fetch_token(self) -> Token | NotSent:
        given = self._credentials
        for method in ("GET", "POST"):  # the guide gives both for the same path
            reply = await self._exchange.send(
                method, given.url(TOKEN), basic=(given.username, given.password)
            )
            if not (isinstance(reply, Reply) and reply.status in _WRONG_METHOD):
                break
        return read_token(reply)

    async def _post(
        self,
        path: str,
        bearer: str,
        body: Mapping[str, object],
        bytes_max: int = BODY_BYTES_MAX,
    ) -> Reply | NotSent | Unknown:
        return await self._exchange.send(
            "POST", self._credentials.url(path), bearer=bearer, body=body, bytes_max=bytes_max
        )

    def _log_call(
        self,
        call: str,
        started: float,
        answer: Ready | InitiateAnswer | QueryAnswer | QrPicture,
        **facts: str,
    ) -> None:
        """One line per call. Only words of the answer without token and phone are logged."""
        match answer:
            case Ready() | QrPicture():
                detail = ""
            case Accepted(description=detail) | Paid(detail) | StillOpen(detail):
                pass
            case Rejected(reason, words) | NotPaid(reason, _, words):
                detail = f"{reason}: {words}"
            case NotSent(detail) | Unknown(detail) | NoAnswer(detail):
                pass
        troubled = isinstance(answer, NotSent | Unknown | NoAnswer | Rejected)
        write = self._log.warning if troubled else self._log.info
        write(
            f"ncba {call}",
            answer=type(answer).__name__,
            said=detail,
            ms=round((self._clock.monotonic() - started) * 1_000),
            **facts,
        )
