"""What each Telegram update means, even if somebody forged it."""

import json
from typing import Any

import pytest

from bot.channels.telegram.wire import (
    GroupMessage,
    IgnoredUpdate,
    Membership,
    UnreadableUpdate,
    read_update,
)
from flows.engine.event import TEXT_LIMIT, Event, EventKind

AMINA = {"id": 77, "is_bot": False, "first_name": "Amina"}
PRIVATE = {"id": 77, "type": "private"}
GROUP = {"id": -1001, "type": "supergroup", "title": "Shop"}


def update(kind: str, **content: Any) -> dict[str, Any]:
    return {"update_id": 1000, kind: content}


def message(**content: Any) -> dict[str, Any]:
    return update("message", message_id=5, **{"from": AMINA, "chat": PRIVATE} | content)


def tap(data: Any, chat: dict[str, Any] = PRIVATE) -> dict[str, Any]:
    carrier = {"message_id": 9, "chat": chat}
    return update("callback_query", id="q1", data=data, message=carrier, **{"from": AMINA})


def contact(user_id: int | None, **content: Any) -> dict[str, Any]:
    card = {"phone_number": "+254 712 345678", "first_name": "A", "user_id": user_id}
    return message(contact=card, **content)


def event(kind: EventKind, **fields: Any) -> Event:
    fields = {"message_id": "5"} | fields
    return Event("telegram", "77", "1000", kind, **fields)


def test_text_is_read():
    assert read_update(message(text="1,500")) == event(EventKind.TEXT, text="1,500")


def test_bytes_and_objects_read_alike():
    raw = message(text="/topup@hazina_bot 500")
    assert read_update(json.dumps(raw).encode()) == read_update(raw)
    assert read_update(raw) == event(EventKind.COMMAND, text="topup", argument="500")


def test_long_text_is_cut():
    read = read_update(message(text="x" * (TEXT_LIMIT + 1)))
    assert isinstance(read, Event)
    assert len(read.text) == TEXT_LIMIT


def test_address_is_the_sender_not_the_chat():
    read = read_update(message(text="hi", chat={"id": 5, "type": "private"}))
    assert isinstance(read, Event)
    assert read.address == "77"


def test_own_contact_proves_the_number():
    assert read_update(contact(77)) == event(EventKind.CONTACT, text="254712345678", option="own")


@pytest.mark.parametrize(
    "shared",
    [
        contact(78),
        contact(None),
        contact(77, forward_origin={"type": "user", "date": 1}),
        contact(77, forward_date=1),
    ],
    ids=["another's", "nobody's", "forwarded", "forwarded in the old form"],
)
def test_any_other_contact_proves_nothing(shared: dict[str, Any]):
    assert read_update(shared) == event(EventKind.CONTACT, option="other")


@pytest.mark.parametrize("content", [{"sticker": {}}, {"photo": []}, {"caption": "hi"}, {}])
def test_what_is_not_text_is_other(content: dict[str, Any]):
    assert read_update(message(**content)) == event(EventKind.OTHER)


def test_an_edit_carries_no_text():
    assert read_update(edited(text="9,999")) == event(EventKind.EDIT)


def test_a_picture_of_an_album_names_it():
    assert read_update(message(photo=[], media_group_id="13")) == event(
        EventKind.OTHER, argument="13"
    )


def edited(**content: Any) -> dict[str, Any]:
    return update("edited_message", message_id=5, **{"from": AMINA, "chat": PRIVATE} | content)


@pytest.mark.parametrize(
    "raw",
    [
        edited(location={"latitude": -1.28, "longitude": 36.8, "live_period": 28_800}),
        edited(caption="five pictures"),
        message(pinned_message={"message_id": 4}),
        message(message_auto_delete_timer_changed={"message_auto_delete_time": 86_400}),
        message(chat_background_set={}),
        message(write_access_allowed={}),
        message(users_shared={"request_id": 1, "users": []}),
        message(proximity_alert_triggered={}),
    ],
    ids=lambda raw: [*[*raw.values()][1]][-1],
)
def test_what_nobody_said_passes(raw: dict[str, Any]):
    assert read_update(raw) == IgnoredUpdate("77", 1000)


