"""What has been done in a world as calls with curl: of its controls, and as a gateway of USSD."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from bot.scripts.directive import (
    Advance,
    ArmCrash,
    BankNotifies,
    Crash,
    CrashPoint,
    Restart,
    SetHandset,
    SetPayee,
)
from bot.scripts.directive_syntax import read_directive
from bot.scripts.source_line import SourceLine
from bot.simulation.credentials import USSD_SECRET
from bot.simulation.record import Armed, Did, Entry, Passed, Said, SentHop
from bot.simulation.served.served_world import ServedWorld
from bot.simulation.ussd.phones import SAFARICOM

_TAP = re.compile(r"\[([^\[\]]+)\]")


def as_curl(served: ServedWorld, url: str) -> str:
    """Calls of the controls that do the same in a served world."""
    lines = []
    for entry in served.record.entries:
        call = _call(entry)
        if call is not None:
            body = shlex.quote(json.dumps(call[1], ensure_ascii=False))
            lines.append(f"curl {url}/sim/{call[0]} -H 'content-type: application/json' -d {body}")
        elif isinstance(entry, Said) and entry.hop is not None:
            lines.append(_hop(entry.hop, url))
        elif isinstance(entry, Said | Did):
            what = entry.line if isinstance(entry, Did) else f"{entry.person}> {entry.written}"
            lines.append(f"# No control does this: {what.removeprefix('# ')}")
    return "\n".join(lines or ["# Nothing has been done yet."]) + "\n"


def _hop(hop: SentHop, url: str) -> str:
    """As the gateway sends it."""
    fields = [
        ("sessionId", hop.session),
        ("phoneNumber", f"+{hop.phone}"),
        ("networkCode", SAFARICOM),
        ("serviceCode", hop.code),
        ("text", hop.text),
    ]
    form = " ".join(f"--data-urlencode {shlex.quote(f'{name}={value}')}" for name, value in fields)
    return f"curl {url}/ussd/{USSD_SECRET} {form}"


def _call(entry: Entry) -> tuple[str, Mapping[str, object]] | None:
    match entry:
        case Said(hop=SentHop()):
            return None
        case Said(person, text, written) if text == written:
            return "say", {"person": person, "text": text}
        case Said(person, _, written) if (tapped := _TAP.fullmatch(written)) is not None:
            return "say", {"person": person, "tap": tapped[1]}
        case Passed(seconds):
            return "advance", {"seconds": seconds}
        case Armed(call, fault, times) if times > 0:
            return "bank", {"call": call, "fault": fault, "times": times}
        case Did(line):
            return _control(line)
    return None


def _control(line: str) -> tuple[str, Mapping[str, object]] | None:
    """The control that does what a directive does; ``@redeliver`` has none."""
    if line.startswith("#"):
        return None
    read = read_directive(SourceLine(Path("page"), 1, line), line)
    match read:
        case SetHandset():
            return "handset", {"phone": read.phone, "does": read.action}
        case SetPayee():
            return "payee", {"phone": read.phone.msisdn, "does": read.does}
        case BankNotifies():
            body = {"phone": read.phone, "amount": read.amount.decimal, "ref": read.reference}
            return "notify", {**body, "times": read.times}
        case Advance():
            return "advance", {"seconds": read.seconds}
        case Restart():
            return "restart", {}
        case Crash():
            return "crash", {}
        case ArmCrash():
            words = str(CrashPoint(read.point.point, read.point.call, 1))
            return "crash", {"at": words, "nth": read.point.nth}
    return None
