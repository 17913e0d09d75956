"""What a person can make happen around the chat: lines that begin with a colon."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from bot.simulator import demo
from bot.simulator.faults import CALLS, parse_fault
from bot.simulator.handsets import Handset
from bot.simulator.inboxes import FAULTS
from bot.simulator.screen import Line
from bot.simulator.world import Point
from services.domain.money import Money
from services.domain.phone import Phone

if TYPE_CHECKING:
    from bot.simulator.sim import Sim

HELP = ":help"
WAIT_MAX_S = 2 * 86_400  # some seconds of real time: every job of those days is run
TIMES_MAX = 1_000
DELAY_MAX_S = 86_400
CLIP = 60  # characters of what was typed that a complaint repeats

PAY_MAX = Money(250_000_00)  # M-PESA moves no more at once (facts: M-PESA)
_PAYMENT = re.compile(
    r"(?P<amount>[0-9][0-9,]{0,10}(\.[0-9]{1,2})?) (?P<account>\S{1,40})( (?P<phone>.+))?"
)
_UNITS = {"s": ("second", 1), "m": ("minute", 60), "h": ("hour", 3_600), "d": ("day", 86_400)}
_WAIT = re.compile(r"([0-9]{1,6}) ?([smhd])")
_FAULT = re.compile(rf"(?P<fault>.+) on (?P<call>{'|'.join(CALLS)})(?: times (?P<n>[0-9]{{1,4}}))?")
_WHO = re.compile(r"[a-z][a-z0-9]{1,19}")
_POINT = re.compile(rf"at (?:(commit|after-commit)|(before-call|after-call) ({'|'.join(CALLS)}))")
_FAULTS = (
    "timeout-before, timeout-after, http 503, slow 20s, html, garbage, refuse REASON,"
    " says-failed REASON (query and status only)"
)

_DOES = {
    Handset.PAYS: "The PIN is entered on {phone}.",
    Handset.CANCELS: "The prompt on {phone} is cancelled.",
    Handset.WRONG_PIN: "A wrong PIN is entered on {phone}.",
    Handset.NO_FUNDS: "The PIN is entered on {phone}, but there is too little money on it.",
    Handset.IGNORES: "Nobody touches {phone}: a prompt there expires after two minutes.",
    Handset.OFF: "{phone} is switched off: it cannot be reached.",
}


_CARRIER = {
    "up": "works",
    "down": "is down",
    "refuses": "refuses whatever it is given",
    "unsure": "delivers, and its answer is lost",
}


class Misuse(Exception):
    """One plain line that says how it is written."""


@dataclass(frozen=True, slots=True)
class Command:
    """``usage`` and ``what`` stand side by side in ``:help``, line by line."""

    usage: str
    what: str
    run: Callable[[Sim, str], Awaitable[None]]


async def run(sim: Sim, line: str) -> None:
    """Do what the line says, or note why not."""
    word, _, rest = line[1:].strip().partition(" ")
    command = COMMANDS.get(word.casefold())
    if command is None:
        sim.say(f":{_clip(word)} is not known here. {HELP} lists what is.")
        return
    try:
        await command.run(sim, " ".join(rest.split()))
    except Misuse as misuse:
        sim.say(str(misuse))


def words() -> list[str]:
    """For completion."""
    return [f":{word}" for word in COMMANDS] + [f":handset {does}" for does in Handset]


async def _handset(sim: Sim, rest: str) -> None:
    does, _, whose = rest.partition(" ")
    if does not in _DOES:
        raise Misuse(f"Written :handset {'|'.join(Handset)} [PHONE], such as :handset pays.")
    action = Handset(does)
    phone = _phone(whose)
    prompt = sim.world.bank.prompts.newest_open(phone.msisdn)
    sim.world.bank.handset(phone.msisdn, action)
    if prompt is None and action is not Handset.IGNORES:
        sim.say(f"There is no prompt on {phone} now. The next one there meets: {action}.")
        return
    said = _DOES[action].format(phone=phone)
    seconds = await sim.next_answer_s(phone)
    if action is not Handset.IGNORES and seconds is not None:
        when = "now" if seconds == 0 else f"in {seconds} s"
        said += f" Hazina asks the bank again {when}, and the answer appears by itself."
    sim.say(said)


async def _sms(sim: Sim, rest: str) -> None:
    if rest in FAULTS:
        sim.world.sms.fault = FAULTS[rest]
        sim.say(f"SMS: the carrier {_CARRIER[rest]}.")
        return
    phone = _phone(rest)
    texts = sim.world.sms.texts.get(phone.msisdn, [])
    if not texts:
        sim.say(f"No SMS has come to {phone}.")
        return
    sim.say(f"SMS on {phone}, oldest first:")
    sim.note(*(Line(f"  {line}") for text in texts for line in text.split("\n")))


async def _mail(sim: Sim, rest: str) -> None:
    if rest in FAULTS:
        sim.world.mail.fault = FAULTS[rest]
        sim.say(f"Mail: the server {_CARRIER[rest]}.")
        return
    address = rest or demo.MAIL
    mails = sim.world.mail.mails.get(address, [])
    if not mails:
        sim.say(f"No mail has come to {_clip(address)}.")
        return
    sim.say(f"Mail to {_clip(address)}, oldest first:")
    for mail in mails:
        lines = (f"{mail.subject}", *mail.text.split("\n"))
        sim.note(*(Line(f"  {line}") for line in lines))


async def _wait(sim: Sim, rest: str) -> None:
    match = _WAIT.fullmatch(rest)
    if match is None:
        raise Misuse("Written :wait 90s, :wait 2m, :wait 3h or :wait 1d.")
    count = int(match[1])
    unit, unit_s = _UNITS[match[2]]
    if count * unit_s > WAIT_MAX_S:
        raise Misuse("At most :wait 2d at once.")
    sim.say(f"{count} {unit} has passed." if count == 1 else f"{count} {unit}s have passed.")
    await sim.world.advance(count * unit_s)


async def _bank(sim: Sim, rest: str) -> None:
    bank = sim.world.bank
    if not rest:
        calls = ", ".join(f"{bank.calls(call)} {call}" for call in CALLS)
        sim.say(f"Calls to the bank so far: {calls}.")
        for prompt in bank.prompts.open():
            age = (sim.world.clock.true_now() - prompt.sent_at).total_seconds()
            sim.say(
                f"An open prompt for KES {prompt.amount_kes:,} on {Phone(prompt.phone)},"
                f" {age:.0f} s old."
            )
        if not bank.prompts.open():
            sim.say("No prompt is open.")
        return
    match = _FAULT.fullmatch(rest)
    if match is None:
        raise Misuse(
            f"Written :bank FAULT on {'|'.join(CALLS)} [times N], such as :bank timeout-after on"
            f" initiate. FAULT is one of {_FAULTS}."
        )
    times = int(match["n"] or 1)
    try:
        fault = parse_fault(match["fault"])
        if fault.delay_s > DELAY_MAX_S or times > TIMES_MAX:
            raise Misuse(f"At most slow {DELAY_MAX_S}s and times {TIMES_MAX}.")
        bank.arm(fault, match["call"], times)
    except ValueError as error:
        raise Misuse(
            f"Not armed: {_clip(str(error), 2 * CLIP)}. FAULT is one of {_FAULTS}."
        ) from None
    call = match["call"]
    meeting = f"{call} call meets" if times == 1 else f"{times} {call} calls meet"
    sim.say(f"The next {meeting}: {_clip(match['fault'])}.")


async def _as(sim: Sim, rest: str) -> None:
    who = rest.casefold()
    if not _WHO.fullmatch(who):
        raise Misuse(f"Written :as NAME, such as :as {demo.ADMINS[0]}. A new name is a stranger.")
    await sim.become(who)
    if who in demo.ADMINS:
        sim.say(f"You are {who} now, an admin of the desk. /help lists what admins can do.")
    elif who == demo.OWNER:
        sim.say(f"You are {who} of {demo.PARTNER.code} again.")
    else:
        sim.say(f"You are {who} now, with an account of your own.")
    sim.note(*(sim.screen_again(ids=False) or ()))


async def _restart(sim: Sim, rest: str) -> None:
    _nothing_more("restart", rest)
    await sim.world.restart()
    sim.say("Hazina was stopped and started again; the chat goes on where it was.")


async def _crash(sim: Sim, rest: str) -> None:
    if rest:
        match = _POINT.fullmatch(rest)
        if match is None:
            raise Misuse(
                "Written :crash, or :crash at commit|after-commit, or :crash at"
                f" before-call|after-call {'|'.join(CALLS)}."
            )
        sim.world.arm_crash(cast("Point", match[1] or match[2]), match[3], 1)
        sim.say(f"Hazina will be killed {rest}, the next time it comes there.")
        return
    await sim.world.crash()
    sim.say("Hazina was killed and started again; the chat goes on where it was.")


async def _screen(sim: Sim, rest: str) -> None:
    _nothing_more("screen", rest)
    lines = sim.screen_again()
    if lines is None:
        sim.say("There is no screen yet. /menu draws one.")
    else:
        sim.note(*lines)


async def _save(sim: Sim, rest: str) -> None:
    _nothing_more("save", rest)
    if not sim.world.terminal.documents:
        raise Misuse("No file has come yet. /statement makes one.")
    name, content = list(sim.world.terminal.documents.values())[-1]
    _keep(Path(name), content)
    sim.say(f"Kept as {name} in this folder.")


def _keep(path: Path, content: bytes) -> None:
    """Only ever as a new file."""
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise Misuse(f"There is a {path} here already.") from None
    except OSError as error:
        raise Misuse(f"It cannot be kept here: {error.strerror}.") from None


async def _tap(sim: Sim, rest: str) -> None:
    ids = [option for option, _ in sim.options]
    if not ids:
        raise Misuse("There is nothing to tap. /menu draws a screen with options.")
    if rest not in ids:
        raise Misuse(f"Written :tap ID, and here ID is one of {', '.join(ids)}.")
    sim.submit(sim.tap(rest))


async def _help(sim: Sim, rest: str) -> None:
    sim.say("In the chat /help tells what there is. Around it:")
    usages = [usage for command in COMMANDS.values() for usage in command.usage.split("\n")]
    width = max(map(len, usages)) + 2
    for command in COMMANDS.values():
        for usage, what in zip(command.usage.split("\n"), command.what.split("\n"), strict=True):
            sim.note(Line(f"  {usage:{width}}{what}"))


async def _quit(sim: Sim, rest: str) -> None:
    _nothing_more("quit", rest)
    sim.ended = True


def _nothing_more(word: str, rest: str) -> None:
    if rest:
        raise Misuse(f"Written :{word}, and nothing more.")


def _phone(typed: str) -> Phone:
    """A phone as people write it; the demo person's where none is given."""
    if not typed:
        return demo.PHONE
    digits = re.sub(r"[ +()-]", "", typed)
    if re.fullmatch(r"0[17][0-9]{8}", digits):
        digits = f"254{digits[1:]}"
    try:
        return Phone(digits)
    except ValueError:
        raise Misuse(
            f"{_clip(typed)} is not a Kenyan mobile number such as 0712 345 678."
        ) from None


