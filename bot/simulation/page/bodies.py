"""What the page's forms and buttons send: urlencoded, so every value comes as text."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bot.simulation.ncba.handsets import Handset
from bot.simulation.page.view import Drawer
from bot.simulation.served.control_bodies import ADVANCE_MAX_S, PhoneText
from flows.engine.event import FILE_BYTES_MAX, TEXT_LIMIT
from services.domain.payout_batch import ROWS_MAX

FAULTS = {
    "timeout-before": "cannot be reached",
    "http 500": "answers with an error (500)",
    "timeout-after": "does it, and its answer is lost",
    "slow 20s": "answers after 20 s",
}
PAYEES = {
    "pays": "is paid",
    "fails 2040": "fails: not on M-PESA (2040)",
    "fails 8": "fails: over their limit (8)",
    "fails 1": "fails: our account is short (1)",
    "silent": "is paid, and M-PESA never says so",
    "twice": "is paid, and M-PESA says so twice",
    "before-ack": "is paid before the order is answered",
    "late 24h": "is paid a day later",
    "fails 8 late 24h": "fails (8), and is paid a day later",
}
SAMPLES = (3, 12, 100, 1_000)  # rows
NAME_MAX = 255  # characters of a file's name
ALL_CALLS = "all"
ANSWER_MAX = 80  # characters of one answer on a phone (facts: USSD 2)
_CODE = re.compile(r"\*[0-9*]{1,126}#")
_Id = Annotated[str, Field(min_length=1, max_length=100)]


def _typed(text: str) -> str:
    if not text.strip():
        raise ValueError("nothing was typed")
    return text


def _code(text: str) -> str:
    if _CODE.fullmatch(text.strip()) is None:
        raise ValueError("a code is digits and *, from the first * to the # at its end")
    return text.strip()


def _named(name: str) -> str:
    if not (name.isprintable() and name.strip()):
        raise ValueError("a file's name is one line that can be read")
    return name


class PageBody(BaseModel):
    """``view`` is the tab that asks."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    view: _Id


class Say(PageBody):
    person: _Id
    text: Annotated[str, Field(max_length=TEXT_LIMIT), AfterValidator(_typed)]


class Dial(PageBody):
    """``text`` is the code."""

    person: _Id
    text: Annotated[str, AfterValidator(_code)]


class Press(PageBody):
    """``text`` answers the page of a phone that has dialled."""

    person: _Id
    text: Annotated[str, Field(max_length=ANSWER_MAX), AfterValidator(_typed)]


class Redial(PageBody):
    """``again``: the gateway sends the phone's last hop once more."""

    person: _Id
    what: Literal["dial", "again", "hang-up"]


class Tap(PageBody):
    """``data`` of an option of that message."""

    person: _Id
    message: _Id
    data: _Id


class SendFile(PageBody):
    """A file as it is."""

    person: _Id
    name: Annotated[str, Field(min_length=1, max_length=NAME_MAX), AfterValidator(_named)]
    content: Annotated[bytes, Field(max_length=FILE_BYTES_MAX)]


class SendSample(PageBody):
    """A file of so many good ``rows``."""

    person: _Id
    rows: Annotated[int, Field(ge=1, le=ROWS_MAX)]


class Look(PageBody):
    """What the tab shows from now on."""

    person: _Id | None = None
    phone: Literal["1", "2"] = "1"
    second: Literal["on", "off"] | None = None
    drawer: Drawer | None = None


class SetLanguage(PageBody):
    person: _Id
    language: Literal["en", "sw"]


class AnswerPrompt(PageBody):
    """``pin`` is what was typed, unless the payer does something else."""

    prompt: _Id
    pin: Annotated[str, Field(max_length=20)] = ""
    does: Handset = Handset.PAYS


class Advance(PageBody):
    seconds: Annotated[int, Field(ge=1, le=ADVANCE_MAX_S)] | Literal["due"]


class ArmFault(PageBody):
    fault: Literal["timeout-before", "http 500", "timeout-after", "slow 20s"]
    call: _Id
    times: Annotated[int, Field(ge=1, le=100)] = 1


class SetPayee(PageBody):
    """What M-PESA does with the next payout to that phone."""

    phone: PhoneText
    does: Literal[
        "pays",
        "fails 2040",
        "fails 8",
        "fails 1",
        "silent",
        "twice",
        "before-ack",
        "late 24h",
        "fails 8 late 24h",
    ]


class Tell(PageBody):
    """What becomes of the bank's notification of a paid prompt."""

    prompt: _Id
    how: Literal["now", "twice", "late", "never"]


class Act(PageBody):
    what: Literal["restart", "crash", "reset", "redeliver", "disarm"]


class PlayStory(PageBody):
    """``story`` begins it, empty stops the one that plays."""

    story: Annotated[str, Field(max_length=100)] | None = None
    do: Literal["pause", "resume", "next", "stop", "again"] | None = None
