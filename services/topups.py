"""Top-ups, the person's side: check, ask for a code, and begin (docs/architecture.md).

Each function runs inside a transaction and makes no outside calls. The bank's answers are recorded
by ``services.topup_settlement``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from services import approvals, desk_pins, otp
from services.domain.business_days import start_of_day_at
from services.domain.ids import draw_unique, new_reference
from services.domain.money import Money
from services.domain.otp import Binding, OtpStatus, Purpose
from services.domain.partner import Partner, Person
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.domain.topup import BY_HAND_FOR, PaymentMethod, TopUp, TopUpState
from services.otp import Issued, NotPassed
from services.ownership import draw_reference
from services.policy import NO_CODES, Policy
from services.ports import Keys, Random, Tx

PROMPTS_WITHIN = timedelta(hours=1)
# How long a phone's menu stays on its screen, where a prompt would fail (facts: USSD 4).
SCREEN_FREE_AFTER = timedelta(seconds=2)
DUPLICATE_WITHIN = timedelta(hours=24)  # an open top-up this recent makes an equal one a duplicate


@dataclass(frozen=True, slots=True)
class Duplicate:
    """One for this phone and amount is open already; ``again`` sends another anyway."""

    open: TopUp


@dataclass(frozen=True, slots=True)
class CodeSent:
    topup: TopUp
    issued: Issued


def start(
    tx: Tx,
    random: Random,
    person: Person,
    channel: str,
    address: str,
    key: str,
    amount: Money,
    phone: Phone,
    *,
    policy: Policy = NO_CODES,
    secured: str | None = None,
    again: bool = False,
    after: timedelta = timedelta(0),
) -> TopUp | Duplicate | Refusal:
    """Commit the intent to prompt ``phone``; the worker sends it ``after`` the commit.

    ``key`` identifies the requesting event, so that one event cannot begin two. ``secured`` is the
    reference a code was used for, or that a PIN approved, if the policy requires one. Refusals:
    ``suspended``, ``below_minimum``, ``above_maximum``, ``part_shillings``, ``topup_day``, those
    of ``check_phone``; if it needs a code, ``topup_needs_code``, ``account_rests``.
    """
    if person.partner.suspended:
        return Refusal.of("suspended", partner=person.partner.code)
    is_own = phone == person.phone
    refusal = check_amount(tx, amount, person.partner.code) or check_phone(
        tx, policy, person.partner.code, phone, own=is_own
    )
    if refusal is not None:
        return refusal
    if needs_code(policy, amount):
        if (refusal := approvals.check_account_freeze(tx, policy, person)) is not None:
            return refusal
        if not _is_secured(tx, person, amount, phone, secured):
            return Refusal("topup_needs_code")
    if not again and (standing := find_duplicate(tx, person.partner.code, amount, phone)):
        return Duplicate(standing)
    topup = _new(tx, person.partner.code, person, channel, address, amount, phone)
    topup = replace(topup, due_at=tx.now + after)
    if secured:
        topup = replace(topup, reference=secured)
        # The code was good for one top-up: once that has begun, it cannot be used again.
        return topup if tx.topups.add(topup, key) else Refusal("topup_needs_code")
    return _add(tx, random, topup, key)


def start_by_hand(
    tx: Tx,
    random: Random,
    person: Person,
    channel: str,
    address: str,
    key: str,
    amount: Money,
    way: PaymentMethod,
) -> TopUp | Refusal:
    """Commit that a payment without a prompt is expected: the payment settles it, whoever pays.

    Until then the person's own number stands for the payer's. Refusals: those of ``check_amount``,
    ``suspended``.
    """
    assert way is not PaymentMethod.PROMPT
    if person.partner.suspended:
        return Refusal.of("suspended", partner=person.partner.code)
    refusal = check_amount(tx, amount, person.partner.code)
    if refusal is not None:
        return refusal
    topup = replace(
        _new(tx, person.partner.code, person, channel, address, amount, person.phone),
        state=TopUpState.PENDING,
        due_at=tx.now + BY_HAND_FOR,
        way=way,
    )
    return _add(tx, random, topup, key)


def start_for_system(
    tx: Tx,
    random: Random,
    partner: Partner,
    channel: str,
    address: str,
    key: str,
    amount: Money,
    phone: Phone,
    *,
    policy: Policy,
    again: bool = False,
) -> TopUp | Duplicate | Refusal:
    """The same as ``start``, asked for by a partner's system. A number of the partner's people
    counts as its own. Refusals: those of ``start`` but ``account_rests``."""
    refusal = check_for_system(tx, policy, partner, amount, phone)
    if refusal is not None:
        return refusal
    if needs_code(policy, amount):
        return Refusal("topup_needs_code")
    if not again and (standing := find_duplicate(tx, partner.code, amount, phone)):
        return Duplicate(standing)
    topup = _new(tx, partner.code, None, channel, address, amount, phone)
    return _add(tx, random, topup, key)


def check_for_system(
    tx: Tx, policy: Policy, partner: Partner, amount: Money, phone: Phone
) -> Refusal | None:
    """Whether the partner's system may prompt ``phone`` for this amount now."""
    if partner.suspended:
        return Refusal.of("suspended", partner=partner.code)
    own = tx.people.has_phone(partner.code, phone)
    return check_amount(tx, amount, partner.code) or check_phone(
        tx, policy, partner.code, phone, own=own
    )


