"""What partners and people choose: thresholds, notifications, language, remembered phones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services import approvals
from services.domain.money import Money
from services.domain.notification import ChatMode, NotificationKind, NotificationPreference
from services.domain.partner import Partner, Person
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.policy import Policy
from services.ports import Tx

THRESHOLD_MAX = Money(1_000_000_000_00)


def set_thresholds(
    tx: Tx, partner: Partner, *, wallet: Money | None = None, float_: Money | None = None
) -> Refusal | None:
    """Set a threshold of the partner; zero disables it. Refusal: ``above_maximum``."""
    for threshold in (wallet, float_):
        if threshold is not None and threshold > THRESHOLD_MAX:
            return Refusal.of("above_maximum", maximum=THRESHOLD_MAX)
    if wallet is not None:
        partner = replace(partner, low_balance_cents=wallet.cents)
    if float_ is not None:
        partner = replace(partner, low_float_cents=float_.cents)
    tx.people.add_partner(partner)
    return None


def set_approval_threshold(
    tx: Tx, policy: Policy, person: Person, above: Money | None
) -> Sequence[Person] | Refusal:
    """Float above ``above`` needs a second person from now on; ``None``: none does.

    Returns those who may be that person. Refusals: ``account_rests``, ``no_second``,
    ``above_maximum``.
    """
    if (refusal := approvals.check_account_freeze(tx, policy, person)) is not None:
        return refusal
    if above is not None and above > THRESHOLD_MAX:
        return Refusal.of("above_maximum", maximum=THRESHOLD_MAX)
    seconds = approvals.eligible_approvers(tx, policy, person)
    if above is not None and not seconds:
        return Refusal("no_second")
    cents = None if above is None else above.cents
    tx.people.add_partner(replace(person.partner, approve_above_cents=cents))
    return seconds


def set_notice(
    tx: Tx, person: Person, kind: NotificationKind, choice: str
) -> NotificationPreference:
    """``choice`` is a chat mode, or ``sms`` or ``owners`` to toggle those."""
    notice = tx.notification_preferences.get(person.partner.code, kind)
    if choice == "sms":
        notice = replace(notice, sms=not notice.sms)
    elif choice == "owners":
        notice = replace(notice, owners=not notice.owners)
    else:
        notice = replace(notice, chat=ChatMode(choice))
    tx.notification_preferences.set(person.partner.code, notice)
    return notice


def set_language(tx: Tx, person: Person, language: str) -> None:
    tx.people.set_language(person.id, language)


def forget_phone(tx: Tx, person: Person, phone: Phone) -> None:
    """Stop suggesting the number until it is used to pay again."""
    tx.people.forget_phone(person.id, phone)
