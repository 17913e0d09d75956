"""FloatPurchase and its status query: requests, and what answers mean (facts: NCBA 3, 4, 5).

No real answer of either is public. So answers are read in the shapes of sister calls, their codes
are looked up in the tables of the credentials, and any code not found there is unknown.
``{"succeeded": true}`` without such a code is unknown too: in sister calls it meant only that the
instruction was accepted.
"""

from __future__ import annotations

import re

from services.domain.bank import (
    Failed,
    FloatOrder,
    NoAnswer,
    NotSent,
    Rejected,
    StatusAnswer,
    StillOpen,
    Succeeded,
    Unknown,
)
from services.domain.business_days import NAIROBI
from services.domain.ids import ALPHABET, REFERENCE_LENGTH
from services.domain.mpesa import Reason
from services.gateways.bank_answer import ParsedAnswer, read_answer
from services.gateways.http_exchange import Reply
from services.gateways.ncba.collections_wire import is_doubtful_status
from services.gateways.openbanking.coded_answer import (
    StatusShape,
    describe_reply,
    read_coded_answer,
)
from services.gateways.openbanking.credentials import OpenBankingCredentials

# About our credentials, our IP address or our URL, never about the purchase.
_ABOUT_US = frozenset({401, 403, 404})


def bank_reference(reference: str) -> str:
    """Our reference as sent to the bank, letters and digits only: ``FL7K3QF9``."""
    return reference.replace("-", "")


def purchase_body(order: FloatOrder, credentials: OpenBankingCredentials) -> dict[str, str]:
    """Whole shillings go without decimals, as the bank shows them (facts: NCBA 4).

    Raises ``ValueError`` on cents unless the bank is known to take them.
    """
    if order.amount.currency != "KES":
        raise ValueError(f"float is bought in KES, not {order.amount.currency}")
    has_cents = credentials.part_shillings and not order.amount.is_whole
    amount = order.amount.decimal if has_cents else str(order.amount.whole_units)
    reference = bank_reference(order.reference)
    return {
        "reqAgentName": credentials.agent_name,
        "reqCreditAmount": amount,
        "reqCustomerReference": reference,
        "reqDealReference": reference,
        "reqDebitAccountNumber": credentials.debit_account,
        "reqDebitAcCurrency": "KES",
        "reqDebitAmount": amount,
        "reqMobileNumber": order.phone.msisdn,
        "reqPayBillTillNo": order.short_code,
        "reqPaymentDescription": f"B2C float {reference}",
        "reqPaymentType": "FloatPurchase",
        "reqToAccountName": credentials.to_account_name or credentials.agent_name,
        "reqTransactionReferenceNo": reference,
        "reqTxnDate": order.ordered_at.astimezone(NAIROBI).strftime("%Y%m%d"),
        "senderCountry": credentials.country,
    }


# Fields of NCBA's rails that only queue the request, whatever their code (facts: NCBA 6).
_QUEUED = frozenset({"hdrrefno", "hdrtranid", "unitid"})
_DUPLICATE = re.compile(r"\bduplicat\w*\b", re.IGNORECASE)

# Names of the thing queried; an empty list or object under one means not found.
_FOUND = re.compile(r"^(?:data|(?:transaction|txn|payment|record|result|item)s?)$")
_OURS = re.compile(rf"FL-?[{ALPHABET}]{{{REFERENCE_LENGTH}}}")