def open_with_code(
    tx: Tx,
    keys: Keys,
    random: Random,
    policy: Policy,
    person: Person,
    channel: str,
    address: str,
    key: str,
    amount: Money,
    phone: Phone,
) -> CodeSent | Refusal:
    """A top-up for a partner's system that begins once ``person``'s code is given back.

    Refusals: those of ``check_for_system``, of ``approvals.check_contact_freeze`` and of
    ``otp.generate``.
    """
    refusal = check_for_system(tx, policy, person.partner, amount, phone)
    refusal = refusal or approvals.check_contact_freeze(tx, policy, person)
    if refusal is not None:
        return refusal
    reference = draw_reference(tx, random, "TU")
    binding = code_binding(person, reference, amount, phone)
    limits = policy.code_limits
    issued = otp.generate(tx, keys, random, binding, person.phone, limits=limits)
    if isinstance(issued, Refusal):
        return issued
    topup = replace(
        _new(tx, person.partner.code, person, channel, address, amount, phone),
        reference=reference,
        state=TopUpState.OTP_SENT,
        due_at=None,
    )
    is_added = tx.topups.add(topup, key)
    assert is_added, "nobody had the reference"
    return CodeSent(topup, issued)


def resend(
    tx: Tx, keys: Keys, random: Random, policy: Policy, person: Person, topup: TopUp
) -> CodeSent | Refusal:
    """Another code for one that waits for it; the one before is revoked. Refusals: those of
    ``approvals.check_contact_freeze`` and of ``otp.generate``."""
    assert topup.state is TopUpState.OTP_SENT, "only what waits for a code gets another"
    refusal = approvals.check_contact_freeze(tx, policy, person)
    if refusal is not None:
        return refusal
    binding = code_binding(person, topup.reference, topup.amount, topup.phone)
    limits = policy.code_limits
    issued = otp.generate(tx, keys, random, binding, person.phone, limits=limits)
    return issued if isinstance(issued, Refusal) else CodeSent(topup, issued)


def authorise(
    tx: Tx, keys: Keys, policy: Policy, person: Person, topup: TopUp, code: str
) -> TopUp | NotPassed:
    """Check the code of one that waits for it, and begin it if it is right.

    Returns the top-up in its next state, including ``OTP_LOCKED`` and ``OTP_EXPIRED``;
    ``NotPassed`` while tries are left.
    """
    assert topup.state is TopUpState.OTP_SENT, "only what waits for a code is begun by one"
    binding = code_binding(person, topup.reference, topup.amount, topup.phone)
    answer = otp.validate(tx, keys, binding, code, limits=policy.code_limits)
    if isinstance(answer, NotPassed):
        if answer.status is OtpStatus.PENDING:
            return answer
        return end_with_code(tx, topup, answer.status)
    topup = topup.transition_to(TopUpState.CREATED, created_at=tx.now, due_at=tx.now)
    tx.topups.begin(topup)
    return topup


def end_with_code(tx: Tx, topup: TopUp, status: OtpStatus) -> TopUp:
    """End one whose code can no longer be used."""
    state = _ENDED_BY.get(status, TopUpState.CANCELLED)
    topup = topup.transition_to(state, settled_at=tx.now)
    tx.topups.save(topup)
    return topup


_ENDED_BY = {
    OtpStatus.LOCKED: TopUpState.OTP_LOCKED,
    OtpStatus.EXPIRED: TopUpState.OTP_EXPIRED,
}


def expire(tx: Tx, references: Sequence[str]) -> None:
    """Their codes have expired."""
    for reference in references:
        topup = tx.topups.get(reference)
        if topup is not None and topup.state is TopUpState.OTP_SENT:
            end_with_code(tx, topup, OtpStatus.EXPIRED)


def undeliverable(tx: Tx, reference: str) -> TopUp | None:
    """Its code cannot be delivered: revoke the code and end the top-up that waits for it."""
    topup = tx.topups.get(reference)
    if topup is None or topup.state is not TopUpState.OTP_SENT:
        return None
    otp.revoke(tx, reference)
    topup = topup.transition_to(
        TopUpState.CANCELLED, reason="code_undeliverable", settled_at=tx.now
    )
    tx.topups.save(topup)
    return topup


def _new(
    tx: Tx,
    partner: str,
    person: Person | None,
    channel: str,
    address: str,
    amount: Money,
    phone: Phone,
) -> TopUp:
    return TopUp(
        reference="",
        partner=partner,
        person_id=None if person is None else person.id,
        channel=channel,
        address=address,
        language="en" if person is None else person.language,
        amount=amount,
        phone=phone,
        state=TopUpState.CREATED,
        reason=None,
        created_at=tx.now,
        sent_at=None,
        settled_at=None,
        bank_id=None,
        receipt=None,
        attempt=0,
        due_at=tx.now,
        slow=False,
    )


