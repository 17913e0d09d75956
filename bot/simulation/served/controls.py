"""The world's controls: what each does, by method and path."""

from __future__ import annotations

from pathlib import Path

from bot.scripts import directive
from bot.scripts.directive import PAYOUT_CALLS
from bot.scripts.directive_syntax import read_directive
from bot.scripts.inbox import Mismatch
from bot.scripts.source_line import ScriptError, SourceLine
from bot.simulation.served import outside
from bot.simulation.served.control_app import Answer, Control, Controls
from bot.simulation.served.control_bodies import (
    Advance,
    ArmBank,
    ArmReceiver,
    Crash,
    CreateKey,
    Nothing,
    Notify,
    OfAddress,
    OfPhone,
    Say,
    SetHandset,
    SetPayee,
)
from bot.simulation.served.served_world import ControlError, ServedWorld
from bot.simulation.served.world_report import describe_world, rfc3339

CALLS = ("token", "initiate", "query", "float", "status", *PAYOUT_CALLS)
DONE: Answer = {}


async def _world(served: ServedWorld, body: Nothing) -> Answer:
    async with served.turn() as world:
        return await describe_world(world, served.people)


async def _handset(served: ServedWorld, body: SetHandset) -> Answer:
    await outside.set_handset(served, body.phone, body.does)
    return DONE


async def _payee(served: ServedWorld, body: SetPayee) -> Answer:
    await outside.set_payee(served, body.phone, body.does)
    return DONE


async def _bank(served: ServedWorld, body: ArmBank) -> Answer:
    if body.call not in CALLS:
        raise ControlError(f"a call is {', '.join(CALLS)}")
    read = _directive(f"@bank {body.fault} on {body.call} times {body.times}")
    if not isinstance(read, directive.ArmBank):
        raise ControlError("the bank knows no such fault")
    await outside.arm_bank(served, read)
    return DONE


async def _notify(served: ServedWorld, body: Notify) -> Answer:
    told = await outside.notify(
        served, body.phone, body.amount, body.ref, receipt=body.receipt, times=body.times
    )
    return {"answers": told.answers}


async def _sms(served: ServedWorld, body: OfPhone) -> Answer:
    async with served.turn():
        return {"unread": served.sms.take_all(body.phone.msisdn)}


async def _mail(served: ServedWorld, body: OfAddress) -> Answer:
    async with served.turn():
        return {"unread": served.mail.take_all(body.address)}


async def _books(served: ServedWorld, body: Nothing) -> Answer:
    problems = await served.book_problems()
    return {"ok": not problems, "problems": problems}


async def _calls(served: ServedWorld, body: Nothing) -> Answer:
    async with served.turn() as world:
        return {call: world.api_of(call).calls(call) for call in CALLS}


async def _advance(served: ServedWorld, body: Advance) -> Answer:
    await served.advance(body.seconds)
    return {"clock": rfc3339(served.world.clock.true_now())}


async def _restart(served: ServedWorld, body: Nothing) -> Answer:
    await served.restart()
    return DONE


async def _crash(served: ServedWorld, body: Crash) -> Answer:
    if body.at is None:
        await served.crash()
        return DONE
    read = _directive(f"@crash at {body.at} {body.nth or 1}")
    if not isinstance(read, directive.ArmCrash):
        raise ControlError("there is no such point")
    await outside.arm_crash(served, read)
    return DONE


async def _say(served: ServedWorld, body: Say) -> Answer:
    if body.person not in served.people.addresses:
        raise ControlError(f"nobody is called {body.person}")
    try:
        if body.text is not None:
            await served.say(body.person, body.text)
        elif body.tap is not None:
            await served.tap_named(body.person, body.tap)
    except Mismatch as mismatch:
        raise ControlError(str(mismatch)) from None
    return {
        "messages": [
            {
                "text": message.text,
                "options": [
                    {"id": option.id, "label": option.label}
                    for row in message.rows
                    for option in row
                ],
            }
            for message in served.take_unread(body.person)
        ]
    }


async def _key(served: ServedWorld, body: CreateKey) -> Answer:
    return {"key": await served.create_key(body.partner, body.scopes, body.days)}


async def _arm_receiver(served: ServedWorld, body: ArmReceiver) -> Answer:
    served.world.receiver.arm(body.answers)
    return DONE


async def _received(served: ServedWorld, body: Nothing) -> Answer:
    """Without the lock: a delivery may be what the world waits for."""
    received = served.world.receiver.received
    return {
        "received": [
            {"at": rfc3339(one.at), "headers": one.headers, "body": one.body} for one in received
        ]
    }


def _directive(text: str) -> directive.Directive:
    try:
        return read_directive(SourceLine(Path("a control"), 1, text), text)
    except ScriptError as error:
        raise ControlError(error.reason) from None


CONTROLS: Controls = {
    ("GET", "/sim/world"): Control(Nothing, _world),
    ("POST", "/sim/handset"): Control(SetHandset, _handset),
    ("POST", "/sim/payee"): Control(SetPayee, _payee),
    ("POST", "/sim/bank"): Control(ArmBank, _bank),
    ("POST", "/sim/notify"): Control(Notify, _notify),
    ("GET", "/sim/sms"): Control(OfPhone, _sms),
    ("GET", "/sim/mail"): Control(OfAddress, _mail),
    ("GET", "/sim/books"): Control(Nothing, _books),
    ("GET", "/sim/calls"): Control(Nothing, _calls),
    ("POST", "/sim/advance"): Control(Advance, _advance),
    ("POST", "/sim/restart"): Control(Nothing, _restart),
    ("POST", "/sim/crash"): Control(Crash, _crash),
    ("POST", "/sim/say"): Control(Say, _say),
    ("POST", "/sim/key"): Control(CreateKey, _key),
    ("POST", "/sim/webhook"): Control(ArmReceiver, _arm_receiver),
    ("GET", "/sim/webhook"): Control(Nothing, _received),
}
