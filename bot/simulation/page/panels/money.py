"""The drawer's Money: the newest bookings as T-accounts, the balances, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from bot.simulation.bank_comparison import mismatches
from bot.simulation.world import World
from services.domain.ledger import NORMAL_SIDE, Account, AccountKind, Balance, Phase, Side, Transfer
from services.domain.money import Money
from services.ports import Tx

TRANSFERS_MAX = 60
BOOKINGS_MAX = 5
_SHOWN = (AccountKind.WALLET, AccountKind.FLOAT)


@dataclass(frozen=True, slots=True)
class Leg:
    amount: Money
    what: str
    is_debit: bool


@dataclass(slots=True)
class TAccount:
    """``after`` is the balance when all of the booking was done, ``before`` when none was."""

    account: Account
    before: Balance
    after: Balance
    legs: list[Leg] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.account.partner} {self.account.kind.replace('_', ' ')}"

    @property
    def debits(self) -> Sequence[Leg]:
        return [leg for leg in self.legs if leg.is_debit]

    @property
    def credits(self) -> Sequence[Leg]:
        return [leg for leg in self.legs if not leg.is_debit]


@dataclass(frozen=True, slots=True)
class Booking:
    """Transfers of one operation that were booked together. ``what`` is how they count."""

    operation: str
    what: str
    accounts: Sequence[TAccount]


@dataclass(frozen=True, slots=True)
class MoneyPanel:
    balances: Sequence[tuple[str, Mapping[str, Balance]]]
    bookings: Sequence[Booking]
    problems: Sequence[str]


def money_panel(world: World, partners: Sequence[str], tx: Tx) -> MoneyPanel:
    balances = [
        (code, {kind.value: tx.ledger.balance(Account(code, kind)) for kind in _SHOWN})
        for code in partners
    ]
    problems = [*tx.invariants.violations(), *mismatches(world, tx)]
    return MoneyPanel(balances, bookings(tx), problems)


def bookings(tx: Tx) -> list[Booking]:
    """The newest first. Balances are counted back from those of now."""
    now: dict[Account, Balance] = {}
    found = []
    newest = tx.ledger.newest(TRANSFERS_MAX)
    for (operation, what), group in groupby(newest, lambda one: (one.operation, _what(one))):
        transfers = list(group)[::-1]
        for account in _accounts(transfers):
            now.setdefault(account, tx.ledger.balance(account))
        found.append(_booking(operation, what, transfers, now))
        if len(found) == BOOKINGS_MAX:
            break
    return found


def _booking(
    operation: str, what: str, transfers: Sequence[Transfer], now: dict[Account, Balance]
) -> Booking:
    by_account: dict[Account, TAccount] = {}
    for account in _accounts(transfers):
        after = now[account]
        now[account] = before = _before(after, account, transfers)
        by_account[account] = TAccount(account, before, after)
    for transfer in transfers:
        code = transfer.code.replace("_", " ")
        by_account[transfer.debit].legs.append(Leg(transfer.amount, code, True))
        by_account[transfer.credit].legs.append(Leg(transfer.amount, code, False))
    return Booking(operation, what, list(by_account.values()))


def _before(after: Balance, account: Account, transfers: Iterable[Transfer]) -> Balance:
    posted, available = after.posted, after.available
    for transfer in transfers:
        for held, sign in _effects(account, transfer):
            effect = Money(sign * transfer.amount.cents, transfer.amount.currency)
            available -= effect
            if not held:
                posted -= effect
    return Balance(posted, available)


def _effects(account: Account, transfer: Transfer) -> Iterable[tuple[bool, int]]:
    """(whether only what is available changed, 1 or -1) for each of its sides in this account."""
    for side, named in ((Side.DEBIT, transfer.debit), (Side.CREDIT, transfer.credit)):
        if named != account:
            continue
        grows = side is NORMAL_SIDE[account.kind]
        match transfer.phase:
            case Phase.SINGLE:
                yield False, 1 if grows else -1
            case Phase.PENDING if not grows:
                yield True, -1
            case Phase.VOID if not grows:
                yield True, 1
            case Phase.POST if grows:
                yield False, 1
            case Phase.POST:
                yield False, -1
                yield True, 1  # the hold is over


def _accounts(transfers: Iterable[Transfer]) -> list[Account]:
    sides = (account for one in transfers for account in (one.debit, one.credit))
    return list(dict.fromkeys(sides))


def _what(transfer: Transfer) -> str:
    match transfer.phase:
        case Phase.PENDING:
            return "held"
        case Phase.VOID:
            return "released"
    return "booked"
