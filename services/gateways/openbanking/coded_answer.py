"""An Open Banking answer and its codes, read in the shapes of sister calls (facts: NCBA 4, 5)."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field, StrictBool, ValidationError

from services.gateways.bank_answer import ParsedAnswer, WireModel, read_answer, safe_line
from services.gateways.http_exchange import Reply


class AnswerShape(WireModel):
    """The shapes seen in sister calls, several of which may be combined in one answer."""

    result_code: str | None = Field(default=None, alias="resultCode")
    error_code: str | None = Field(default=None, alias="resErrorCode")
    succeeded: StrictBool | None = None
    data: object = None
    # The only name that NCBA itself uses for a transaction's id.
    transaction_id: str | None = Field(default=None, alias="transactionId")


class StatusShape(AnswerShape):
    """The status query's own shape, as one integrator saw it (facts: NCBA 6)."""

    code: str | None = Field(default=None, alias="Code")
    transaction: object = Field(default=None, alias="Transaction")


@dataclass(frozen=True, slots=True)
class CodedAnswer:
    """``codes`` come from a known shape, and only they decide between yes and no; ``everything`` is
    searched for contradictions."""

    codes: frozenset[str]
    everything: ParsedAnswer
    bank_id: str | None = None

    @property
    def words(self) -> str:
        return safe_line("; ".join(dict.fromkeys(self.everything.words)))

    @property
    def summary(self) -> str:
        """Includes the code, so that its meaning can be looked up and configured."""
        codes = self.codes or self.everything.codes
        code = f"code {'/'.join(sorted(codes))}" if codes else ""
        return safe_line(": ".join(part for part in (code, self.words) if part))

    @property
    def says_nothing(self) -> bool:
        everything = self.everything
        return not (self.codes or everything.flags or everything.words)

    def is_success(self, yes: frozenset[str], no: frozenset[str]) -> bool | None:
        """``None`` unless all codes are in one table and nothing contradicts them."""
        everything = self.everything
        if self.codes and self.codes | everything.codes <= yes and not everything.denies_success:
            return True
        says_yes = (
            everything.claims_success
            or everything.doubts
            or (everything.zero_codes | everything.codes & yes) - no
        )
        if self.codes and self.codes <= no and not says_yes:
            return False
        return None


def read_coded_answer(body: bytes, shape: type[AnswerShape] = AnswerShape) -> CodedAnswer | None:
    """``None`` if no known shape can be read. A blank code counts as unknown."""
    everything = read_answer(body)
    if everything is None:
        return None
    try:
        outer = shape.model_validate_json(body)
        inner = shape.model_validate(outer.data) if isinstance(outer.data, dict) else None
    except ValidationError:
        return None
    parts = [part for part in (outer, inner) if part]
    codes = [code for part in parts for code in (part.result_code, part.error_code)]
    codes += [part.code for part in parts if isinstance(part, StatusShape)]
    ids = {part.transaction_id for part in parts if part.transaction_id}
    known = frozenset(code for code in codes if code is not None)
    answer = CodedAnswer(known, everything, ids.pop() if len(ids) == 1 else None)
    return None if answer.says_nothing else answer


def describe_reply(reply: Reply) -> str:
    parsed = read_answer(reply.body)
    summary = CodedAnswer(frozenset(), parsed).summary if parsed else ""
    return f"HTTP {reply.status} {summary}".rstrip()
