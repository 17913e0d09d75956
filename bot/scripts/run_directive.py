"""Runs directives: actions on the product, and checks of it."""

from __future__ import annotations

from typing import assert_never

from bot.scripts.directive import (
    ActionDirective,
    Advance,
    AnswerIs,
    ArmBank,
    ArmCrash,
    ArmSends,
    ArmWebhook,
    AuditIs,
    BalanceIs,
    BankCallsAre,
    BankNotifies,
    BooksBalance,
    CheckDirective,
    CloseDay,
    Crash,
    DatabaseAway,
    DayIs,
    DeliveredAre,
    EventsAre,
    GiveStatement,
    NodeIs,
    NoSecrets,
    Redeliver,
    Restart,
    RunJob,
    SendHop,
    SetClock,
    SetHandset,
    SetPayee,
    StateIs,
)
from bot.scripts.inbox import Mismatch
from bot.scripts.stage import Stage
from services.domain.money import Money
from services.domain.table import TableFileError


async def perform(action: ActionDirective, stage: Stage) -> None:
    match action:
        case Advance():
            await stage.advance(action.seconds)
        case SetClock():
            await stage.set_clock(action.seconds)
        case SetHandset():
            await stage.set_handset(action.phone, action.action)
        case SetPayee():
            stage.set_payee(action.phone, action.does)
        case ArmBank():
            stage.arm_bank(action)
        case Redeliver():
            await stage.redeliver()
        case Restart():
            await stage.restart()
        case DatabaseAway():
            stage.take_database_away(action.seconds)
        case Crash():
            await stage.crash()
        case ArmCrash():
            stage.arm_crash(action.point)
        case ArmSends():
            stage.arm_sends(action.fault, action.times)
        case SendHop():
            await stage.send_hop(action)
        case ArmWebhook():
            stage.arm_webhook(action.partner, action.status, action.times)
        case RunJob():
            await stage.run_job(action.name)
        case GiveStatement():
            try:
                await stage.give_statement(action.lines)
            except TableFileError as fault:
                raise action.at.error(str(fault)) from None
        case CloseDay():
            await stage.close_day(action.day)
        case BankNotifies():
            await stage.notify(action)
        case _:
            assert_never(action)


async def verify(at: CheckDirective, stage: Stage) -> None:
    """Raises ``Mismatch`` if the check fails."""
    match at:
        case NodeIs():
            _same(at.node or "-", await stage.current_node(at.name) or "-")
        case BalanceIs():
            _same(at.amount.decimal, (await _balance(at, stage)).decimal)
        case StateIs():
            _same(at.state, await stage.state(at.kind) or f"there is no {at.kind}")
        case BankCallsAre():
            _same(f"{at.count} × {at.call}", f"{stage.bank_calls(at.call)} × {at.call}")
        case BooksBalance():
            if violations := await stage.books():
                raise Mismatch("books that hold", "\n".join(violations))
        case DayIs():
            is_closed = await stage.is_day_closed(at.day)
            actual = "not compared yet" if is_closed is None else _how(is_closed)
            _same(f"{at.day} {_how(at.is_closed)}", f"{at.day} {actual}")
        case NoSecrets():
            if found := await stage.secrets():
                raise Mismatch("no secret at rest", "\n".join(found))
        case AnswerIs():
            answers = list(stage.answers())
            if not answers or any(answer != at.code for answer in answers):
                raise Mismatch(f"answer {at.code}", " ".join(answers) or "no notification came")
        case EventsAre():
            _same(f"{at.count} events", f"{await stage.events(at.partner)} events")
        case DeliveredAre():
            _same(f"{at.count} taken", f"{stage.webhooks_taken(at.partner)} taken")
        case AuditIs(_, count):
            if count is not None:
                _same(f"{count} audit rows", f"{await stage.audit_rows()} audit rows")
            if violations := await stage.audit_problems():
                raise Mismatch("a whole audit chain", "\n".join(violations))
        case _:
            assert_never(at)


async def _balance(at: BalanceIs, stage: Stage) -> Money:
    match at.of:
        case "wallet":
            return await stage.wallet(at.partner)
        case "available":
            return await stage.available(at.partner)
        case "float":
            return await stage.float_balance(at.partner)


def _how(is_closed: bool) -> str:
    return "closed" if is_closed else "open"


def _same(expected: str, actual: str) -> None:
    if expected != actual:
        raise Mismatch(expected, actual)
