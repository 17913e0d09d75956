"""Inline keyboards and reply keyboards, as calls send them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic_core import from_json

from bot.simulation.telegram.entities import is_link
from bot.simulation.telegram.errors import ApiError, ApiRefusal

DATA_LIMIT = 64  # bytes of a button's data (facts: channels, Telegram)
BUTTONS_MAX = 100  # per inline keyboard

# Button actions, in the order in which the Bot API server looks for them.
_DOES = (
    "url",
    "callback_data",
    "callback_game",
    "pay",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "login_url",
    "web_app",
    "copy_text",
)
_REQUESTS = {
    "request_contact": "phone number",
    "request_location": "location",
    "request_poll": "poll",
}


@dataclass(frozen=True, slots=True)
class InlineButton:
    text: str
    does: str
    value: Any

    @property
    def data(self) -> str:
        """What a tap sends, or where a link leads."""
        return self.value if isinstance(self.value, str) else ""


@dataclass(frozen=True, slots=True)
class InlineKeyboard:
    rows: tuple[tuple[InlineButton, ...], ...]

    def shown(self) -> dict[str, Any]:
        return {
            "inline_keyboard": [[{"text": b.text, b.does: b.value} for b in r] for r in self.rows]
        }


@dataclass(frozen=True, slots=True)
class ReplyKeyboard:
    """``asks`` is what the button shares: ``request_contact``, or nothing if it types its text."""

    rows: tuple[tuple[tuple[str, str], ...], ...]


@dataclass(frozen=True, slots=True)
class RemoveKeyboard:
    pass


@dataclass(frozen=True, slots=True)
class ForceReply:
    pass


Keyboard: TypeAlias = InlineKeyboard | ReplyKeyboard | RemoveKeyboard | ForceReply


def read_keyboard(given: object, *, private: bool) -> Keyboard | None:
    """A call's ``reply_markup``. Raises ``ApiError``."""
    if given is None or given == "":
        return None
    if isinstance(given, str):
        try:
            given = from_json(given)
        except ValueError as error:
            raise ApiError(ApiRefusal.MARKUP_UNREADABLE) from error
    if not isinstance(given, dict):
        raise ApiError(ApiRefusal.MARKUP_NO_OBJECT)
    if "keyboard" in given:
        keys = [[_key(key, private) for key in row] for row in _rows(given["keyboard"], "keyboard")]
        return ReplyKeyboard(_filled(keys)) if _filled(keys) else None
    if "inline_keyboard" in given:
        return _inline(given["inline_keyboard"])
    if given.get("remove_keyboard"):
        return RemoveKeyboard()
    if given.get("force_reply"):
        return ForceReply()
    return None


def read_inline(given: object) -> InlineKeyboard | None:
    """An edit's keyboard: a message can only be given an inline keyboard later."""
    keyboard = read_keyboard(given, private=True)
    if keyboard is not None and not isinstance(keyboard, InlineKeyboard):
        raise ApiError(ApiRefusal.INLINE_EXPECTED)
    return keyboard


def _inline(given: object) -> InlineKeyboard | None:
    rows = _filled([[_button(button) for button in row] for row in _rows(given, "inline_keyboard")])
    if sum(map(len, rows)) > BUTTONS_MAX:
        raise ApiError(ApiRefusal.MARKUP_TOO_LONG)
    return InlineKeyboard(rows) if rows else None


def _rows(given: object, field: str) -> list[list[object]]:
    if not isinstance(given, list) or not all(isinstance(row, list) for row in given):
        why = f'Field "{field}" of the ReplyMarkup must be an Array of Arrays'
        raise ApiError(ApiRefusal.WRONG_FIELD, field="reply_markup", why=why)
    return given


def _filled(rows: list[list[Any]]) -> tuple[tuple[Any, ...], ...]:
    return tuple(tuple(row) for row in rows if row)


def _button(given: object) -> InlineButton:
    if not isinstance(given, dict):
        raise ApiError(ApiRefusal.INLINE_UNREADABLE, why="InlineKeyboardButton must be an Object")
    text = given.get("text")
    if not isinstance(text, str):
        raise ApiError(ApiRefusal.INLINE_UNREADABLE, why='Can\'t find field "text"')
    does = next((field for field in _DOES if _is_given(given, field)), None)
    if does is None:
        why = "Text buttons are unallowed in the inline keyboard"
        raise ApiError(ApiRefusal.INLINE_UNREADABLE, why=why)
    if not text.strip():
        raise ApiError(ApiRefusal.BUTTON_TEXT_EMPTY)
    value = given[does]
    if does == "callback_data" and len(str(value).encode("utf-8", "replace")) > DATA_LIMIT:
        raise ApiError(ApiRefusal.BUTTON_DATA_INVALID)
    if does == "url" and not is_link(str(value)):
        raise ApiError(ApiRefusal.BUTTON_URL_WRONG, url=value)
    return InlineButton(text, does, value)


def _is_given(button: dict[str, Any], field: str) -> bool:
    if field.startswith("switch_inline_query"):
        return field in button  # an empty one opens an empty query
    return bool(button.get(field))


def _key(given: object, private: bool) -> tuple[str, str]:
    if isinstance(given, str):
        given = {"text": given}
    if not isinstance(given, dict):
        raise ApiError(ApiRefusal.KEYBOARD_UNREADABLE, why="KeyboardButton must be an Object")
    text = given.get("text")
    if not isinstance(text, str):
        raise ApiError(ApiRefusal.KEYBOARD_UNREADABLE, why='Can\'t find field "text"')
    if not text.strip():
        raise ApiError(ApiRefusal.KEY_TEXT_EMPTY)
    asks = next((field for field in _REQUESTS if given.get(field)), "")
    if asks and not private:
        raise ApiError(ApiRefusal.PRIVATE_ONLY, what=_REQUESTS[asks])
    return text, asks
