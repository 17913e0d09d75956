"""The bank's notifications in a storm: late, duplicated by two products, forged or missing."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.simulation.ncba.account_notification import MPESA, RECEIPT_FIRST
from bot.simulation.ncba.paybill import (
    BAD_HASH,
    BAD_PASSWORD,
    BankNotification,
    NotificationForm,
    PaybillPayment,
    as_xml,
)
from bot.simulation.world import World
from services.domain.money import Money

NEVER_TOLD = 0.15
# Delay after the payment. Integrators saw 45 to 70 minutes, so the statement may come first.
LATE_S = (0, 0, 0, 5, 60, 2_700, 3_600, 4_200, 20_000, 100_000)
KINDS = (MPESA, "883", RECEIPT_FIRST)


class NotificationTraffic:
    """``happened`` is called with the kind of each planned notification, or a description of each
    one sent.
    """

    def __init__(
        self, world: World, dice: random.Random, happened: Callable[[str, str], None]
    ) -> None:
        self._world = world
        self._dice = dice
        self._happened = happened
        self._waiting: list[tuple[datetime, int, BankNotification]] = []
        self._planned = 0
        self._prompts = 0  # prompt payments already handled
        self._floats = 0  # float purchases already handled

    def plan(self, payment: PaybillPayment) -> None:
        if self._dice.random() < NEVER_TOLD:
            self._happened("never told", "")
            return
        for _ in range(self._dice.choice((1, 1, 1, 2))):  # sometimes by two products
            self._plan(self._notice_of(payment))

    def _notice_of(self, payment: PaybillPayment) -> BankNotification:
        dice, paybill = self._dice, self._world.bank.paybill
        form = (
            NotificationForm.OF_ACCOUNT if payment.via_bank else dice.choice(list(NotificationForm))
        )
        if form is NotificationForm.OF_ACCOUNT:
            raw = dice.random() < 0.2
            return paybill.notification_of(payment, form, kind=dice.choice(KINDS), raw=raw)
        notice = paybill.notification_of(payment, form)
        if dice.random() < 0.3:
            return BankNotification(as_xml(notice.body), notice.payment)
        return notice

    def _plan(self, notice: BankNotification) -> None:
        late_s = self._dice.choice(LATE_S)
        if late_s >= LATE_S[-1]:
            self._happened("told a day late", "")
        elif late_s >= LATE_S[5]:
            self._happened("told an hour late", "")
        self._planned += 1
        when = self._world.clock.true_now() + timedelta(seconds=late_s)
        heapq.heappush(self._waiting, (when, self._planned, notice))

    def of_prompts(self) -> None:
        """An STK payment may or may not cause a notification (facts: NCBA 2)."""
        paid, paybill = self._world.bank.paid(), self._world.bank.paybill
        for prompt in paid[self._prompts :]:
            if self._dice.random() < 0.6:
                account = "774451" if self._dice.random() < 0.5 else prompt.account_no
                self.plan(paybill.payment_of(prompt, account))
        self._prompts = len(paid)

    def of_float(self) -> None:
        """The account notification product also reports money leaving the account."""
        bought = self._world.bank.float_purchases()
        for purchase in bought[self._floats :]:
            if self._dice.random() < 0.5:
                self._happened("debit told", "")
                number, at = purchase.instrument_reference, purchase.booked_at
                self._plan(self._world.bank.paybill.debit(number, purchase.amount, at))
        self._floats = len(bought)

    def forge(self, phone: str, amount: Money, code: str) -> None:
        dice = self._dice
        forged_by = dice.choice((BAD_HASH, BAD_PASSWORD))
        kind = dice.choice((None, MPESA))
        notice = self._world.bank.paybill.notify(
            phone, amount, code, forged_by=forged_by, kind=kind
        )
        self._world.notify(notice)
        self._happened("forged", "")

    def send_due(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._world.clock.true_now():
            _, _, notice = heapq.heappop(self._waiting)
            for _ in range(self._dice.choice((1, 1, 2, 3))):
                self._world.notify(notice)
            self._happened("", "the bank tells of a payment")

    def send_all(self) -> None:
        while self._waiting:
            self._world.notify(heapq.heappop(self._waiting)[2])