def read_purchase(
    reply: Reply, credentials: OpenBankingCredentials, reference: str = ""
) -> Succeeded | Rejected | Unknown:
    """Any answer to the one POST: final or unknown, never sent again (facts: NCBA 4, 6).

    In a refusal, ``reference``, our own, is an echo; any other id belongs to a transaction. The
    reason is always ``BANK_REFUSED``: the bank means our account, which M-PESA's tables, made for
    the payer's, would explain wrongly.
    """
    everything = read_answer(reply.body)
    if everything is not None and any(_DUPLICATE.search(text) for text in everything.texts):
        return Unknown(f"{describe_reply(reply)}: a duplicate, so the first has arrived")
    if reply.status // 100 == 4:
        return _read_refusal(reply, everything, credentials, reference)
    if reply.status // 100 != 2:
        return Unknown(describe_reply(reply))
    parsed = read_coded_answer(reply.body)
    if parsed is None:
        return Unknown(f"HTTP {reply.status} of unknown shape")
    match parsed.is_success(credentials.success_codes, credentials.refusal_codes):
        case True if (
            reply.status == 202
            or parsed.codes & credentials.accepted_codes
            or parsed.everything.names & _QUEUED
        ):
            return Unknown(f"only accepted: {parsed.summary}")
        case True if _is_other_purchase(parsed.everything, reference):
            return Unknown(f"another purchase: {parsed.summary}")
        case True:
            return Succeeded(parsed.bank_id, parsed.words)
        case False if _has_foreign_id(parsed.everything, reference):
            return Unknown(f"refused, with an id: {parsed.summary}")
        case False:
            return Rejected(Reason.BANK_REFUSED, parsed.summary)
        case None:
            return Unknown(f"not known to be final: {parsed.summary}")


def _has_foreign_id(parsed: ParsedAnswer, reference: str) -> bool:
    """It has an id other than our own reference echoed back."""
    return any(bank_reference(one) != bank_reference(reference) for one in parsed.ids)


def _is_other_purchase(parsed: ParsedAnswer, reference: str) -> bool:
    """It is about another of our purchases, not the one with this ``reference``."""
    ours = {bank_reference(one) for one in parsed.ids if _OURS.fullmatch(one)}
    return not ours <= {bank_reference(reference)}


def _read_refusal(
    reply: Reply, parsed: ParsedAnswer | None, credentials: OpenBankingCredentials, reference: str
) -> Rejected | Unknown:
    """A 4xx: final if it gives a reason, or is about us, and nothing in it is doubtful."""
    known = parsed is not None and parsed.codes & credentials.refusal_codes
    if is_doubtful_status(reply.status, None if known else parsed):
        return Unknown(describe_reply(reply))
    if parsed is not None:
        zeros = parsed.zero_codes - credentials.refusal_codes
        if zeros or parsed.codes & credentials.success_codes or parsed.claims_success:
            return Unknown(f"{describe_reply(reply)}: a refusal that says success")
        if parsed.doubts or _has_foreign_id(parsed, reference):
            return Unknown(describe_reply(reply))
    if known or (parsed is not None and parsed.words) or reply.status in _ABOUT_US:
        return Rejected(Reason.BANK_REFUSED, describe_reply(reply))
    return Unknown(f"{describe_reply(reply)} without a reason")


def read_status(
    reply: Reply | NotSent | Unknown, credentials: OpenBankingCredentials, reference: str = ""
) -> StatusAnswer:
    """Only codes in the status query's own tables are final, including "not found", and only if
    nothing contradicts them or names another purchase than ``reference``."""
    if not isinstance(reply, Reply):
        return NoAnswer(reply.why)
    parsed = read_coded_answer(reply.body, StatusShape)
    if reply.status // 100 != 2 or parsed is None:
        return NoAnswer(describe_reply(reply))
    if _is_other_purchase(parsed.everything, reference):
        return StillOpen(f"another purchase: {parsed.summary}")
    match parsed.is_success(credentials.bought_codes, credentials.failed_codes):
        case True if any(
            _FOUND.search(name) and value in ([], {}) for name, value in parsed.everything.leaves
        ):
            return StillOpen(f"nothing found: {parsed.summary}")
        case True if "transaction" in parsed.everything.names and not parsed.everything.statuses:
            return StillOpen(f"a transaction without a status: {parsed.summary}")
        case True:
            return Succeeded(parsed.bank_id, parsed.words)
        case False:
            return Failed(parsed.summary)
        case None:
            return StillOpen(parsed.summary)
