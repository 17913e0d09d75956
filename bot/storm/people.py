"""The people of a storm and what they do: mostly what they should, and often not."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.channels.terminal import CHANNEL, event_from_line
from bot.outbox.carriers import buttons_from_json
from bot.scripts.payout_file import written
from bot.simulation.secret_scan import CODE
from flows.engine.event import Event, EventKind, file_event
from flows.engine.taps import UNBOUND
from services.domain.outbox import OutboxRow

PAYEES = ("0722000111", "0733 000 222", "0711000333", "+254 110 000 444")  # customers
NAMES = ("Mama Mboga", "Juma fundi", "duka la pili", "7")  # under which they are saved
COMMANDS = (
    *("/topup", "/topup", "/topup", "/float", "/float", "/balance", "/history", "/settings"),
    *("/pay", "/pay 0722000111 1500", "/pay 0711000333 30000", "/pay 0733000222 9000"),
    *("/pay 0722000111 500", "/pay 0110000444 20000"),
    *("/recipients", "/approve"),
)
OWNER_COMMANDS = (*COMMANDS, "/settings", "/settings", "/settings")  # where payouts are frozen
AMOUNTS = ("500", "1,500", "1500", "1500", "1500", "9,000", "20,000")
BAD_AMOUNTS = ("0", "-5", "1500.50", "999999999", "many", "")
NOISE = ("hello", "/menu", "/cancel", "/help", "yes", "1", "77", "/nothing", "😀", "/statement")
ADMIN_COMMANDS = (
    *("/pending", "/pending", "/days", "/approvals", "/find 4711", "/audit", "/health", "/stats"),
    *("/dashboard", "/jobs", "/floods", "/partners", "/partner P00", "/people P00", "/balance P00"),
    *(
        "/history P00",
        "/fees P00",
        "/threshold P00",
        "/broadcasts",
        "/payouts",
        "/payouts",
        "/payouts",
    ),
)
LIMIT_COMMANDS = ("/limits P00", "/limits P01", "/limits DESK")  # these lower what can be paid
_ASKED = re.compile(r"(?:fl|po|ba)-[0-9a-z]{6}")  # an option of /approve
FILE_ROWS = 5  # of a file of payouts, at most
# Options that lead on to an operation.
PROCEED_OPTIONS = frozenset(
    {
        *("yes", "mine", "other", "paybill", "qr", "phone-1", "restart", "approve", "payee-1"),
        *("add", "save", "thaw-payouts", "resume"),
    }
)
KEY_OPTIONS = frozenset({"rotate", "revoke"})
# Options that hold payouts back.
HOLD_OPTIONS = frozenset({"freeze-payouts", "pause"})


def _payout_file(dice: random.Random) -> bytes:
    """A few rows, now and then repeated, or bad ones."""
    rows = []
    for number in range(dice.randint(1, FILE_ROWS)):
        amount = dice.choice(AMOUNTS if dice.random() < 0.97 else BAD_AMOUNTS)
        plain = amount.replace(",", "")
        rows.append(f"{dice.choice(PAYEES)},{plain},R-{number}")
    return written(["phone,amount,reference", *rows], None)


@dataclass
class Screen:
    """The newest message with options that somebody received."""

    text: str
    turn: int
    options: Sequence[str]
    message_id: str


@dataclass
class Actor:
    """One account. ``is_admin``: an admin who reads but moves no money. ``notice`` is the newest
    message with options that came by itself, beside the ``screen`` where they go on."""

    address: str
    phone: str
    is_admin: bool = False
    commands: Sequence[str] = COMMANDS
    mail: str | None = None
    pin: str = ""  # the desk PIN that they have, and choose again
    screen: Screen | None = None
    before: Screen | None = None
    notice: Screen | None = None
    sent: int = 0
    guessed: bool = False  # the last input was a code that nobody was sent
    regrets: bool = False  # a payout just approved, which a freeze may stop
    recent_texts: list[str] = field(default_factory=list)  # the latest texts shown

    def shown(self, row: OutboxRow, message_id: str) -> None:
        self.recent_texts = [*self.recent_texts[-4:], row.text]
        options = [button.id for line in buttons_from_json(row.rows) for button in line]
        if options and row.turn == UNBOUND and row.event_id is None:
            self.notice = Screen(row.text, row.turn, options, message_id)
        elif options:
            if self.screen is not None and self.screen.turn != row.turn:
                self.before = self.screen
            self.screen = Screen(row.text, row.turn, options, message_id)

    def act(self, dice: random.Random, read: Callable[[Actor], Sequence[str]]) -> Event:
        """This person's next action; ``read`` returns recent SMS and mail."""
        screen = self.screen
        self.guessed = False
        if screen is not None and dice.random() < 0.02 and self.before is not None:
            return self._tap(self.before, dice.choice(self.before.options))
        if self.notice is not None and dice.random() < 0.05:
            return self._tap(self.notice, dice.choice(self.notice.options))
        last = self.recent_texts[-1] if self.recent_texts else ""
        decision = self._about_a_decision(dice, last)
        if decision is not None:
            return decision
        if "six-digit code" in last and dice.random() < 0.85:
            return self._type(self._code(dice, read(self)))
        if "M-PESA is being asked" in last and self.commands is OWNER_COMMANDS:
            self.regrets = dice.random() < 0.3
            if self.regrets:
                return self._type("/settings")
        if "Choose your desk PIN" in last or "Type the same desk PIN" in last:
            return self._type(self.pin if dice.random() < 0.9 else "12")
        if "How much" in last and dice.random() < 0.9:
            return self._type(dice.choice(AMOUNTS if dice.random() < 0.9 else BAD_AMOUNTS))
        if "Who do you want to pay" in last and dice.random() < 0.9:
            return self._type(dice.choice((*PAYEES, *PAYEES, *NAMES)))
        if "Which M-PESA number?" in last and dice.random() < 0.9:
            return self._type(dice.choice(PAYEES))
        if "What name should we save" in last:
            return self._type(dice.choice(NAMES))
        if "number should pay" in last:
            return self._type(self.phone if dice.random() < 0.9 else "12")
        onward = (
            []
            if screen is None
            else [option for option in screen.options if option in PROCEED_OPTIONS]
        )
        holding = [] if screen is None else [one for one in screen.options if one in HOLD_OPTIONS]
        if screen is not None and holding and (self.regrets or dice.random() < 0.05):
            self.regrets = False
            return self._tap(screen, holding[0])
        if screen is not None and onward and dice.random() < 0.6:
            return self._tap(screen, dice.choice(onward))
        if screen is not None and dice.random() < 0.4:
            option = dice.choice(screen.options)
            # The partners' systems of a storm keep their keys.
            return self._tap(screen, "menu" if option in KEY_OPTIONS else option)
        if dice.random() < 0.15:
            return self._type(dice.choice(NOISE))
        if dice.random() < 0.15:
            return self.send(_payout_file(dice))
        return self._type(dice.choice(self.commands))

    def _about_a_decision(self, dice: random.Random, last: str) -> Event | None:
        """What a second person was asked for, or what a colleague has decided: mostly they go on
        with it."""
        screen = self.screen
        if "needs a second person until" in last and self.notice is not None:
            return self._type("/approve") if dice.random() < 0.7 else None
        if screen is None:
            return None
        agreed = any("has agreed that you pay" in text for text in self.recent_texts[-3:])
        if agreed and "six-digit code" not in last and dice.random() < 0.8:
            asked = [option for option in screen.options if _ASKED.fullmatch(option)]
            awaits = "needs a second person of", "A colleague has agreed"
            if any(words in screen.text for words in awaits) and "yes" in screen.options:
                return self._tap(screen, "yes")
            if screen.text.startswith("Files of payouts") and asked:
                return self._tap(screen, asked[0])
            return self._type("/batches")
        if "Waiting for a second person" in screen.text:
            asked = [option for option in screen.options if _ASKED.fullmatch(option)]
            return self._tap(screen, asked[-1]) if asked and dice.random() < 0.8 else None
        if "Fingerprint of all rows" in screen.text and "yes" in screen.options:
            return self._tap(screen, "yes") if dice.random() < 0.8 else None
        return None

    def say(self, text: str) -> Event:
        return self._type(text)

    def send(self, content: bytes) -> Event:
        return file_event(CHANNEL, self.address, self._id(), "file.csv", content, None)

    def tap(self, option: str) -> Event:
        assert self.screen is not None, "there is nothing to tap"
        return self._tap(self.screen, option)

    def _code(self, dice: random.Random, read: Sequence[str]) -> str:
        codes: list[str] = [code for text in read for code in CODE.findall(text)]
        if codes and dice.random() < 0.85:
            return codes[-1] if dice.random() < 0.9 else codes[0]  # perhaps of something else
        self.guessed = True
        return next(
            code
            for code in iter(lambda: f"{dice.randrange(1_000_000):06}", "")
            if code not in codes
        )

    def _type(self, text: str) -> Event:
        return event_from_line(self.address, self._id(), text)

    def _tap(self, screen: Screen, option: str) -> Event:
        return Event(
            CHANNEL,
            self.address,
            self._id(),
            EventKind.TAP,
            turn=screen.turn,
            option=option,
            message_id=screen.message_id,
        )

    def _id(self) -> str:
        self.sent += 1
        return f"{self.address}-{self.sent}"
