"""Handlers for an invited person who joins a partner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.context import TurnContext
from bot.handlers.declaring import Handlers
from bot.handlers.suspicious_attempts import note_suspicious_attempt
from bot.handlers.wrong_codes import code_exit, refusal_of_code
from bot.outbox.carriers import SMS
from flows.engine.host import Exit
from services import approvals, joining, otp
from services.domain.business_days import time_of_day
from services.domain.ids import Reference
from services.domain.otp import OtpStatus
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.joining import Joined
from services.otp import Issued, NotPassed

HANDLERS = Handlers()

TRACES_MAX = 10  # audit rows about one invitation, however often it is opened


@HANDLERS.use_case("open_invite", needs=None)
def open_invite(turn: TurnContext) -> Exit | Refusal:
    """The token goes straight from the event to the use case and is not stored."""
    event = turn.event
    opened = joining.claim_invite(
        turn.tx, turn.app.admin_names, event.argument, event.channel, event.address
    )
    if isinstance(opened, Refusal):
        note_suspicious_attempt(turn, opened.code)
        return opened
    if len(turn.tx.audit.about(opened.id, TRACES_MAX)) < TRACES_MAX:
        turn.audit(opened.partner, "invite_opened", opened.id)
    return Exit(
        "opened", sets={"invite": opened.id, "code": opened.partner, "role": opened.role.value}
    )


@HANDLERS.use_case("send_join_code", needs=None)
def send_code(turn: TurnContext, invite: Reference, phone: Phone) -> Exit | Refusal:
    app, event = turn.app, turn.event
    issued = joining.send_code(
        turn.tx,
        app.admin_names,
        app.keys,
        app.random,
        invite,
        phone,
        event.channel,
        event.address,
        limits=app.policy.code_limits,
    )
    return issued if isinstance(issued, Refusal) else _send_issued(turn, issued)


@HANDLERS.action("resend_join_code", needs=None)
def resend_code(turn: TurnContext, operation: Reference) -> Exit | Refusal | None:
    app, event = turn.app, turn.event
    issued = joining.resend_code(
        turn.tx,
        app.admin_names,
        app.keys,
        app.random,
        operation,
        event.channel,
        event.address,
        limits=app.policy.code_limits,
    )
    if isinstance(issued, Refusal):
        return issued
    _send_issued(turn, issued)
    return None


def _send_issued(turn: TurnContext, issued: Issued) -> Exit:
    facts = {"code_of": issued.otp.binding.partner}
    turn.send_code_to(issued, "sms.link_code", facts, phone=issued.otp.phone)
    return Exit("sent")


@HANDLERS.code_check("check_join_code", needs=None, shows=("sent_to", "until"))
def check_code(turn: TurnContext, operation: Reference, code: str) -> Exit | Refusal:
    app, event = turn.app, turn.event
    answer = joining.join(
        turn.tx,
        app.admin_names,
        app.keys,
        operation,
        code,
        event.channel,
        event.address,
        limits=app.policy.code_limits,
    )
    match answer:
        case Refusal():
            return Exit("refused", {"reason": turn.say(f"refusal.{answer.code}", answer.facts)})
        case NotPassed():
            note_suspicious_attempt(turn, "wrong_code")
            newest = turn.tx.otps.newest(operation)
            assert newest is not None, "a code was counted"
            return refusal_of_code(turn, newest.who, answer)
        case Joined():
            _announce(turn, answer)
            frozen = approvals.check_account_freeze(turn.tx, app.policy, answer.person)
            return Exit("right" if frozen is None else "rests")


def _announce(turn: TurnContext, joined: Joined) -> None:
    """Notify other accounts of this person that they were unlinked or that one was added."""
    person = joined.person
    facts: dict[str, object] = {"name": person.name, "role": person.role}
    facts |= {"phone": person.phone.masked}
    turn.reload()
    turn.audit(person.partner.code, "person_linked", f"person:{person.id}", facts)
    notice_facts = {"code": person.partner.code, "who": person.name}
    for channel, address in joined.left:
        turn.queue_notice(channel, address, turn.say("notice.moved_account", notice_facts))
    by_sms = SMS, person.phone.msisdn  # instead of an account on a channel that only answers
    for account in joined.other_accounts:
        to = account if turn.app.channel(account[0]).push else by_sms
        turn.queue_notice(*to, turn.say("notice.further_account", notice_facts))
    if joined.old_phone is not None:
        turn.queue_notice(
            SMS, joined.old_phone.msisdn, turn.say("notice.moved_phone", notice_facts)
        )
    turn.outcomes += joined.ended


@HANDLERS.action("join_code_stands", needs=None)
def exit_if_code_ended(turn: TurnContext, operation: Reference) -> Exit | Refusal | None:
    if not _is_own(turn, operation):
        return Exit("cancelled")
    newest = otp.status(turn.tx, operation)
    if newest is None or newest.status is OtpStatus.PENDING:
        return None
    exit_name = code_exit(turn, newest.status, newest.who)
    return None if exit_name is None else Exit(exit_name)


@HANDLERS.progress("IN", needs=None)
def progress(turn: TurnContext, operation: Reference) -> Mapping[str, Any]:
    """Where the code was sent, and when it expires."""
    assert _is_own(turn, operation), "only who has claimed an invitation is asked for its code"
    newest = turn.tx.otps.newest(operation)
    assert newest is not None, "a code was sent before the question is asked"
    return {"sent_to": newest.phone, "until": time_of_day(newest.expires_at)}


def _is_own(turn: TurnContext, invite: Reference) -> bool:
    claimed = turn.tx.invites.get(invite)
    return claimed is not None and claimed.is_claimed_by(*turn.sender)