def _clip(text: str, most: int = CLIP) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


async def _pay(sim: Sim, rest: str) -> None:
    """Somebody types the paybill into M-PESA; the bank takes it, and tells of it."""
    match = _PAYMENT.fullmatch(rest)
    if match is None:
        raise Misuse("Written :pay AMOUNT ACCOUNT [PHONE], such as :pay 1500 774451#TU7K3QF9.")
    amount = Money.of(match["amount"].replace(",", ""))
    if not Money(0) < amount <= PAY_MAX:
        raise Misuse(f"One pays more than nothing, and at most {PAY_MAX}.")
    phone = _phone(match["phone"] or "")
    paybill = sim.world.bank.paybill
    payment = paybill.pay(phone.msisdn, amount, match["account"])
    sim.world.notify(paybill.notice_of(payment))
    await sim.world.settle()
    sim.say(f"{phone} has paid {amount} for {payment.account_reference}: {payment.receipt}.")


COMMANDS = {
    "handset": Command(
        ":handset pays [PHONE]\n",
        "enter the PIN, on your phone or another\nor: cancels, wrong-pin, no-funds, ignores, off",
        _handset,
    ),
    "pay": Command(
        ":pay AMOUNT ACCOUNT [PHONE]", "pay at the paybill, as M-PESA's own menu does", _pay
    ),
    "sms": Command(
        ":sms [PHONE]\n:sms down",
        "read the SMS that came to a phone\nlet the carrier fail, or: refuses, unsure, up",
        _sms,
    ),
    "mail": Command(
        ":mail [ADDRESS]\n:mail down",
        "read the mail that came to an address\nlet the server fail, or: refuses, unsure, up",
        _mail,
    ),
    "wait": Command(":wait 2m", "let time pass, at once (s, m, h, d)", _wait),
    "bank": Command(
        ":bank\n:bank FAULT on CALL [times N]\n",
        "calls to the bank so far, and open prompts\n"
        "let the bank fail, such as\n"
        ":bank timeout-after on initiate",
        _bank,
    ),
    "as": Command(":as NAME", f"be somebody else, such as {demo.ADMINS[0]}, an admin", _as),
    "restart": Command(":restart", "stop Hazina and start it again", _restart),
    "crash": Command(
        ":crash [at POINT]\n",
        "kill Hazina, now or at a point such as\n:crash at after-call initiate",
        _crash,
    ),
    "save": Command(":save", "keep the last file that came, in this folder", _save),
    "screen": Command(":screen", "the last screen again, with option ids", _screen),
    "tap": Command(":tap ID", "press the option with that id", _tap),
    "help": Command(HELP, "this list", _help),
    "quit": Command(":quit", "leave; Ctrl-D does too", _quit),
}
