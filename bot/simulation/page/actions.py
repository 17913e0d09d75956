"""What the page's forms and buttons do, by path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from bot.scripts import directive
from bot.scripts.directive_syntax import read_directive
from bot.scripts.inbox import Mismatch
from bot.scripts.payout_file import good_rows, written
from bot.scripts.source_line import SourceLine
from bot.scripts.stage import Option, Shown
from bot.simulation.ncba.handsets import Handset
from bot.simulation.page import bodies
from bot.simulation.page.cast import cast
from bot.simulation.page.panels.wire import untold
from bot.simulation.page.state import FOLDER, PageState
from bot.simulation.page.story import stories
from bot.simulation.page.view import View
from bot.simulation.served import dialling, outside
from bot.simulation.served.controls import CALLS
from bot.simulation.served.served_world import ControlError
from services.domain.phone import Phone
from services.ports import Tx

RIGHT_PIN = "1234"
SAMPLE = "sample.csv"
PIN_DIGITS = 4
LATE_S = 3_600
AnyBody = TypeVar("AnyBody", bound=bodies.PageBody)


@dataclass(frozen=True, slots=True)
class Action(Generic[AnyBody]):
    asks: type[AnyBody]
    act: Callable[[PageState, View, AnyBody], Awaitable[None]]


async def _say(state: PageState, view: View, body: bodies.Say) -> None:
    _check_person(state, body.person)
    await state.served.say(body.person, body.text)


async def _tap(state: PageState, view: View, body: bodies.Tap) -> None:
    _check_person(state, body.person)
    await state.served.tap(body.person, *_option(state, body))


async def _dial(state: PageState, view: View, body: bodies.Dial) -> None:
    _check_person(state, body.person)
    await dialling.dial(state.served, body.person, body.text)


async def _press(state: PageState, view: View, body: bodies.Press) -> None:
    _check_person(state, body.person)
    await dialling.press(state.served, body.person, body.text.strip())


async def _redial(state: PageState, view: View, body: bodies.Redial) -> None:
    _check_person(state, body.person)
    match body.what:
        case "dial":
            await dialling.dial_again(state.served, body.person)
        case "again":
            await dialling.send_again(state.served, body.person)
        case "hang-up":
            await dialling.hang_up(state.served, body.person)


async def _send_file(state: PageState, view: View, body: bodies.SendFile) -> None:
    _check_person(state, body.person)
    await state.served.send_file(body.person, body.name, body.content)


async def _send_sample(state: PageState, view: View, body: bodies.SendSample) -> None:
    _check_person(state, body.person)
    content = written(good_rows(body.rows, state.served.scene.seed), None)
    await state.served.send_file(body.person, SAMPLE, content)


def _option(state: PageState, body: bodies.Tap) -> tuple[Shown, Option]:
    """As the message shows it now, or showed it before it was edited: an old button in a hand."""
    record = state.served.record
    shown = record.versions(body.message) if record.has_message(body.message) else ()
    for version in reversed(shown):
        if version.to != body.person:
            break
        for row in version.rows:
            for option in row:
                if option.data == body.data:
                    return version, option
    raise ControlError("that option is not there")


async def _look(state: PageState, view: View, body: bodies.Look) -> None:
    members = cast(state.served.scene.givens)
    if body.person is not None:
        _check_person(state, body.person)
        view.people[min(int(body.phone), len(view.people)) - 1] = body.person
    if body.second == "on" and len(view.people) == 1:
        view.people.append(next(name for name in members if name not in view.people))
    elif body.second == "off":
        del view.people[1:]
    if body.drawer is not None:
        view.drawer = body.drawer
    view.wake()


async def _language(state: PageState, view: View, body: bodies.SetLanguage) -> None:
    """By the person's own settings, as people do it."""
    _check_person(state, body.person)
    address = state.served.people.addresses[body.person]

    def spoken_by(tx: Tx) -> str | None:
        person = tx.people.at(state.served.scene.channel, address)
        return None if person is None else person.language

    async with state.served.at_rest() as world:
        spoken = await world.app.database.read(spoken_by)
    if spoken is None:
        raise ControlError(f"{body.person} has no language of their own")
    if spoken == body.language:
        return
    await state.served.say(body.person, "/settings")
    for option in ("language", body.language):
        try:
            await state.served.tap_named(body.person, option)
        except Mismatch as mismatch:
            raise ControlError(str(mismatch)) from None


