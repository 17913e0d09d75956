"""The facts that the host adds to a flow's own data, for the checks of texts."""

from __future__ import annotations

SHOWN_ALWAYS = frozenset({"name", "partner", "my_phone", "bank"})
# By use case, for its progress and exits; by view.
PROGRESS_FACTS = {
    "start_topup": frozenset({"reference", "status"}),
    "start_another_topup": frozenset({"reference", "status"}),
    "expect_topup": frozenset({"reference", "status", "paybill", "account"}),
    "check_topup_code": frozenset({"sent_to", "until"}),
    "check_join_code": frozenset({"sent_to", "until"}),
    "check_number_code": frozenset({"sent_to", "until"}),
    "check_mail_code": frozenset({"sent_to", "until"}),
    "check_float_code": frozenset({"reference", "sent_to", "until"}),
    "buy_float": frozenset({"reference", "status"}),
    "request_document": frozenset({"reference", "status"}),
    "export_document": frozenset({"reference", "status"}),
    "chart_activity": frozenset({"reference", "status"}),
}
END_FACTS = {
    "topup": frozenset({"reference", "amount", "phone", "at", "balance", "reason"}),
    "statement": frozenset({"reference", "partner"}),
    "export": frozenset({"reference", "partner"}),
    "stats": frozenset({"reference", "period"}),
    "float": frozenset(
        {"reference", "amount", "fees", "total", "at", "balance", "float", "reason"}
    ),
}
REFUSED = frozenset({"reason"})
VIEW_FACTS = {
    "partners": frozenset({"lines"}),
    "own_people": frozenset({"code", "lines"}),
    "people": frozenset({"code", "lines"}),
    "approvals": frozenset({"lines"}),
    "approval": frozenset({"reference", "who", "amount", "fees", "total", "status"}),
    "partner": frozenset({"code", "state", "wallet", "available", "float", "mark", "people"}),
    "balance": frozenset({"partner", "at", "wallet", "available", "float", "low"}),
    "history": frozenset({"partner", "lines"}),
    "settings": frozenset(
        {
            "partner",
            "wallet_mark",
            "float_mark",
            "notices",
            "language",
            "phones",
            "number",
            "email",
            "second",
        }
    ),
    "notices": frozenset({"notices"}),
    "notice": frozenset({"notice"}),
    "phones": frozenset({"phones"}),
    "fees": frozenset({"code", "transfer", "processing"}),
    "limits": frozenset({"code", "lines"}),
    "unknown": frozenset({"reference", "what", "code", "state", "since", "evidence"}),
    "suspended": frozenset(
        {"reference", "amount", "payer", "account", "receipt", "at", "why", "may_be_of"}
    ),
    "finding": frozenset({"reference", "why", "what"}),
    "proposals": frozenset({"lines"}),
    "proposal": frozenset(
        {"proposal", "what", "code", "about", "amount", "reason", "by", "at", "status"}
    ),
    "operation": frozenset({"reference", "what", "state", "reason", "begun", "settled", "receipt"}),
    "balance_of": frozenset({"partner", "at", "wallet", "available", "float", "low"}),
    "history_of": frozenset({"partner", "lines"}),
    "operation_of": frozenset(
        {"reference", "what", "state", "reason", "begun", "settled", "receipt"}
    ),
    "found": frozenset({"lines"}),
    "timeline": frozenset({"reference", "what", "lines"}),
    "pending": frozenset({"lines"}),
    "audit": frozenset({"lines"}),
    "codes": frozenset({"lines", "lock"}),
    "own_blocks": frozenset({"lines"}),
    "desk_blocks": frozenset({"lines"}),
    "desk_block": frozenset({"phone", "whose"}),
    "jobs": frozenset({"lines"}),
    "stats": frozenset({"lines"}),
    "screens": frozenset({"lines"}),
    "broadcast": frozenset({"broadcast", "state", "told", "by", "at"}),
    "api_keys": frozenset({"code", "lines"}),
    "api_key": frozenset({"key", "scopes", "state", "by", "made", "used"}),
    "days": frozenset({"lines"}),
    "floods": frozenset({"lines"}),
    "flood": frozenset({"who", "at", "state"}),
    "health": frozenset(
        {"at", "size", "waiting", "outbox", "open", "unknown", "reviews", "answers", "audit"}
    ),
}