def _add(tx: Tx, random: Random, topup: TopUp, key: str) -> TopUp:
    return draw_unique(
        lambda: replace(topup, reference=new_reference("TU", random)),
        lambda drawn: tx.topups.add(drawn, key),
    )


def check_amount(tx: Tx, amount: Money, partner: str) -> Refusal | None:
    """Whether M-PESA (facts: M-PESA, Limits) and our own limits allow this amount today."""
    if not amount.is_whole:
        return Refusal("part_shillings")
    if amount < (least := tx.limits.in_force("c2b.min", partner)):
        return Refusal.of("below_minimum", minimum=least)
    if (most := tx.limits.in_force("c2b.max", partner)) < amount:
        return Refusal.of("above_maximum", maximum=most)
    most_today = tx.limits.find("c2b.day", partner)
    if most_today is not None:
        left = most_today - tx.topups.begun_since(start_of_day_at(tx.now), partner)
        if left < amount:
            return Refusal.of("topup_day", maximum=most_today, left=max(left, Money(0)))
    return None


def find_duplicate(tx: Tx, partner: str, amount: Money, phone: Phone) -> TopUp | None:
    """One for this phone and amount that is open already."""
    return tx.topups.find_open(partner, phone, amount, since=tx.now - DUPLICATE_WITHIN)


def check_phone(tx: Tx, policy: Policy, partner: str, phone: Phone, *, own: bool) -> Refusal | None:
    """Whether the partner may prompt ``phone`` now; ``own``: it is of whoever asks.

    Every prompt counts, whatever its outcome; prompts by others never use up the owner's own limit.
    Refusals: ``phone_blocked``, ``own_phone_blocked``, ``prompts_too_many``.
    """
    if tx.blocks.is_blocked(phone, partner):
        return Refusal.of("own_phone_blocked" if own else "phone_blocked", phone=phone)
    most = policy.prompts_own if own else policy.prompts_other
    if most is None:
        return None
    oldest = tx.topups.nth_prompt(most, phone, tx.clock.ago(PROMPTS_WITHIN), own=own)
    if oldest is not None:
        again = tx.clock.elapses_at(oldest, PROMPTS_WITHIN)
        return Refusal.of("prompts_too_many", phone=phone, again=again)
    return None


def needs_code(policy: Policy, amount: Money) -> bool:
    return policy.topup_code_above is not None and policy.topup_code_above < amount


def issue_code(
    tx: Tx,
    keys: Keys,
    random: Random,
    policy: Policy,
    person: Person,
    amount: Money,
    phone: Phone,
) -> Issued | Refusal:
    """Draw the reference of a future top-up, and a code that approves only that one.

    Refusals: those of ``check_secured`` and of ``otp.generate``.
    """
    if (refusal := check_secured(tx, policy, person, amount, phone)) is not None:
        return refusal
    binding = code_binding(person, draw_reference(tx, random, "TU"), amount, phone)
    return otp.generate(tx, keys, random, binding, person.phone, limits=policy.code_limits)


def ask_for_pin(
    tx: Tx, random: Random, policy: Policy, person: Person, amount: Money, phone: Phone
) -> Binding | Refusal:
    """Draw the reference of a future top-up, which a desk PIN may approve instead of a code.

    Refusals: those of ``check_secured`` and of ``desk_pins.check_usable``.
    """
    refusal = check_secured(tx, policy, person, amount, phone)
    refusal = refusal or desk_pins.check_usable(tx, policy, person)
    if refusal is not None:
        return refusal
    binding = code_binding(person, draw_reference(tx, random, "TU"), amount, phone)
    desk_pins.ask(tx, binding)
    return binding


def check_secured(
    tx: Tx, policy: Policy, person: Person, amount: Money, phone: Phone
) -> Refusal | None:
    """Whether a top-up that needs a code can be begun now. Refusals: those of ``start``."""
    if (refusal := approvals.check_account_freeze(tx, policy, person)) is not None:
        return refusal
    if person.partner.suspended:
        return Refusal.of("suspended", partner=person.partner.code)
    is_own = phone == person.phone
    return check_amount(tx, amount, person.partner.code) or check_phone(
        tx, policy, person.partner.code, phone, own=is_own
    )


def code_binding(person: Person, reference: str, amount: Money, phone: Phone) -> Binding:
    return Binding(
        purpose=Purpose.WALLET_TOPUP,
        operation=reference,
        partner=person.partner.code,
        person_id=person.id,
        amount=amount,
        destination=phone.msisdn,
    )


def _is_secured(tx: Tx, person: Person, amount: Money, phone: Phone, reference: str | None) -> bool:
    """Whether a code was used for exactly this top-up, or a desk PIN approved it."""
    if reference is None:
        return False
    binding = code_binding(person, reference, amount, phone)
    used = tx.otps.newest(reference)
    if used is None:
        return desk_pins.is_approved(tx, binding)
    return used.status is OtpStatus.USED and used.binding == binding