async def _answer_prompt(state: PageState, view: View, body: bodies.AnswerPrompt) -> None:
    open_prompts = state.served.world.bank.prompts.open()
    prompt = next((one for one in open_prompts if one.transaction_id == body.prompt), None)
    if prompt is None:
        raise ControlError("that prompt has ended")
    if body.does is Handset.IGNORES:
        state.ignored.add(prompt.transaction_id)
        view.wake()
        return
    does = body.does
    if does is Handset.PAYS:
        if not (len(body.pin) == PIN_DIGITS and body.pin.isascii() and body.pin.isdigit()):
            raise ControlError("A PIN has four digits. 1234 is right, others are wrong.")
        does = Handset.PAYS if body.pin == RIGHT_PIN else Handset.WRONG_PIN
    await outside.set_handset(state.served, Phone(prompt.phone), does)


async def _advance(state: PageState, view: View, body: bodies.Advance) -> None:
    if body.seconds == "due":
        await state.served.advance_to_next_due()
    else:
        await state.served.advance(body.seconds)


async def _arm(state: PageState, view: View, body: bodies.ArmFault) -> None:
    calls = CALLS if body.call == bodies.ALL_CALLS else (body.call,)
    if not set(calls) <= set(CALLS):
        raise ControlError("there is no such call")
    for call in calls:
        text = f"@bank {body.fault} on {call} times {body.times}"
        read = read_directive(SourceLine(FOLDER, 1, text), text)
        assert isinstance(read, directive.ArmBank), "every fault of the list is one"
        await outside.arm_bank(state.served, read)


async def _payee(state: PageState, view: View, body: bodies.SetPayee) -> None:
    await outside.set_payee(state.served, body.phone, body.does)


async def _tell(state: PageState, view: View, body: bodies.Tell) -> None:
    found = [one for one in untold(state.served) if one.transaction_id == body.prompt]
    if not found:
        raise ControlError("the bank has told of that payment already")
    if body.how == "never":
        state.held |= {body.prompt}
        view.wake()
        return
    await outside.notify(
        state.served,
        Phone(found[0].phone),
        found[0].amount,
        found[0].reference,
        times=2 if body.how == "twice" else 1,
        late_s=LATE_S if body.how == "late" else 0,
    )


async def _act(state: PageState, view: View, body: bodies.Act) -> None:
    match body.what:
        case "restart":
            await state.served.restart()
        case "crash":
            await state.served.crash()
        case "redeliver":
            await state.served.redeliver()
        case "disarm":
            await outside.disarm_bank(state.served)
        case "reset":
            await state.story.leave()
            await state.served.reset()
            state.forget_world()


async def _story(state: PageState, view: View, body: bodies.PlayStory) -> None:
    teller = state.story
    match body.do:
        case "pause":
            teller.pause()
        case "resume":
            teller.resume()
        case "next":
            teller.next()
        case "stop":
            await teller.stop()
        case "again" if teller.story is not None:
            await teller.begin(teller.story)
        case _ if body.story:
            story = stories().get(body.story)
            if story is None:
                raise ControlError("there is no such story")
            await teller.begin(story)
        case _:
            await teller.stop()


def _check_person(state: PageState, name: str) -> None:
    if name not in state.served.people.addresses:
        raise ControlError("nobody is called so")


SEND_FILE = Action(bodies.SendFile, _send_file)
ACTIONS: Mapping[str, Action[Any]] = {
    "say": Action(bodies.Say, _say),
    "sample": Action(bodies.SendSample, _send_sample),
    "tap": Action(bodies.Tap, _tap),
    "dial": Action(bodies.Dial, _dial),
    "press": Action(bodies.Press, _press),
    "redial": Action(bodies.Redial, _redial),
    "look": Action(bodies.Look, _look),
    "language": Action(bodies.SetLanguage, _language),
    "prompt": Action(bodies.AnswerPrompt, _answer_prompt),
    "advance": Action(bodies.Advance, _advance),
    "fault": Action(bodies.ArmFault, _arm),
    "payee": Action(bodies.SetPayee, _payee),
    "tell": Action(bodies.Tell, _tell),
    "act": Action(bodies.Act, _act),
    "story": Action(bodies.PlayStory, _story),
}
