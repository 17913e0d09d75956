"""Console commands for the bank and M-PESA: ``:bank``, ``:pay``, ``:tell`` and ``:payee``."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from bot.scripts.directive import BANK_CALLS, CALLS, PAYOUT_CALLS
from bot.simulation.console.usage import (
    CLIP,
    SPAN,
    Command,
    CommandError,
    clip,
    read_phone,
    span_of,
)
from bot.simulation.daraja.payees import parse_payee
from bot.simulation.faults import parse_fault
from bot.simulation.ncba.collections_api import AcceptedAccounts
from bot.simulation.ncba.paybill import NotificationForm, PaybillPayment
from services.domain.money import Money
from services.domain.phone import Phone

if TYPE_CHECKING:
    from bot.simulation.console.simulator import Simulator

TIMES_MAX = 1_000
LASTS_MAX = timedelta(days=30)
DELAY_MAX_S = 86_400
PAY_MAX = Money(250_000_00)  # M-PESA's limit per transaction (facts: M-PESA)
_PAYMENT = re.compile(
    r"(?P<amount>[0-9][0-9,]{0,10}(\.[0-9]{1,2})?) (?P<account>\S{1,40})( (?P<phone>.+))?"
)
_TOLD = re.compile(rf"(?P<rest>.*?)(?: ?(?P<how>apart|of-account))?(?: ?late (?P<late>{SPAN}))?")
_FAULT = re.compile(
    rf"(?P<fault>.+) on (?P<call>{'|'.join(CALLS)})"
    rf"(?: times (?P<n>[0-9]{{1,4}})| for (?P<lasts>{SPAN}))?"
)
_PAYEE = re.compile(r"(?P<phone>[0-9+() -]{1,20}) (?P<does>[a-z].*)")
_FAULTS = (
    "timeout-before, timeout-after, http 503, slow 20s, html, garbage, refuse REASON,"
    " says-failed REASON, duplicate, only-accepted settles 2h, queue-timeout"
)
_HOW = {
    "apart": NotificationForm.TWO_FIELDS,
    "of-account": NotificationForm.OF_ACCOUNT,
    None: NotificationForm.ONE_FIELD,
}


class _Way(NamedTuple):
    """``rest`` is the text before these options: who and what. ``late`` is as typed."""

    rest: str
    form: NotificationForm
    late: str | None

    @property
    def late_s(self) -> float:
        return span_of(self.late).total_seconds() if self.late else 0.0


async def _bank(sim: Simulator, rest: str) -> None:
    word, _, which = rest.partition(" ")
    if not rest:
        _report(sim)
    elif word == "account-no":
        _take_accounts(sim, which)
    else:
        _arm(sim, rest)


def _report(sim: Simulator) -> None:
    bank = sim.world.bank
    for whom, calls in (("the bank", BANK_CALLS), ("Daraja", PAYOUT_CALLS)):
        counted = ", ".join(f"{sim.world.api_of(call).calls(call)} {call}" for call in calls)
        sim.say(f"Calls to {whom} so far: {counted}.")
    for prompt in bank.prompts.open():
        age = (sim.world.clock.true_now() - prompt.sent_at).total_seconds()
        sim.say(
            f"An open prompt for KES {prompt.amount_kes:,} on {Phone(prompt.phone)},"
            f" {age:.0f} s old."
        )
    if not bank.prompts.open():
        sim.say("No prompt is open.")


def _take_accounts(sim: Simulator, which: str) -> None:
    if which not in list(AcceptedAccounts):
        raise CommandError(f"Written :bank account-no {'|'.join(AcceptedAccounts)}.")
    sim.world.bank.accept_accounts(AcceptedAccounts(which))
    what = "any account number" if which == AcceptedAccounts.ANY else "the registered account alone"
    sim.say(f"The bank takes {what} in a prompt.")


def _arm(sim: Simulator, rest: str) -> None:
    match = _FAULT.fullmatch(rest)
    if match is None:
        raise CommandError(
            f"Written :bank FAULT on {'|'.join(CALLS)} [times N | for 3h], such as"
            " :bank timeout-after on initiate."
        )
    call, times = match["call"], int(match["n"] or 1)
    lasts = span_of(match["lasts"]) if match["lasts"] else None
    try:
        fault = parse_fault(match["fault"])
    except ValueError as error:
        raise CommandError(f"Not armed: {clip(str(error))}. FAULT: {_FAULTS}.") from None
    longest = max(lasts or timedelta(0), fault.fate_after)
    if fault.delay_s > DELAY_MAX_S or times > TIMES_MAX or longest > LASTS_MAX:
        raise CommandError(f"At most slow {DELAY_MAX_S}s, times {TIMES_MAX} and {LASTS_MAX.days}d.")
    api = sim.world.api_of(call)
    try:
        if lasts is None:
            api.arm(fault, call, times)
        else:
            api.arm_for(fault, call, lasts)
    except ValueError as error:
        raise CommandError(f"Not armed: {clip(str(error), 3 * CLIP)}.") from None
    meeting = f"The next {call} call meets" if times == 1 else f"The next {times} {call} calls meet"
    if lasts is not None:
        meeting = f"For {match['lasts']} every {call} call meets"
    sim.say(f"{meeting}: {clip(match['fault'])}.")


async def _payee(sim: Simulator, rest: str) -> None:
    """What M-PESA does with the next payout to a phone."""
    match = _PAYEE.fullmatch(rest)
    if match is None:
        raise CommandError("Written :payee PHONE DOES, such as :payee 0722 000 111 fails 2040.")
    phone = read_phone(match["phone"])
    try:
        does = parse_payee(match["does"])
    except ValueError as error:
        raise CommandError(f"Not told: {clip(str(error), 2 * CLIP)}.") from None
    if (does.paid_after or timedelta(0)) > LASTS_MAX:
        raise CommandError(f"At most {LASTS_MAX.days}d late.")
    sim.world.daraja.set_payee(phone.msisdn, does)
    sim.say(f"The next payout to {phone} meets: {clip(match['does'])}.")


async def _pay(sim: Simulator, rest: str) -> None:
    """A payment at the paybill without a prompt, and the bank's notification of it."""
    way = _way(rest)
    match = _PAYMENT.fullmatch(way.rest)
    if match is None:
        raise CommandError(
            "Written :pay AMOUNT ACCOUNT [PHONE] [apart|of-account] [late 1h], such as"
            " :pay 1500 774451#TU7K3QF9."
        )
    amount = Money.of(match["amount"].replace(",", ""))
    if not Money(0) < amount <= PAY_MAX:
        raise CommandError(f"One pays more than nothing, and at most {PAY_MAX}.")
    phone = read_phone(match["phone"] or "")
    payment = sim.world.bank.paybill.pay(phone.msisdn, amount, match["account"])
    await _tell_of(sim, payment, way)
    sim.say(f"{phone} has paid {amount} for {payment.account_reference}: {payment.receipt}.")


