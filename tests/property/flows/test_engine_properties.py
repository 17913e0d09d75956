"""Invariants of a conversation after every step, whatever people send and in whatever order."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from flows.engine.session import FlowRegistry, Session
from tests.kit.engine_happenings import (
    BEGINNINGS,
    Happening,
    answers,
    commands,
    happenings,
    repeats,
    says,
    taps,
)
from tests.kit.engine_talk import Talk


def test_the_short_cuts_lead_where_they_say() -> None:
    places = {}
    for name, beginning in BEGINNINGS.items():
        talk = Talk()
        for happening in beginning:
            happening(talk)
        places[name] = talk.session.at
    assert places == {
        "nowhere": None,
        "confirm": "topup.confirm",
        "push": "topup.push",
        "duplicate": "topup.duplicate",
        "code": "topup.code",
        "topup pin": "topup.pin",
        "float": "float.confirm",
        "float code": "float.code",
        "float pin": "float.pin",
        "pin": "pin.code",
        "pin again": "pin.again",
        "float buy": "float.buy",
        "short": "float.short",
    }


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(BEGINNINGS)), st.lists(happenings, max_size=30))
# Rarely generated: to float for another amount, and from float to a top-up by hand.
@example("float", [repeats("other", "TU-AAAAAA"), taps(0), says("1500", False), taps(1)])
@example("pin", [commands("settings"), taps(25)])
@example("short", [taps(0), taps(32), taps(0)])
@example("short", [taps(0), taps(32), answers("waiting"), taps(0)])
def test_whatever_happens_the_conversation_holds(beginning: str, happened: list[Happening]) -> None:
    talk = Talk()
    for happening in (*BEGINNINGS[beginning], *happened):
        happening(talk)


@settings(max_examples=100, deadline=None)
@given(st.lists(happenings, max_size=30))
def test_the_same_happenings_lead_to_the_same_place(happened: list[Happening]) -> None:
    ends = []
    for _ in range(2):
        talk = Talk()
        for happening in happened:
            happening(talk)
        ends.append((talk.session.dump(), talk.session.turn, talk.host.runs, talk.up))
    assert ends[0] == ends[1]


def test_the_frames_of_another_program_are_never_met() -> None:
    """A stored conversation of a flow that no longer exists is closed, whatever it contained."""
    talk = Talk()
    for happening in BEGINNINGS["push"]:
        happening(talk)
    loaded = Session.load(FlowRegistry(), talk.session.turn, talk.session.dump())
    assert (loaded.active, loaded.parked, loaded.turn) == (None, {}, talk.session.turn)
