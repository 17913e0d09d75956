"""A stage without the product: the messages themselves say what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.scripts.api_answer import ApiAnswer
from bot.scripts.api_call import ApiRequest
from bot.scripts.directive import ArmBank, BankNotifies, CrashPoint, SendFault
from bot.scripts.given import Given
from bot.scripts.head import ScriptHead
from bot.scripts.stage import CannotDo, Option, Shown
from services.domain.money import Money
from services.domain.phone import Phone

ROWS = (("yes", "Yes"), ("no", "No")), (("more", "More"),)


@dataclass
class EchoStage:
    """``log`` records every call by the player; ``say`` understands a few commands.

    ``menu`` shows options, ``swap`` answers in place, ``later TEXT`` changes the newest message
    when time moves, ``tell NAME TEXT`` sends a notice, ``sms PHONE TEXT`` a text, ``mail ADDRESS
    TEXT`` a mail, ``break`` raises; anything else is echoed.
    """

    channel: str = "telegram"
    log: list[str] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)
    mails: dict[str, list[str]] = field(default_factory=dict)
    crashes: list[CrashPoint] = field(default_factory=list)
    edit: Shown | None = None
    gone: bool = False
    answered: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    api: list[ApiAnswer] = field(default_factory=list)
    turn: int = 0

    async def open(self, head: ScriptHead, givens: Sequence[Given]) -> None:
        self.log.append(f"open seed {head.seed}")

    async def close(self) -> None:
        self.log.append("close")

    async def say(self, name: str, text: str, copies: int = 1) -> None:
        for _ in range(copies):
            self._say(name, text)

    def _say(self, name: str, text: str) -> None:
        self.log.append(f"{name} says {text}")
        self.turn += 1
        word, _, rest = text.partition(" ")
        match word:
            case "menu":
                self.show(name, "Pick one\n\n  of these", options=True)
            case "swap":
                self.show(name, rest, options=True, message_id=self.shown[-1].message_id)
            case "later":
                self.edit = Shown(name, "edit", self.shown[-1].message_id, rest)
            case "tell":
                to, _, words = rest.partition(" ")
                self.shown.append(Shown(to, "notice", f"n{self.turn}", words))
            case "sms":
                phone, _, words = rest.partition(" ")
                self.texts.setdefault(phone, []).append(words.replace("|", "\n"))
            case "mail":
                address, _, words = rest.partition(" ")
                self.mails.setdefault(address, []).append(words.replace("|", "\n"))
            case "break":
                raise RuntimeError("fell over")
            case "paint":
                raise CannotDo("paint")
            case _:
                self.show(name, text.replace("|", "\n"))

    def show(
        self, name: str, text: str, *, options: bool = False, message_id: str | None = None
    ) -> None:
        rows = tuple(
            tuple(Option(id, label, f"{self.turn}:{id}") for id, label in row) for row in ROWS
        )
        message_id = message_id or f"m{self.turn}"
        self.shown.append(Shown(name, "answer", message_id, text, rows if options else ()))

    async def tap(self, name: str, screen: Shown, option: Option, copies: int = 1) -> None:
        for copy in range(copies):
            self.log.append(f"{name} taps {option.data}")
            self.turn += 1
            if option.id == "no" or copy:
                self.shown.append(Shown(name, "alert", screen.message_id, "That menu moved on"))
            else:
                self.show(name, f"tapped {option.data}")

    async def share_contact(self, name: str, of: str | None, copies: int = 1) -> None:
        await self.say(name, f"contact of {of}", copies)

    async def send_other(self, name: str, what: str, copies: int = 1) -> None:
        await self.say(name, f"a {what}", copies)

    async def edit_last(self, name: str, text: str, copies: int = 1) -> None:
        await self.say(name, f"edited: {text}", copies)

    async def dial(self, name: str, code: str, copies: int = 1) -> None:
        await self.say(name, f"dialled {code}", copies)

    async def call_api(self, request: ApiRequest, copies: int = 1) -> None:
        """Answers with the body that was sent, or with the path."""
        for copy in range(copies):
            self.log.append(f"{request.partner} {request.method} {request.target}")
            headers = {name.lower(): value for name, value in request.headers}
            body = request.body or f'{{"path":"{request.target}","caller":"{request.caller}"}}'
            self.api.append(ApiAnswer(200 + copy, headers, body))

    async def api_answer(self) -> ApiAnswer:
        return self.api[-1]

    def api_answered(self) -> ApiAnswer | None:
        return self.api[-1] if self.api else None

    def arm_webhook(self, partner: str, status: int, times: int) -> None:
        self.log.append(f"webhook {partner} {status} {times}")

    def webhooks_taken(self, partner: str) -> int:
        return 3

    async def events(self, partner: str) -> int:
        return 4

    def shown_since(self, cursor: int) -> Sequence[Shown]:
        return self.shown[cursor:]

    def is_gone(self, name: str) -> bool:
        return self.gone

    def sms(self, phone: str) -> Sequence[str]:
        return self.texts.get(phone, [])

    def mail(self, address: str) -> Sequence[str]:
        return self.mails.get(address, [])

    def bank_calls(self, call: str) -> int:
        return {"initiate": 2}.get(call, 0)

    def answers(self) -> Sequence[str]:
        return self.answered

    async def notify(self, told: BankNotifies) -> None:
        said = f"{told.reference} {told.receipt} {told.forged_by}"
        self.log.append(f"notify {told.phone} {told.amount.decimal} {said}")
        self.answered = ["0" if told.forged_by is None else "1"] * told.times

    def waiting_crashes(self) -> Sequence[CrashPoint]:
        return self.crashes

    async def settle(self) -> None:
        self.log.append("settle")

    async def advance(self, seconds: int) -> None:
        self.log.append(f"advance {seconds}")
        if self.edit is not None:
            self.shown.append(self.edit)
            self.edit = None

    async def set_clock(self, seconds: int) -> None:
        self.log.append(f"clock {seconds:+}")

    async def redeliver(self) -> None:
        self.log.append("redeliver")

    def take_database_away(self, seconds: int) -> None:
        self.log.append(f"database away {seconds}")

    async def restart(self) -> None:
        self.log.append("restart")

    async def crash(self) -> None:
        self.log.append("crash")
        self.crashes.clear()

    def arm_crash(self, point: CrashPoint) -> None:
        self.crashes.append(point)

    def arm_bank(self, what: ArmBank) -> None:
        self.log.append(f"bank {what.fault.kind} {what.call} {what.times}")

    def arm_sends(self, fault: SendFault, times: int) -> None:
        self.log.append(f"sends {fault.kind} {fault.retry_after_s} {times}")

    async def set_handset(self, phone: str, action: str) -> None:
        self.log.append(f"handset {phone} {action}")

    def set_payee(self, phone: Phone, does: str) -> None:
        self.log.append(f"payee {phone.msisdn} {does}")

    async def run_job(self, name: str) -> None:
        self.log.append(f"job {name}")

    async def current_node(self, name: str) -> str | None:
        return "topup.confirm" if self.turn else None

    async def wallet(self, partner: str) -> Money:
        return Money(170000)

    async def available(self, partner: str) -> Money:
        return Money(160000)

    async def float_balance(self, partner: str) -> Money:
        return Money(0)

    async def state(self, kind: str) -> str | None:
        return "PAID" if self.turn else None

    async def books(self) -> Sequence[str]:
        return self.problems

    async def secrets(self) -> Sequence[str]:
        return self.problems

    async def trail(self, rows: int) -> Sequence[str]:
        return ["row one", "row two"][:rows]
