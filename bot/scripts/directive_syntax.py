"""Syntax of each directive, and the value it is read into."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import cast

from bot.scripts.directive import (
    CALLS,
    Advance,
    AnswerIs,
    ArmBank,
    ArmCrash,
    ArmSends,
    ArmWebhook,
    AuditIs,
    BalanceIs,
    BalanceKind,
    BankCallsAre,
    BankFault,
    BankNotifies,
    BooksBalance,
    CloseDay,
    Crash,
    CrashPoint,
    DatabaseAway,
    DayIs,
    DeliveredAre,
    Directive,
    EventsAre,
    FaultKind,
    NodeIs,
    NoSecrets,
    PointKind,
    Redeliver,
    Restart,
    RunJob,
    SendFault,
    SendFaultKind,
    SendHop,
    SetClock,
    SetHandset,
    SetPayee,
    StateIs,
)
from bot.scripts.given import NAME, amount
from bot.scripts.source_line import SourceLine
from services.domain.phone import Phone

MPESA = "876"  # the account notification type of a credit by M-PESA
_CALL = "|".join(CALLS)
_SPAN = r"[0-9]{1,6}[smhd]"
_TIMES = r"(?: times (?P<times>[1-9][0-9]*))?"
_HOW_LONG = rf"(?: times (?P<times>[1-9][0-9]*)| for (?P<lasts>{_SPAN}))?"
_WAIT_MAX_S = 999_999
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_SET_MAX_S = 3_650 * 86_400
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

Fields = dict[str, str | None]
Build = Callable[[SourceLine, Fields], Directive]


@dataclass(frozen=True, slots=True)
class Form:
    """``shape`` must match the text after the directive's name, with whitespace collapsed."""

    usage: str
    shape: re.Pattern[str]
    build: Build


def read_directive(at: SourceLine, text: str) -> Directive:
    """Read ``@name …``. Raises ``ScriptError``."""
    name, *words = text.split()
    form = FORMS.get(name)
    if form is None:
        raise at.error(f"there is no directive {name}")
    fields = form.shape.fullmatch(" ".join(words))
    if fields is None:
        raise at.error(f"{name} is written: {name} {form.usage}".rstrip())
    return form.build(at, fields.groupdict())


def _seconds(written: str) -> int:
    return int(written[:-1]) * _UNITS[written[-1]]


