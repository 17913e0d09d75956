"""The Open Banking token request on the wire (facts: NCBA 3)."""

from __future__ import annotations

from pydantic import Field, ValidationError

from services.domain.bank import NotSent, Unknown
from services.gateways.bank_answer import WireModel
from services.gateways.http_exchange import Reply
from services.gateways.openbanking.coded_answer import describe_reply, read_coded_answer
from services.gateways.tokens import Token, TokenText

TOKEN_LIFE_S = 900  # how long a token is cached; the bank gives no expiry


class _TokenGiven(WireModel):
    access_token: TokenText | None = Field(default=None, alias="accessToken", repr=False)
    token_id: TokenText | None = Field(default=None, alias="tokenID", repr=False)


def read_token(reply: Reply | NotSent | Unknown) -> Token | NotSent:
    """Whatever became of a token request, no money request has been sent yet."""
    if not isinstance(reply, Reply):
        return NotSent(f"token: {reply.why}")
    if reply.status // 100 != 2:
        return NotSent(f"token: {describe_reply(reply)}")
    try:
        given = _TokenGiven.model_validate_json(reply.body)
    except ValidationError:  # its message repeats the input, which may hold a token
        return NotSent("token: an answer of unknown shape")
    texts = {text for text in (given.access_token, given.token_id) if text}
    if len(texts) != 1:
        parsed = read_coded_answer(reply.body)
        return NotSent(
            f"token: an answer without one token {parsed.words if parsed else ''}".rstrip()
        )
    return Token(texts.pop(), TOKEN_LIFE_S)
