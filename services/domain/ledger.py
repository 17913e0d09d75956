"""Double entry: a balance is always the sum of immutable transfers (docs/architecture.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from services.domain.fees import Quote
from services.domain.money import Money

HOUSE = "HOUSE"  # the partner that owns accounts belonging to no partner


class AccountKind(StrEnum):
    """Wallet, float and suspense are what we owe; fees are income; collection and utility are held
    at the bank. Adjustment is the counterpart of corrections by two admins; receivable is what a
    partner owes us after the bank reversed a payment that was already spent, or M-PESA paid a
    payout after it was returned. Payout and payout fee are on their way to a customer and to
    M-PESA; charges owed are M-PESA's, settled apart."""

    WALLET = "wallet"
    FLOAT = "float"
    TRANSFER_FEE = "transfer_fee"
    PROCESSING_FEE = "processing_fee"
    COLLECTION = "collection"
    B2C_UTILITY = "b2c_utility"
    SUSPENSE = "suspense"
    ADJUSTMENT = "adjustment"
    RECEIVABLE = "receivable"
    PAYOUT = "payout"
    PAYOUT_FEE = "payout_fee"
    CHARGES_OWED = "charges_owed"


class Side(StrEnum):
    DEBIT = "debit"
    CREDIT = "credit"


NORMAL_SIDE = {
    AccountKind.WALLET: Side.CREDIT,
    AccountKind.FLOAT: Side.CREDIT,
    AccountKind.TRANSFER_FEE: Side.CREDIT,
    AccountKind.PROCESSING_FEE: Side.CREDIT,
    AccountKind.SUSPENSE: Side.CREDIT,
    AccountKind.COLLECTION: Side.DEBIT,
    AccountKind.B2C_UTILITY: Side.DEBIT,
    AccountKind.ADJUSTMENT: Side.DEBIT,
    AccountKind.RECEIVABLE: Side.DEBIT,
    AccountKind.PAYOUT: Side.CREDIT,
    AccountKind.PAYOUT_FEE: Side.CREDIT,
    AccountKind.CHARGES_OWED: Side.CREDIT,
}
# Partners' money must never be spent twice: the database itself refuses an overdraft of these.
NO_OVERDRAFT = frozenset({AccountKind.WALLET, AccountKind.FLOAT, AccountKind.SUSPENSE})


class Phase(StrEnum):
    """``single`` counts at once; ``pending`` holds until one ``post`` or ``void`` resolves it."""

    SINGLE = "single"
    PENDING = "pending"
    POST = "post"
    VOID = "void"


class TransferCode(StrEnum):
    """Why money moved."""

    OPENING = "opening"
    TOPUP = "topup"
    FLOAT = "float"  # wallet money becomes float
    TRANSFER_FEE = "transfer_fee"
    PROCESSING_FEE = "processing_fee"
    FLOAT_MOVED = "float_moved"  # at the bank, from the collection account to the utility account
    ADJUSTMENT = "adjustment"  # two admins corrected the wallet
    PAYMENT = "payment"  # a payment to the paybill credited on its own
    SUSPENSE = "suspense"  # a payment with no known owner yet
    ASSIGNED = "assigned"  # two admins found the owner
    RELEASED = "released"  # it had been credited already on other evidence
    REVERSAL = "reversal"  # the bank reversed a payment
    PAYOUT = "payout"  # float leaves for a customer
    PAYOUT_FEE = "payout_fee"  # and its charge for M-PESA
    PAYOUT_MOVED = "payout_moved"  # at M-PESA, out of the utility account
    CHARGE_OWED = "charge_owed"  # M-PESA's charge, until it is settled
    PAYOUT_OWED = "payout_owed"  # paid after its return: the partner owes payout and charge


@dataclass(frozen=True, slots=True)
class Account:
    partner: str
    kind: AccountKind


@dataclass(frozen=True, slots=True)
class Transfer:
    """``id`` is deterministic (operation and leg), so the same leg cannot be booked twice."""

    id: str
    operation: str
    phase: Phase
    debit: Account
    credit: Account
    amount: Money
    code: TransferCode
    pending_id: str | None = None

    def __post_init__(self) -> None:
        if self.amount.cents <= 0:
            raise ValueError("a transfer moves more than nothing")
        if (self.pending_id is None) == (self.phase in (Phase.POST, Phase.VOID)):
            raise ValueError("post and void name the pending transfer they resolve, others none")


@dataclass(frozen=True, slots=True)
class Balance:
    """``posted`` is booked; ``available`` is what may still be spent (posted less holds)."""

    posted: Money
    available: Money

    @classmethod
    def of_sums(cls, kind: AccountKind, cents: Sequence[int], currency: str) -> Balance:
        """Of one account, or all of a kind: ``cents`` are pending and posted debits, then pending
        and posted credits."""
        debits_pending, debits, credits_pending, credits = cents
        if NORMAL_SIDE[kind] is Side.CREDIT:
            posted, held = credits - debits, debits_pending
        else:
            posted, held = debits - credits, credits_pending
        return cls(Money(posted, currency), Money(posted - held, currency))

    @property
    def held(self) -> Money:
        return self.posted - self.available


