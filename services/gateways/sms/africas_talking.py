"""SMS through Africa's Talking (facts: channels, Africa's Talking SMS)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.domain import gsm7
from services.domain.bank import NotSent, Unknown
from services.domain.message import MessageAnswer, NotTaken, Taken, Unsure
from services.domain.phone import Phone
from services.gateways.http_exchange import Exchange, Reply
from services.gateways.sms.delivery_report import MESSAGE_ID
from services.ports import Clock

MESSAGING = "/version1/messaging"

_HEADER_VALUE = re.compile(r"[!-~]+")
_TAKEN = frozenset({100, 101, 102})  # processed, sent, queued
# Status code of a refused recipient: its meaning, and whether a retry is pointless.
_REFUSED: Mapping[int, tuple[str, bool]] = {
    401: ("held as a risk", True),
    402: ("sender id refused", True),
    403: ("not a phone number", True),
    404: ("number of a type not served", True),
    405: ("our balance is too low", False),  # we must top up
    406: ("number on the blacklist", True),
    407: ("no route to the number", True),
    409: ("number does not want to be disturbed", True),
    500: ("the carrier failed", False),
    501: ("the carrier's gateway failed", False),
    # Not among the retryable ones: the network was reached and refused.
    502: ("rejected by the gateway", True),
}
# About our key, our address or our rate, never about this message.
_ABOUT_US = frozenset({401, 403, 404, 429})
_GATEWAY_TIMEOUT = 408  # a gateway in between timed out; the outcome is unknown


@dataclass(frozen=True, slots=True)
class AfricasTalkingCredentials:
    """Without ``sender_id`` the carrier uses its own. The sandbox has a different ``base_url``.

    Raises ``ValueError`` on invalid values, so that they are not discovered with a message.
    """

    username: str
    api_key: str = field(repr=False)
    sender_id: str | None = None
    base_url: str = "https://api.africastalking.com"
    user_agent: str = "Hazina/0.1"
    connect_s: float = 5.0
    call_s: float = 20.0

    def __post_init__(self) -> None:
        address = urlsplit(self.base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError(f"not an http(s) address: {self.base_url!r}")
        if not self.username:
            raise ValueError("a user name is needed")
        if not _HEADER_VALUE.fullmatch(self.api_key):
            raise ValueError("an API key is printable ASCII without spaces")


class AfricasTalkingSms:
    """``services.ports.Sms`` over HTTP: one POST per message, never retried here."""

    def __init__(
        self, client: httpx.AsyncClient, clock: Clock, credentials: AfricasTalkingCredentials
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
        self._log = structlog.get_logger("sms")

    async def send(self, to: Phone, text: str) -> MessageAnswer:
        started = self._clock.monotonic()
        answer = await self._post(to, text)
        self._log_call(started, to, gsm7.parts(text), answer)
        return answer

    async def _post(self, to: Phone, text: str) -> MessageAnswer:
        try:
            text.encode()
        except UnicodeEncodeError:  # its message repeats the text
            return NotTaken("the text cannot be encoded", final=True)
        given = self._credentials
        form = {
            "username": given.username,
            "to": f"+{to.msisdn}",
            "message": text,
            "enqueue": "1",
        }
        if given.sender_id:
            form["from"] = given.sender_id
        reply = await self._exchange.send(
            "POST",
            given.base_url.rstrip("/") + MESSAGING,
            form=form,
            headers={"apiKey": given.api_key},
        )
        match reply:
            case NotSent(why):
                return NotTaken(why, final=False)
            case Unknown(why):
                return Unsure(why)
            case Reply():
                return _read(reply)

    def _log_call(self, started: float, to: Phone, parts: int, answer: MessageAnswer) -> None:
        """One line per message, without its text or the full number, but with its cost."""
        match answer:
            case Taken(detail):
                write = self._log.info
            case NotTaken(detail) | Unsure(detail):
                write = self._log.warning
        write(
            "sms",
            answer=type(answer).__name__,
            said=detail,
            parts=parts,
            ms=round((self._clock.monotonic() - started) * 1_000),
            phone=to.masked,
        )


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Recipient(_Wire):
    code: int = Field(alias="statusCode")
    message_id: str | None = Field(default=None, alias="messageId")


class _Data(_Wire):
    recipients: list[_Recipient] = Field(alias="Recipients")


class _Answer(_Wire):
    data: _Data = Field(alias="SMSMessageData")


def _read(reply: Reply) -> MessageAnswer:
    if reply.status // 100 == 4 and reply.status != _GATEWAY_TIMEOUT:
        return NotTaken(f"HTTP {reply.status}", final=reply.status not in _ABOUT_US)
    if reply.status // 100 != 2:
        return Unsure(f"HTTP {reply.status}")
    try:
        recipients = _Answer.model_validate_json(reply.body).data.recipients
    except ValidationError:  # its message repeats the answer, which holds the phone number
        return Unsure(f"HTTP {reply.status} of unknown shape")
    if len(recipients) != 1:
        return Unsure(f"{len(recipients)} recipients in the answer about one")
    return _read_recipient(recipients[0])


def _read_recipient(recipient: _Recipient) -> MessageAnswer:
    code = recipient.code
    if code in _REFUSED:
        why, final = _REFUSED[code]
        return NotTaken(f"{code}: {why}", final)
    if code not in _TAKEN:
        return Unsure(f"{code}: not a known code")
    message_id = recipient.message_id or ""
    if message_id == "None" or not MESSAGE_ID.fullmatch(message_id):
        # No delivery report could be matched to it
        return Unsure(f"{code}: taken without a message id")
    return Taken(message_id)
