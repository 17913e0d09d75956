"""Notices that a one-time code can no longer be delivered."""

from __future__ import annotations

from collections.abc import Sequence

from bot.notify.outcomes import OutcomeNotices, next_steps
from flows.engine.taps import UNBOUND
from services import otp, spending, topups
from services.domain.otp import Otp, OtpStatus, Purpose
from services.domain.outbox import OutboxRow
from services.ports import Tx

_SPENDINGS = (Purpose.FLOAT_PURCHASE, Purpose.DISBURSEMENT, Purpose.PAYOUT_BATCH)


def queue_code_lost(tx: Tx, outcomes: OutcomeNotices, otp_id: str) -> list[OutboxRow]:
    """End what the code approves, and queue the news for its person.

    Does nothing while another message with this code may still arrive.
    """
    code = tx.otps.of_id(otp_id)
    if code is None or code.status is not OtpStatus.PENDING or tx.outbox.may_arrive(otp_id):
        return []  # a code that has already ended affects nothing: a newer one may be live
    if topups.undeliverable(tx, code.binding.operation) is not None:
        return []  # a partner's system waits for it, and reads the event
    if code.binding.purpose not in _SPENDINGS:
        return _conversation_code_lost(tx, outcomes, code)
    ended = spending.undeliverable(tx, code.binding.operation)
    return [] if ended is None else outcomes.refused(tx, ended)


def _conversation_code_lost(tx: Tx, outcomes: OutcomeNotices, code: Otp) -> list[OutboxRow]:
    """What the code approves exists only in a conversation so far: finish the step that waits."""
    reference = code.binding.operation
    otp.revoke(tx, reference)
    person = tx.people.of_id(code.binding.person_id)
    language = "en" if person is None else person.language  # an invited person is not stored yet
    rows = []
    for channel, address in _accounts(tx, code):
        session = outcomes.sessions.load(tx, channel, address)
        waiting = [frame.flow.name for frame in session.frames if frame.operation == reference]
        if not waiting:
            continue
        key = outcomes.engine.finish_operation(session, waiting[0], reference, "undeliverable")
        outcomes.sessions.save(tx, channel, address, session, touched=False)
        facts = {"reference": reference, "amount": code.binding.amount}
        text = outcomes.engine.texts.say(language, key, facts)
        account = outcomes.context.account_to_tell(tx, channel, address)
        if account is not None:
            steps = next_steps(
                tx,
                outcomes.context,
                outcomes.engine,
                account,
                waiting[0],
                "undeliverable",
                reference,
            )
            row = tx.outbox.add(*account, kind="notice", text=text, rows=steps, turn=UNBOUND)
            rows.append(row)
    return rows


def _accounts(tx: Tx, code: Otp) -> Sequence[tuple[str, str]]:
    """The accounts where the code may be typed; an invited person's account is not linked yet."""
    invite = tx.invites.get(code.binding.operation)
    if invite is None:
        return tx.people.addresses(code.binding.person_id)
    assert invite.channel is not None
    assert invite.address is not None
    return [(invite.channel, invite.address)]