@dataclass(frozen=True, slots=True)
class FloatTotals:
    """What a float was given in all, its opening balance included, and what was spent of it."""

    purchased: Money
    used: Money


def topup_credit(reference: str, partner: str, amount: Money) -> Transfer:
    """Dr collection / Cr wallet: the partner's money arrived at the bank."""
    return Transfer(
        id=f"{reference}:credit",
        operation=reference,
        phase=Phase.SINGLE,
        debit=Account(partner, AccountKind.COLLECTION),
        credit=Account(partner, AccountKind.WALLET),
        amount=amount,
        code=TransferCode.TOPUP,
    )


def float_holds(reference: str, partner: str, quote: Quote) -> tuple[Transfer, ...]:
    """Pending wallet→float and wallet→each fee: the money is held and cannot be spent elsewhere.

    A zero fee has no row.
    """
    legs = (
        (TransferCode.FLOAT, AccountKind.FLOAT, quote.amount),
        (TransferCode.TRANSFER_FEE, AccountKind.TRANSFER_FEE, quote.transfer_fee),
        (TransferCode.PROCESSING_FEE, AccountKind.PROCESSING_FEE, quote.processing_fee),
    )
    return tuple(
        Transfer(
            id=f"{reference}:{code}:hold",
            operation=reference,
            phase=Phase.PENDING,
            debit=Account(partner, AccountKind.WALLET),
            credit=Account(partner, kind),
            amount=amount,
            code=code,
        )
        for code, kind, amount in legs
        if amount.cents
    )


def float_posted(reference: str, partner: str, quote: Quote) -> tuple[Transfer, ...]:
    """Post every hold, and move the bank's money: Dr b2c_utility / Cr collection."""
    moved = Transfer(
        id=f"{reference}:moved",
        operation=reference,
        phase=Phase.SINGLE,
        debit=Account(partner, AccountKind.B2C_UTILITY),
        credit=Account(partner, AccountKind.COLLECTION),
        amount=quote.amount,
        code=TransferCode.FLOAT_MOVED,
    )
    return (*_resolved(reference, partner, quote, Phase.POST), moved)


def float_voided(reference: str, partner: str, quote: Quote) -> tuple[Transfer, ...]:
    """Void every hold."""
    return tuple(_resolved(reference, partner, quote, Phase.VOID))


def _resolved(reference: str, partner: str, quote: Quote, phase: Phase) -> Iterator[Transfer]:
    for hold in float_holds(reference, partner, quote):
        yield _resolving(hold, phase)


def _resolving(hold: Transfer, phase: Phase) -> Transfer:
    resolved = f"{hold.operation}:{hold.code}:{phase}"
    return replace(hold, id=resolved, phase=phase, pending_id=hold.id)


def payout_holds(reference: str, partner: str, quote: Quote) -> tuple[Transfer, ...]:
    """Pending float→payout and float→payout fee. A zero charge has no row."""
    legs = (
        (TransferCode.PAYOUT, AccountKind.PAYOUT, quote.amount),
        (TransferCode.PAYOUT_FEE, AccountKind.PAYOUT_FEE, quote.fees),
    )
    return tuple(
        Transfer(
            id=f"{reference}:{code}:hold",
            operation=reference,
            phase=Phase.PENDING,
            debit=Account(partner, AccountKind.FLOAT),
            credit=Account(partner, kind),
            amount=amount,
            code=code,
        )
        for code, kind, amount in legs
        if amount.cents
    )


def payout_posted(reference: str, partner: str, quote: Quote) -> tuple[Transfer, ...]:
    """Post every hold; M-PESA paid it out of the utility account (Dr payout / Cr b2c_utility), and
    is owed its charge (Dr payout fee / Cr charges owed)."""
    holds = payout_holds(reference, partner, quote)
    left = {
        AccountKind.PAYOUT: (AccountKind.B2C_UTILITY, TransferCode.PAYOUT_MOVED),
        AccountKind.PAYOUT_FEE: (AccountKind.CHARGES_OWED, TransferCode.CHARGE_OWED),
    }
    moved = (
        Transfer(
            id=f"{reference}:{code}",
            operation=reference,
            phase=Phase.SINGLE,
            debit=hold.credit,
            credit=Account(partner, kind),
            amount=hold.amount,
            code=code,
        )
        for hold in holds
        for kind, code in [left[hold.credit.kind]]
    )
    return (*(_resolving(hold, Phase.POST) for hold in holds), *moved)


def payout_voided(reference: str, partner: str, quote: Quote) -> tuple[Transfer, ...]:
    """Void every hold."""
    holds = payout_holds(reference, partner, quote)
    return tuple(_resolving(hold, Phase.VOID) for hold in holds)