def _day(at: SourceLine, written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise at.error(f"{written} is no day") from None


def _clock(at: SourceLine, fields: Fields) -> Directive:
    seconds = _seconds(str(fields["time"]))
    if seconds > _SET_MAX_S:
        raise at.error("a clock is set by ten years at most")
    return SetClock(at, -seconds if fields["sign"] == "-" else seconds)


def _times(fields: Fields) -> int:
    return int(fields["times"] or 1)


def _balance(of: BalanceKind) -> Form:
    def build(at: SourceLine, fields: Fields) -> Directive:
        return BalanceIs(at, of, str(fields["code"]), amount(at, str(fields["amount"])))

    return Form("CODE AMOUNT", re.compile(r"(?P<code>\S+) (?P<amount>\S+)"), build)


def _bare(build: Callable[[SourceLine], Directive]) -> Form:
    return Form("", re.compile(""), lambda at, _: build(at))


def _standing(at: SourceLine, fields: Fields) -> Directive:
    return NodeIs(at, str(fields["name"]), None if fields["node"] == "-" else fields["node"])


def _state(at: SourceLine, fields: Fields) -> Directive:
    kind = "payout" if fields["kind"] == "disbursement" else str(fields["kind"])
    return StateIs(at, kind, str(fields["state"]))


def _payee(at: SourceLine, fields: Fields) -> Directive:
    try:
        return SetPayee(at, Phone(str(fields["phone"])), str(fields["does"]))
    except ValueError as error:
        raise at.error(f"{fields['phone']}: {error}") from None


_FAULT = (
    r"(?P<kind>html|garbage|timeout-before|timeout-after|same-id|duplicate|spike-arrest|quota"
    r"|system-error|queue-timeout|token-gone)"
    rf"|only-accepted(?P<fate>(?: (?:settles|fails) {_SPAN}| never)?)"
    r"|result (?P<shape>[a-z]+(?:-[a-z]+)*)"
    r"|http (?P<status>[1-5][0-9]{2})"
    rf"|slow (?P<slow>{_SPAN})"
    r"|(?P<says>refuse|says-failed) (?P<reason>.+)"  # greedy: up to the last " on CALL"
)


def _bank(at: SourceLine, fields: Fields) -> Directive:
    if fields["count"] is not None:
        return BankCallsAre(at, str(fields["had"]), int(fields["count"]))
    if fields["status"]:
        fault = BankFault("http", status=int(fields["status"]))
    elif fields["slow"]:
        fault = BankFault("slow", seconds=_seconds(fields["slow"]))
    elif fields["says"]:
        fault = BankFault(cast("FaultKind", fields["says"]), reason=str(fields["reason"]))
    elif fields["shape"]:
        fault = BankFault("result", reason=fields["shape"])
    elif fields["kind"]:
        fault = BankFault(cast("FaultKind", fields["kind"]))
    else:
        fault = BankFault("only-accepted", reason=str(fields["fate"]).strip())
    lasts_s = _seconds(fields["lasts"]) if fields["lasts"] else None
    return ArmBank(at, fault, str(fields["call"]), _times(fields), lasts_s)


def _notify(at: SourceLine, fields: Fields) -> Directive:
    if fields["ref"] is None and fields["alone"] is None:
        raise at.error("@notify needs ref REF, or account-only")
    if fields["alone"] and fields["account"]:
        raise at.error("a notice of the account has one field for what was typed")
    return BankNotifies(
        at,
        str(fields["phone"]),
        amount(at, str(fields["amount"])),
        fields["ref"],
        fields["receipt"],
        _times(fields),
        fields["bad"],
        fields["narrative"],
        account_only=fields["alone"] is not None,
        kind=(fields["type"] or MPESA) if fields["account"] else None,
        late_s=_seconds(fields["late"]) if fields["late"] else 0,
    )


def _crash(at: SourceLine, fields: Fields) -> Directive:
    point = fields["point"] or fields["around"]
    if point is None:
        return Crash(at)
    kind = cast("PointKind", point)
    return ArmCrash(at, CrashPoint(kind, fields["call"], int(fields["n"] or 1)))


def _sends(at: SourceLine, fields: Fields) -> Directive:
    if fields["wait"]:
        wait_s = int(fields["wait"])
        if not 1 <= wait_s <= _WAIT_MAX_S:
            raise at.error(f"429 needs a wait of at least 1 s and at most {_WAIT_MAX_S} s")
        return ArmSends(at, SendFault("429", wait_s), _times(fields))
    return ArmSends(at, SendFault(cast("SendFaultKind", fields["kind"])), _times(fields))


def _hop(at: SourceLine, fields: Fields) -> Directive:
    if fields["text"] is not None:
        return SendHop(at, "text", fields["text"])
    if fields["phone"] is not None:
        return SendHop(at, "phone", fields["phone"])
    return SendHop(at, "again" if fields["how"] == "again" else "parallel")


FORMS: dict[str, Form] = {
    "@advance": Form(
        "90s | 10m | 2h | 1d",
        re.compile(r"(?P<time>[0-9]{1,6}[smhd])"),
        lambda at, fields: Advance(at, _seconds(str(fields["time"]))),
    ),
    "@clock": Form(
        "+3d | -2h | +90s | -10m",
        re.compile(r"(?P<sign>[+-])(?P<time>[0-9]{1,6}[smhd])"),
        _clock,
    ),
    "@at": Form(
        "NAME flow.node | NAME -",
        re.compile(rf"(?P<name>{NAME}) (?P<node>-|[\w-]+\.[\w-]+)"),
        _standing,
    ),
    "@wallet": _balance("wallet"),
    "@available": _balance("available"),
    "@float": _balance("float"),
    "@state": Form(
        "topup|float|payout STATE",
        re.compile(r"(?P<kind>topup|float|payout|disbursement) (?P<state>[A-Z_]+)"),
        _state,
    ),
    "@batch": Form(
        "AWAITING_APPROVAL|AWAITING_CODE|RUNNING|STOPPED|DONE",
        re.compile(r"(?P<state>AWAITING_APPROVAL|AWAITING_CODE|RUNNING|STOPPED|DONE)"),
        lambda at, fields: StateIs(at, "batch", str(fields["state"])),
    ),
    "@books": _bare(BooksBalance),
    "@handset": Form(
        "PHONE pays|cancels|wrong-pin|no-funds|ignores|off",
        re.compile(r"(?P<phone>[0-9]+) (?P<does>pays|cancels|wrong-pin|no-funds|ignores|off)"),
        lambda at, fields: SetHandset(at, str(fields["phone"]), str(fields["does"])),
    ),
    "@payee": Form(
        "PHONE pays [NAME] | fails CODE [late 24h] | silent | twice | before-ack | late 24h",
        re.compile(r"(?P<phone>[0-9]+) (?P<does>.+)"),
        _payee,
    ),
    "@bank": Form(
        "FAULT on CALL [times N | for 3h] | CALL N",
        re.compile(
            rf"(?P<had>{_CALL}) (?P<count>[0-9]+)|(?:{_FAULT}) on (?P<call>{_CALL}){_HOW_LONG}"
        ),
        _bank,
    ),
    "@notify": Form(
        "PHONE AMOUNT [ref REF] [receipt R] [narrative TEXT] [account-only | of-account [TYPE]]"
        " [late 1h] [times N] [bad-hash | bad-password]",
        re.compile(
            r"(?P<phone>[0-9]+) (?P<amount>\S+)(?: ref (?P<ref>\S+)| receipt (?P<receipt>\S+)"
            r"| narrative (?P<narrative>.+?)| (?P<alone>account-only)"
            r"| (?P<account>of-account)(?: (?P<type>[0-9]{3}))?"
            rf"| late (?P<late>{_SPAN})"
            r"| times (?P<times>[1-9][0-9]*)| (?P<bad>bad-hash|bad-password))*"
        ),
        _notify,
    ),
    "@close": Form(
        "YYYY-MM-DD",
        re.compile(rf"(?P<day>{_DAY})"),
        lambda at, fields: CloseDay(at, _day(at, str(fields["day"]))),
    ),
    "@day": Form(
        "YYYY-MM-DD open | closed",
        re.compile(rf"(?P<day>{_DAY}) (?P<how>open|closed)"),
        lambda at, fields: DayIs(at, _day(at, str(fields["day"])), fields["how"] == "closed"),
    ),
    "@answer": Form(
        "0 | 1",
        re.compile(r"(?P<code>[01])"),
        lambda at, fields: AnswerIs(at, str(fields["code"])),
    ),
    "@redeliver": _bare(Redeliver),
    "@restart": _bare(Restart),
    "@database": Form(
        "away 20s",
        re.compile(rf"away (?P<time>{_SPAN})"),
        lambda at, fields: DatabaseAway(at, _seconds(str(fields["time"]))),
    ),
    "@crash": Form(
        "[at commit | after-commit | before-call CALL | after-call CALL [N]]",
        re.compile(
            rf"(?:at (?:(?P<point>commit|after-commit)|(?P<around>(?:before|after)-call)"
            rf" (?P<call>{_CALL}))(?: (?P<n>[1-9][0-9]*))?)?"
        ),
        _crash,
    ),
    "@send-fails": Form(
        "403 | 429:SECONDS | timeout [times N]",
        re.compile(rf"(?:(?P<kind>403|timeout)|429:(?P<wait>[0-9]{{1,9}})){_TIMES}"),
        _sends,
    ),
    "@job": Form(
        "NAME",
        re.compile(r"(?P<name>\S+)"),
        lambda at, fields: RunJob(at, str(fields["name"])),
    ),
    "@events": Form(
        "CODE N",
        re.compile(r"(?P<code>\S+) (?P<count>[0-9]+)"),
        lambda at, fields: EventsAre(at, str(fields["code"]), int(fields["count"] or 0)),
    ),
    "@webhook": Form(
        "CODE answers STATUS [times N]",
        re.compile(rf"(?P<code>\S+) answers (?P<status>[2-5][0-9]{{2}}){_TIMES}"),
        lambda at, fields: ArmWebhook(
            at, str(fields["code"]), int(fields["status"] or 0), _times(fields)
        ),
    ),
    "@delivered": Form(
        "CODE N",
        re.compile(r"(?P<code>\S+) (?P<count>[0-9]+)"),
        lambda at, fields: DeliveredAre(at, str(fields["code"]), int(fields["count"] or 0)),
    ),
    "@hop": Form(
        "again | parallel | text 1*2 | phone PHONE",
        re.compile(r"(?P<how>again|parallel)|text (?P<text>.+)|phone (?P<phone>[0-9]+)"),
        _hop,
    ),
    "@no-secrets": _bare(NoSecrets),
    "@audit": Form(
        "N | ok",
        re.compile(r"ok|(?P<rows>[0-9]+)"),
        lambda at, fields: AuditIs(at, int(fields["rows"]) if fields["rows"] else None),
    ),
}
