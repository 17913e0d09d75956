"""Console commands around the chat: lines that begin with a colon."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, cast

from bot.scripts.directive import CALLS
from bot.simulation.console import demo
from bot.simulation.console.bank_commands import COMMANDS as BANK
from bot.simulation.console.file_command import EXAMPLE, FILE
from bot.simulation.console.screen import Line
from bot.simulation.console.usage import UNITS, Command, CommandError, clip, read_phone
from bot.simulation.crashes import CrashPointName
from bot.simulation.credentials import USSD_CODE
from bot.simulation.inboxes import CARRIER_FAULTS
from bot.simulation.ncba.handsets import Handset

if TYPE_CHECKING:
    from bot.simulation.console.simulator import Simulator

HELP = ":help"
WAIT_MAX_S = 2 * 86_400  # takes some real seconds, because every job of those days runs
_WAIT = re.compile(r"([0-9]{1,6}) ?([smhd])")
_WHO = re.compile(r"[a-z][a-z0-9]{1,19}")
_HOP = re.compile(r"again|parallel|text .{1,200}|phone .+")
_POINT = re.compile(rf"at (?:(commit|after-commit)|(before-call|after-call) ({'|'.join(CALLS)}))")
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


async def run(sim: Simulator, line: str) -> None:
    """Run a command, or print why it cannot run."""
    word, _, rest = line[1:].strip().partition(" ")
    command = COMMANDS.get(word.casefold())
    if command is None:
        sim.say(f":{clip(word)} is not known here. {HELP} lists what is.")
        return
    try:
        await command.run(sim, " ".join(rest.split()))
    except CommandError as misuse:
        sim.say(str(misuse))


def words() -> list[str]:
    """Completion words."""
    return [f":{word}" for word in COMMANDS] + [f":handset {does}" for does in Handset] + [EXAMPLE]


async def _handset(sim: Simulator, rest: str) -> None:
    does, _, whose = rest.partition(" ")
    if does not in _DOES:
        raise CommandError(f"Written :handset {'|'.join(Handset)} [PHONE], such as :handset pays.")
    action = Handset(does)
    phone = read_phone(whose)
    prompt = sim.world.bank.prompts.newest_open(phone.msisdn)
    sim.world.bank.set_handset(phone.msisdn, action)
    if prompt is None and action is not Handset.IGNORES:
        sim.say(f"There is no prompt on {phone} now. The next one there meets: {action}.")
        return
    text = _DOES[action].format(phone=phone)
    seconds = await sim.next_poll_s(phone)
    if action is not Handset.IGNORES and seconds is not None:
        when = "now" if seconds == 0 else f"in {seconds} s"
        text += f" Hazina asks the bank again {when}, and the answer appears by itself."
    sim.say(text)


async def _sms(sim: Simulator, rest: str) -> None:
    if rest in CARRIER_FAULTS:
        sim.world.sms.fault = CARRIER_FAULTS[rest]
        sim.say(f"SMS: the carrier {_CARRIER[rest]}.")
        return
    phone = read_phone(rest)
    texts = sim.world.sms.texts.get(phone.msisdn, [])
    if not texts:
        sim.say(f"No SMS has come to {phone}.")
        return
    sim.say(f"SMS on {phone}, oldest first:")
    sim.note(*(Line(f"  {line}") for text in texts for line in text.split("\n")))


async def _mail(sim: Simulator, rest: str) -> None:
    if rest in CARRIER_FAULTS:
        sim.world.mail.fault = CARRIER_FAULTS[rest]
        sim.say(f"Mail: the server {_CARRIER[rest]}.")
        return
    address = rest or demo.MAIL
    mails = sim.world.mail.mails.get(address, [])
    if not mails:
        sim.say(f"No mail has come to {clip(address)}.")
        return
    sim.say(f"Mail to {clip(address)}, oldest first:")
    for mail in mails:
        lines = (f"{mail.subject}", *mail.text.split("\n"))
        sim.note(*(Line(f"  {line}") for line in lines))


async def _wait(sim: Simulator, rest: str) -> None:
    match = _WAIT.fullmatch(rest)
    if match is None:
        raise CommandError("Written :wait 90s, :wait 2m, :wait 3h or :wait 1d.")
    count = int(match[1])
    unit, unit_s = UNITS[match[2]]
    if count * unit_s > WAIT_MAX_S:
        raise CommandError("At most :wait 2d at once.")
    sim.say(f"{count} {unit} has passed." if count == 1 else f"{count} {unit}s have passed.")
    await sim.world.advance(count * unit_s)


async def _as(sim: Simulator, rest: str) -> None:
    name, _, number = rest.partition(" ")
    who = name.casefold()
    if not _WHO.fullmatch(who):
        raise CommandError(
            f"Written :as NAME [PHONE], such as :as {demo.ADMINS[0]}. A new name is a stranger."
        )
    if number:
        sim.handset.give(who, read_phone(number))
    await sim.switch_user(who)
    if who in demo.ADMINS:
        sim.say(f"You are {who} now, an admin of the desk. /help lists what admins can do.")
    elif who == demo.OWNER:
        sim.say(f"You are {who} of {demo.PARTNER.code} again.")
    elif who == demo.COLLEAGUE:
        sim.say(f"You are {who} of {demo.PARTNER.code} now, a colleague of {demo.OWNER}.")
    else:
        sim.say(f"You are {who} now, with an account of your own.")
    sim.note(*(await sim.current_screen(ids=False) or ()))


async def _hop(sim: Simulator, rest: str) -> None:
    how, _, value = rest.partition(" ")
    if not _HOP.fullmatch(rest):
        raise CommandError(
            "Written :hop again, :hop parallel, :hop text 1*2 or :hop phone 0733 123 456."
        )
    if how == "phone":
        value = read_phone(value).msisdn
    lines = await sim.handset.send_hop(sim.who, how, value)
    if lines is None:
        raise CommandError(f"Nobody has dialled on this phone. {USSD_CODE} dials.")
    sim.note(*lines)


async def _restart(sim: Simulator, rest: str) -> None:
    _nothing_more("restart", rest)
    await sim.world.restart()
    sim.say("Hazina was stopped and started again; the chat goes on where it was.")


async def _crash(sim: Simulator, rest: str) -> None:
    if rest:
        match = _POINT.fullmatch(rest)
        if match is None:
            raise CommandError(
                "Written :crash, or :crash at commit|after-commit, or :crash at"
                f" before-call|after-call {'|'.join(CALLS)}."
            )
        sim.world.arm_crash(cast("CrashPointName", match[1] or match[2]), match[3], 1)
        sim.say(f"Hazina will be killed {rest}, the next time it comes there.")
        return
    await sim.world.crash()
    sim.say("Hazina was killed and started again; the chat goes on where it was.")


async def _screen(sim: Simulator, rest: str) -> None:
    _nothing_more("screen", rest)
    lines = await sim.current_screen()
    if lines is None:
        sim.say(f"There is no screen yet. /menu draws one, and {USSD_CODE} dials.")
    else:
        sim.note(*lines)


async def _save(sim: Simulator, rest: str) -> None:
    _nothing_more("save", rest)
    if not sim.world.terminal.documents:
        raise CommandError("No file has come yet. /statement makes one.")
    name, content = list(sim.world.terminal.documents.values())[-1]
    _keep(Path(name), content)
    sim.say(f"Kept as {name} in this folder.")


def _keep(path: Path, content: bytes) -> None:
    """Never overwrites a file."""
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise CommandError(f"There is a {path} here already.") from None
    except OSError as error:
        raise CommandError(f"It cannot be kept here: {error.strerror}.") from None


async def _tap(sim: Simulator, rest: str) -> None:
    ids = [option for option, _ in sim.options]
    if not ids:
        raise CommandError("There is nothing to tap. /menu draws a screen with options.")
    if rest not in ids:
        raise CommandError(f"Written :tap ID, and here ID is one of {', '.join(ids)}.")
    sim.submit(sim.tap(rest))


async def _help(sim: Simulator, rest: str) -> None:
    sim.say(f"In the chat /help tells what there is, and {USSD_CODE} dials. Around it:")
    usages = [usage for command in COMMANDS.values() for usage in command.usage.split("\n")]
    width = max(map(len, usages)) + 2
    for command in COMMANDS.values():
        for usage, what in zip(command.usage.split("\n"), command.what.split("\n"), strict=True):
            sim.note(Line(f"  {usage:{width}}{what}"))


async def _quit(sim: Simulator, rest: str) -> None:
    _nothing_more("quit", rest)
    sim.ended = True


def _nothing_more(word: str, rest: str) -> None:
    if rest:
        raise CommandError(f"Written :{word}, and nothing more.")


COMMANDS = {
    "handset": Command(
        ":handset pays [PHONE]\n",
        "enter the PIN, on your phone or another\nor: cancels, wrong-pin, no-funds, ignores, off",
        _handset,
    ),
    "pay": BANK["pay"],
    "tell": BANK["tell"],
    "payee": BANK["payee"],
    "file": FILE,
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
    "bank": BANK["bank"],
    "as": Command(
        ":as NAME [PHONE]\n",
        f"be somebody else, such as {demo.COLLEAGUE}, a colleague,\nor {demo.ADMINS[0]}, an admin",
        _as,
    ),
    "hop": Command(
        ":hop again\n",
        "send the newest hop once more, or: parallel,\ntext 1*2, phone 0733 123 456",
        _hop,
    ),
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