def payout_owed(reference: str, partner: str, quote: Quote) -> tuple[Transfer, ...]:
    """Dr receivable / Cr b2c_utility and charges owed: paid after its return, when the float was
    free again and may be spent. The partner owes it."""
    legs = ((AccountKind.B2C_UTILITY, quote.amount), (AccountKind.CHARGES_OWED, quote.fees))
    return tuple(
        Transfer(
            id=f"{reference}:owed:{kind}",
            operation=reference,
            phase=Phase.SINGLE,
            debit=Account(partner, AccountKind.RECEIVABLE),
            credit=Account(partner, kind),
            amount=amount,
            code=TransferCode.PAYOUT_OWED,
        )
        for kind, amount in legs
        if amount.cents
    )


def wallet_adjustment(reference: str, partner: str, amount: Money, *, credit: bool) -> Transfer:
    """Dr adjustment / Cr wallet for a credit, the reverse for a debit."""
    wallet = Account(partner, AccountKind.WALLET)
    other = Account(partner, AccountKind.ADJUSTMENT)
    return Transfer(
        id=f"{reference}:adjustment",
        operation=reference,
        phase=Phase.SINGLE,
        debit=other if credit else wallet,
        credit=wallet if credit else other,
        amount=amount,
        code=TransferCode.ADJUSTMENT,
    )


def payment_credit(reference: str, partner: str, amount: Money) -> Transfer:
    """Dr collection / Cr wallet: money came to the paybill with the partner's code."""
    return Transfer(
        id=f"{reference}:credit",
        operation=reference,
        phase=Phase.SINGLE,
        debit=Account(partner, AccountKind.COLLECTION),
        credit=Account(partner, AccountKind.WALLET),
        amount=amount,
        code=TransferCode.PAYMENT,
    )


def suspense_credit(reference: str, amount: Money) -> Transfer:
    """Dr collection / Cr suspense: money came, and its owner is unknown."""
    return Transfer(
        id=f"{reference}:suspense",
        operation=reference,
        phase=Phase.SINGLE,
        debit=Account(HOUSE, AccountKind.COLLECTION),
        credit=Account(HOUSE, AccountKind.SUSPENSE),
        amount=amount,
        code=TransferCode.SUSPENSE,
    )


def suspense_assignment(reference: str, partner: str, amount: Money) -> Transfer:
    """Dr suspense / Cr wallet: two admins found the owner."""
    return Transfer(
        id=f"{reference}:assigned",
        operation=reference,
        phase=Phase.SINGLE,
        debit=Account(HOUSE, AccountKind.SUSPENSE),
        credit=Account(partner, AccountKind.WALLET),
        amount=amount,
        code=TransferCode.ASSIGNED,
    )


def suspense_release(reference: str, amount: Money) -> Transfer:
    """Dr suspense / Cr collection: its top-up was credited already on other evidence, so the money
    would be counted twice in the collection."""
    return Transfer(
        id=f"{reference}:released",
        operation=reference,
        phase=Phase.SINGLE,
        debit=Account(HOUSE, AccountKind.SUSPENSE),
        credit=Account(HOUSE, AccountKind.COLLECTION),
        amount=amount,
        code=TransferCode.RELEASED,
    )


def payment_reversal(
    reference: str, partner: str, amount: Money, available: Money
) -> tuple[Transfer, ...]:
    """Dr wallet, and Dr receivable for what the wallet no longer has / Cr collection: the bank took
    the money back, and a wallet never goes below zero."""
    from_wallet = min(amount, available)
    legs = (
        (AccountKind.WALLET, from_wallet),
        (AccountKind.RECEIVABLE, amount - from_wallet),
    )
    return tuple(
        Transfer(
            id=f"{reference}:{kind}",
            operation=reference,
            phase=Phase.SINGLE,
            debit=Account(partner, kind),
            credit=Account(partner, AccountKind.COLLECTION),
            amount=part,
            code=TransferCode.REVERSAL,
        )
        for kind, part in legs
        if part.cents
    )


def suspense_reversal(reference: str, amount: Money) -> Transfer:
    """Dr suspense / Cr collection: the bank took back a payment that had no owner."""
    return replace(
        suspense_release(reference, amount), id=f"{reference}:reversed", code=TransferCode.REVERSAL
    )


def opening_balance(
    partner: str, kind: AccountKind, amount: Money, reference: str | None = None
) -> Transfer:
    """A partner's balance on the first day; the chat's history does not show it. ``reference`` is
    the adjustment that it belongs to, if any."""
    bank = AccountKind.B2C_UTILITY if kind is AccountKind.FLOAT else AccountKind.COLLECTION
    return Transfer(
        id=f"opening:{partner}:{kind}",
        operation=reference or f"opening:{partner}",
        phase=Phase.SINGLE,
        debit=Account(partner, bank),
        credit=Account(partner, kind),
        amount=amount,
        code=TransferCode.OPENING,
    )
