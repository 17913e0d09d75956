"""NCBA's Open Banking API: float purchases and statements at the bank (facts: NCBA 3 and 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import httpx
import structlog

from services.domain.bank import (
    Failed,
    FloatAnswer,
    FloatOrder,
    NoAnswer,
    NotSent,
    Ready,
    Rejected,
    StatusAnswer,
    StillOpen,
    Succeeded,
    Unknown,
)
from services.domain.bank_line import BankLine
from services.gateways.http_exchange import BODY_BYTES_MAX, Exchange, Reply
from services.gateways.ncba.collections_wire import is_refused_token
from services.gateways.openbanking.credentials import OpenBankingCredentials
from services.gateways.openbanking.purchase_wire import (
    bank_reference,
    purchase_body,
    read_purchase,
    read_status,
)
from services.gateways.openbanking.statement_wire import (
    Statement,
    Unreadable,
    bank_line,
    format_day,
    read_statement,
)
from services.gateways.openbanking.token_wire import read_token
from services.gateways.tokens import OWN_TOKENS, Token, TokenCache, TokenKeeper
from services.ports import Clock

TOKEN = "/api/v1/Auth/generate-token"
PURCHASE = "/api/v1/FloatPurchase/floatpurchase"
STATUS = "/api/v1/TransactionStatusQuery/transactionstatusquery"
STATEMENT = "/api/v1/AccountStatement/accountstatement"
STATEMENT_BYTES_MAX = 4 * 1024 * 1024  # about ten thousand lines; a longer answer counts as none

__all__ = ["OpenBankingCredentials", "OpenBankingFloat"]


class OpenBankingFloat:
    """``services.ports.FloatBank`` over HTTP; ``client`` provides only the transport.

    Nothing is retried here: the worker repeats what is safe to repeat, on its own schedule.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        clock: Clock,
        credentials: OpenBankingCredentials,
        keeper: TokenKeeper = OWN_TOKENS,
    ) -> None:
        self._clock = clock
        self._credentials = credentials
        self._exchange = Exchange(
            client,
            clock,
            user_agent=credentials.user_agent,
            connect_s=credentials.connect_s,
            call_s=credentials.status_s,
        )
        self._tokens = TokenCache(
            self._fetch_token, clock, refresh_before=timedelta(0), keeper=keeper
        )
        self._log = structlog.get_logger("openbanking").bind()

    async def prepare(self) -> Ready | NotSent:
        """A fresh token, so that a 401 to the money request is rarely about it."""
        started = self._clock.monotonic()
        token = await self._tokens.fresh()
        answer = token if isinstance(token, NotSent) else Ready(token.text)
        self._log_call("token", started, answer)
        return answer

    async def purchase(self, ready: Ready, order: FloatOrder) -> FloatAnswer:
        """One POST, and a second one only if the bank refused the token of the first.

        Raises ``ValueError`` before sending if the amount is not in KES, or has cents that the bank
        is not known to take.
        """
        body = purchase_body(order, self._credentials)
        started = self._clock.monotonic()
        limit_s = self._credentials.purchase_s
        reply = await self._post(PURCHASE, body, bearer=ready.token, call_s=limit_s)
        if is_refused_token(reply):
            token = await self._tokens.replacement_for(ready.token)
            if isinstance(token, Token):
                reply = await self._post(PURCHASE, body, bearer=token.text, call_s=limit_s)
            else:
                reply = token
        answer = (
            read_purchase(reply, self._credentials, order.reference)
            if isinstance(reply, Reply)
            else reply
        )
        self._log_call(
            "purchase", started, answer, reference=order.reference, phone=order.phone.masked
        )
        return answer

    async def status(self, reference: str) -> StatusAnswer:
        """Queries by our reference; it is not confirmed that the query accepts it (facts: NCBA
        5)."""
        started = self._clock.monotonic()
        body = {
            "country": self._credentials.country,
            "transactionId": bank_reference(reference),
        }
        answer = read_status(
            await self._post_repeatable(STATUS, body), self._credentials, reference
        )
        self._log_call("status", started, answer, reference=reference)
        return answer

    async def statement(self, start: date, end: date) -> Statement | Unreadable | NoAnswer:
        """The statement of the account that pays for the float, both days (in Nairobi) included.

        Raises ``ValueError`` if it would end before it starts.
        """
        if end < start:
            raise ValueError(f"a statement cannot run from {start} to {end}")
        started = self._clock.monotonic()
        body = self._account() | {"fromDate": format_day(start), "toDate": format_day(end)}
        reply = await self._post_repeatable(STATEMENT, body, bytes_max=STATEMENT_BYTES_MAX)
        answer = read_statement(reply, self._credentials)
        self._log_call("statement", started, answer)
        return answer

    async def lines(self, day: date) -> Sequence[BankLine] | NoAnswer:
        """One day's statement for reconciliation."""
        answer = await self.statement(day, day)
        match answer:
            case Statement(lines):
                return [bank_line(line) for line in lines if line.credit.cents or line.debit.cents]
            case Unreadable(why):
                return NoAnswer(f"a statement that cannot be read: {why}")
        return answer

    def _account(self) -> dict[str, str]:
        return {
            "country": self._credentials.country,
            "accountNo": self._credentials.debit_account,
        }

    async def _fetch_token(self) -> Token | NotSent:
        given = self._credentials
        body = {"userID": given.user_id, "password": given.password}
        return read_token(await self._post(TOKEN, body, call_s=given.token_s))

    async def _post_repeatable(
        self, path: str, body: Mapping[str, str], *, bytes_max: int = BODY_BYTES_MAX
    ) -> Reply | NotSent | Unknown:
        """A query, sent once more with a new token if the bank refuses the cached one."""
        token = await self._tokens.cached()
        if isinstance(token, NotSent):
            return token
        reply = await self._post(path, body, bearer=token.text, bytes_max=bytes_max)
        if isinstance(reply, Reply) and reply.status == 401:
            token = await self._tokens.replacement_for(token.text)
            if isinstance(token, NotSent):
                return token
            reply = await self._post(path, body, bearer=token.text, bytes_max=bytes_max)
        return reply

    async def _post(
        self,
        path: str,
        body: Mapping[str, str],
        *,
        bearer: str | None = None,
        call_s: float | None = None,
        bytes_max: int = BODY_BYTES_MAX,
    ) -> Reply | NotSent | Unknown:
        return await self._exchange.send(
            "POST",
            self._credentials.url(path),
            bearer=bearer,
            body=body,
            headers={"Ocp-Apim-Subscription-Key": self._credentials.subscription_key},
            call_s=call_s,
            bytes_max=bytes_max,
        )

    def _log_call(
        self,
        call: str,
        started: float,
        answer: Ready | FloatAnswer | StatusAnswer | Statement | Unreadable,
        **facts: str,
    ) -> None:
        """One line per call. Only words of the answer without token and phone are logged."""
        match answer:
            case Ready():
                detail = ""
            case Statement(lines):
                detail = f"{len(lines)} lines"
            case Succeeded(_, detail) | Failed(detail) | StillOpen(detail):
                pass
            case Rejected(reason, words):
                detail = f"{reason}: {words}"
            case NotSent(detail) | Unknown(detail) | NoAnswer(detail) | Unreadable(detail):
                pass
        troubled = isinstance(answer, NotSent | Unknown | NoAnswer | Rejected | Failed | Unreadable)
        write = self._log.warning if troubled else self._log.info
        write(
            f"openbanking {call}",
            answer=type(answer).__name__,
            said=detail,
            ms=round((self._clock.monotonic() - started) * 1_000),
            **facts,
        )