async def _tell(sim: Simulator, rest: str) -> None:
    """Notify a prompt's payment, as the bank does for some and not for others."""
    way, bank = _way(rest), sim.world.bank
    phone = read_phone(way.rest)
    paid = [prompt for prompt in bank.paid() if prompt.phone == phone.msisdn]
    if not paid:
        raise CommandError(f"No prompt on {phone} was paid. :handset pays enters the PIN.")
    await _tell_of(sim, bank.paybill.payment_of(paid[-1], paid[-1].account_no), way)
    when = f", in {way.late}" if way.late else ""
    sim.say(f"The bank tells of {Money(paid[-1].amount_kes * 100)} from {phone}{when}.")


async def _tell_of(sim: Simulator, payment: PaybillPayment, way: _Way) -> None:
    notice = sim.world.bank.paybill.notification_of(payment, way.form)
    sim.world.notify(notice, way.late_s)
    await sim.world.settle()


def _way(rest: str) -> _Way:
    match = _TOLD.fullmatch(rest)
    assert match is not None, "what it cannot read is the rest"
    way = _Way(match["rest"], _HOW[match["how"]], match["late"])
    if way.late_s > LASTS_MAX.total_seconds():
        raise CommandError(f"At most {LASTS_MAX.days}d late.")
    return way


COMMANDS = {
    "pay": Command(
        ":pay AMOUNT ACCOUNT [PHONE]\n\n",
        "pay at the paybill, as M-PESA's own menu does\n"
        "then apart (the reference in the narrative) or\n"
        "of-account (as its movement), and late 1h",
        _pay,
    ),
    "tell": Command(
        ":tell [PHONE]",
        "let the bank tell of a paid prompt, as above",
        _tell,
    ),
    "payee": Command(
        ":payee PHONE fails 2040\n\n",
        "what M-PESA does with the next payout there\n"
        "or: pays [NAME], silent, twice, before-ack,\n"
        "late 24h, fails 2040 late 24h",
        _payee,
    ),
    "bank": Command(
        ":bank\n:bank FAULT on CALL [times N]\n\n:bank account-no registered",
        "calls to bank and Daraja, and open prompts\n"
        "let either fail, such as\n"
        ":bank timeout-after on initiate, or for 3h\n"
        "it takes our account alone, or: any",
        _bank,
    ),
}
