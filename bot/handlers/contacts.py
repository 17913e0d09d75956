"""Handlers for changing one's own phone number or mail address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.context import TurnContext
from bot.handlers.declaring import Handlers
from bot.handlers.wrong_codes import code_exit, refusal_of_code, report_wrong_code
from bot.outbox.carriers import MAIL, SMS
from flows.engine.host import Exit
from services import contacts, otp
from services.contacts import Contact, ContactChanged
from services.domain.business_days import time_of_day
from services.domain.ids import Reference
from services.domain.otp import Purpose
from services.domain.partner import Right
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.otp import Issued, NotPassed

HANDLERS = Handlers()


@HANDLERS.use_case("ask_number", needs=Right.VIEW)
def ask_number(turn: TurnContext, new_phone: Phone) -> Exit | Refusal:
    return _request_change(turn, new_phone)


@HANDLERS.use_case("ask_mail", needs=Right.VIEW)
def ask_mail(turn: TurnContext, email: str) -> Exit | Refusal:
    return _request_change(turn, email)


def _request_change(turn: TurnContext, new: Contact) -> Exit | Refusal:
    app = turn.app
    issued = contacts.request_change(
        turn.tx, app.keys, app.random, app.policy, turn.person, turn.sender, new
    )
    if isinstance(issued, Refusal):
        return issued
    _send_code(turn, issued)
    return Exit("sent", sets={"change": issued.otp.binding.operation})


@HANDLERS.action("resend_contact_code", needs=Right.VIEW)
def resend(turn: TurnContext, operation: Reference) -> Exit | Refusal | None:
    before = otp.status(turn.tx, operation)
    if before is None or before.binding.person_id != turn.person.id:
        return Exit("cancelled")
    if (exit_name := code_exit(turn, before.status, before.who)) is not None:
        return Exit(exit_name)
    app = turn.app
    issued = contacts.resend_code(
        turn.tx, app.keys, app.random, turn.sender, before, limits=app.policy.code_limits
    )
    if isinstance(issued, Refusal):
        return issued
    _send_code(turn, issued)
    return None


def _send_code(turn: TurnContext, issued: Issued) -> None:
    binding = issued.otp.binding
    facts = {"code_of": binding.partner}
    if binding.purpose is Purpose.PROVE_MAIL:
        turn.send_code_to(issued, "sms.mail_code", facts, email=binding.destination)
    else:
        turn.send_code_to(issued, "sms.number_code", facts, phone=issued.otp.phone)


@HANDLERS.code_check("check_number_code", needs=Right.VIEW, shows=("sent_to", "until"))
def check_number(
    turn: TurnContext, operation: Reference, code: str, new_phone: Phone
) -> Exit | Refusal:
    new: Phone = new_phone
    proved = _prove(turn, operation, new, code)
    if not isinstance(proved, ContactChanged):
        return proved
    facts = {"code": turn.person.partner.code, "who": turn.person.name}
    _audit_change(turn, "number_changed", {"from": proved.old_phone.masked, "to": new.masked})
    turn.queue_notice(SMS, proved.old_phone.msisdn, turn.say("notice.moved_phone", facts))
    return Exit("right")


@HANDLERS.code_check("check_mail_code", needs=Right.VIEW, shows=("sent_to", "until"))
def check_mail(turn: TurnContext, operation: Reference, code: str, email: str) -> Exit | Refusal:
    proved = _prove(turn, operation, email, code)
    if not isinstance(proved, ContactChanged):
        return proved
    words = turn.say("notice.moved_mail", {"code": turn.person.partner.code})
    _audit_change(turn, "mail_changed", {})
    turn.queue_notice(SMS, turn.person.phone.msisdn, words)
    if proved.old_email is not None:
        turn.queue_notice(MAIL, proved.old_email, f"{turn.say('mail.moved_subject')}\n{words}")
    return Exit("right")


def _audit_change(turn: TurnContext, act: str, facts: Mapping[str, object]) -> None:
    person = turn.person
    turn.audit(person.partner.code, act, f"person:{person.id}", facts)


def _prove(
    turn: TurnContext, change: str, new: Contact, code: str
) -> ContactChanged | Exit | Refusal:
    answer = contacts.confirm_change(
        turn.tx,
        turn.app.keys,
        turn.person,
        change,
        new,
        code,
        limits=turn.app.policy.code_limits,
    )
    if isinstance(answer, NotPassed):
        newest = turn.tx.otps.newest(change)
        assert newest is not None, "a code was sent before the question was asked"
        report_wrong_code(turn, newest.binding, answer, code)
        return refusal_of_code(turn, newest.who, answer)
    turn.reload()
    return answer


@HANDLERS.action("contact_code_stands", needs=Right.VIEW)
def exit_if_code_ended(turn: TurnContext, operation: Reference) -> Exit | None:
    newest = otp.status(turn.tx, operation)
    exit_name = "cancelled" if newest is None else code_exit(turn, newest.status, newest.who)
    return None if exit_name is None else Exit(exit_name)


@HANDLERS.action("cancel_contact", needs=Right.VIEW)
def cancel(turn: TurnContext, operation: Reference) -> None:
    contacts.cancel(turn.tx, turn.person, operation)


@HANDLERS.progress("CH", needs=Right.VIEW)
def progress(turn: TurnContext, operation: Reference) -> Mapping[str, Any]:
    """Where the code was sent, and when it expires."""
    newest = turn.tx.otps.newest(operation)
    assert newest is not None, "a code is sent before the question is asked"
    by_mail = newest.binding.purpose is Purpose.PROVE_MAIL
    return {
        "sent_to": newest.binding.destination if by_mail else newest.phone,
        "until": time_of_day(newest.expires_at),
    }
