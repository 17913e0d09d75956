"""Payments that people in a storm make at the paybill, and the notifications of them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence

from bot.simulation.world import World
from bot.storm.notification_traffic import NotificationTraffic
from bot.storm.people import AMOUNTS, Actor
from bot.storm.story import Story
from services.domain.money import Money


class PaybillTraffic:
    """``actors`` may be filled later; ``codes`` are partner codes."""

    def __init__(
        self,
        world: World,
        dice: random.Random,
        story: Story,
        actors: Mapping[str, Actor],
        codes: Sequence[str],
    ) -> None:
        self._world = world
        self._dice = dice
        self._story = story
        self._actors = actors
        self._codes = codes
        self._notices = NotificationTraffic(world, dice, story.heard_of)

    def pay(self) -> None:
        """Somebody pays at the paybill without a prompt."""
        dice = self._dice
        if dice.random() > 0.3:
            return
        phone = dice.choice([actor.phone for actor in self._actors.values()])
        references = [
            dice.choice(self._codes),
            f"774451#{dice.choice(self._codes).lower()}",
            "SCHOOL FEES",
            *(word for word in self._accounts_shown()),
        ]
        amount = Money.of(dice.choice(AMOUNTS).replace(",", ""))
        via_bank = dice.random() < 0.15
        typed = dice.choice(references)
        payment = self._world.bank.paybill.pay(phone, amount, typed, via_bank=via_bank)
        self._story.note(f"{phone} pays {amount} for {payment.account_reference}")
        self._story.tally.faults["paid by bank" if via_bank else "paid by hand"] += 1
        self._notices.plan(payment)

    def _accounts_shown(self) -> Iterator[str]:
        for actor in self._actors.values():
            for text in actor.recent_texts:
                if "Account number:" in text:
                    shown = text.partition("Account number: \u2068")[2].partition("\u2069")[0]
                    yield shown.rpartition("#")[2]

    def notify(self) -> None:
        dice = self._dice
        self._notices.of_prompts()
        self._notices.of_float()
        if dice.random() < 0.03:
            actor = dice.choice(list(self._actors.values()))
            amount = Money.of(dice.choice(AMOUNTS).replace(",", ""))
            self._notices.forge(actor.phone, amount, dice.choice(self._codes))
        self._notices.send_due()

    def notify_all(self) -> None:
        self._notices.send_all()