@pytest.mark.parametrize(
    "raw",
    [
        message(chat=GROUP, new_chat_members=[AMINA]),
        message(chat=GROUP, left_chat_member=AMINA),
        message(chat=GROUP, new_chat_title="Shop"),
        message(chat=GROUP, pinned_message={"message_id": 4, "text": "1,500"}),
        message(chat=GROUP, photo=[], caption="/balance"),
        message(chat=GROUP, location={"latitude": -1.28, "longitude": 36.8, "live_period": 60}),
        message(chat=GROUP, dice={"emoji": "🎲", "value": 6}),
        message(chat=GROUP, text="our new prices", is_automatic_forward=True),
        edited(chat=GROUP, text="/balance"),
    ],
    ids=lambda raw: [*[*raw.values()][1]][-1],
)
def test_in_a_group_only_what_is_typed_is_answered(raw: dict[str, Any]):
    assert read_update(raw) == IgnoredUpdate("-1001", 1000)


@pytest.mark.parametrize("kind", ["dice", "story", "poll", "venue", "checklist", "paid_media"])
def test_what_people_send_that_is_no_text_is_remarked_on(kind: str):
    assert read_update(message(**{kind: {}})) == event(EventKind.OTHER)


def test_a_tap_names_turn_and_option():
    expected = event(EventKind.TAP, turn=12, option="edit-amount", tap_id="q1", message_id="9")
    assert read_update(tap("12:edit-amount")) == expected


def test_a_tap_may_name_what_its_option_is_about():
    assert read_update(tap("0:again:tu-7k3qf9")).option == "again:tu-7k3qf9"


@pytest.mark.parametrize(
    "data",
    [None, "", "yes", ":yes", "1:", "-1:yes", "+1:yes", "01:yes", "1:Yes", "1:yes\n", "1:a b",
     "١:yes", "1:again:", "1:again:TU-7K3QF9", "1:again:tu:x", "9" * 16 + ":yes", "1:" + "a" * 49],
)  # fmt: skip
def test_a_forged_tap_names_nothing_but_can_be_answered(data: str | None):
    assert read_update(tap(data)) == event(EventKind.TAP, tap_id="q1", message_id="9")


def test_a_tap_in_a_group_names_nothing():
    assert read_update(tap("1:yes", GROUP)) == event(EventKind.TAP, tap_id="q1", message_id="9")


def test_a_tap_on_an_inline_message_names_nothing():
    raw = update("callback_query", id="q1", data="1:yes", **{"from": AMINA})
    assert read_update(raw) == event(EventKind.TAP, tap_id="q1", message_id=None)


@pytest.mark.parametrize("kind", ["group", "supergroup", "channel"])
def test_what_others_can_read_is_a_group_message(kind: str):
    raw = message(chat={"id": -1001, "type": kind}, text="/balance")
    assert read_update(raw) == GroupMessage(-1001, 1000)


@pytest.mark.parametrize(("status", "blocked"), [("kicked", True), ("member", False)])
def test_membership_says_who_shut_us_out(status: str, blocked: bool):
    raw = update(
        "my_chat_member", chat=PRIVATE, new_chat_member={"status": status}, **{"from": AMINA}
    )
    assert read_update(raw) == Membership("77", blocked, 1000)


@pytest.mark.parametrize(
    ("raw", "update_id", "why"),
    [
        (b"{", None, "not JSON"),
        (b"\xff\xfe", None, "not JSON"),
        (b"[]", None, "update: model_type"),
        (b"{}", None, "update_id: missing"),
        ({"update_id": "1000"}, None, "update_id: int_type"),
        ({"update_id": True}, None, "update_id: int_type"),
        (update("poll"), 1000, "a kind of update we did not ask for"),
        (message(text=["x"]), 1000, "message.text: string_type"),
        (message(text="\ud800"), 1000, "message.text: value_error"),
        (message(chat={"id": 2**63, "type": "private"}), 1000, "message.chat.id: less_than"),
        (update("message", message_id=5, chat=PRIVATE), 1000, "message.from: missing"),
        (update("my_chat_member", chat=GROUP, new_chat_member={"status": "left"},
                **{"from": AMINA}), 1000, "membership of a group"),
    ],
)  # fmt: skip
def test_the_rest_is_unreadable_and_says_why(
    raw: bytes | dict[str, Any], update_id: int | None, why: str
):
    assert read_update(raw) == UnreadableUpdate(update_id, why)


def test_why_it_is_unreadable_never_quotes_it():
    read = read_update(message(text={"secret": "1234"}))
    assert isinstance(read, UnreadableUpdate)
    assert "1234" not in read.why


def test_half_a_surrogate_pair_does_not_come_for_ever():
    raw = json.dumps(message(text="\ud83d")).encode()
    assert read_update(raw) == UnreadableUpdate(1000, "message.text: value_error")
