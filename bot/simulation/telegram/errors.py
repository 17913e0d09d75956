"""The Bot API's errors in one table: clients tell them apart by Telegram's own wording."""

from __future__ import annotations

from enum import Enum
from typing import Any


class ApiRefusal(Enum):
    """Code and text; braces hold facts of the call (facts: channels, Telegram)."""

    # The call itself
    UNAUTHORIZED = 401, "Unauthorized"
    NO_SUCH_TOKEN = 404, "Not Found"
    NO_SUCH_METHOD = 404, "Not Found: method not found"
    NO_SUCH_FILE = 404, "Not Found: file not found"
    UNREADABLE_BODY = 400, "Bad Request: can't parse the request's body"
    WRONG_FIELD = 400, 'Bad Request: can\'t parse field "{field}": {why}'
    TOO_LARGE = 413, "Request Entity Too Large"
    TOO_MANY = 429, "Too Many Requests: retry after {seconds}"
    NO_ANSWER = 504, "Gateway Timeout"  # ``ApiTransport`` raises a read timeout instead

    # Chats
    CHAT_EMPTY = 400, "Bad Request: chat_id is empty"
    CHAT_UNKNOWN = 400, "Bad Request: chat not found"
    NEVER_WROTE = 403, "Forbidden: bot can't initiate conversation with a user"
    BLOCKED = 403, "Forbidden: bot was blocked by the user"
    WRONG_ACTION = 400, "Bad Request: wrong parameter action in request"

    # Texts
    TEXT_EMPTY = 400, "Bad Request: message text is empty"
    TEXT_BLANK = 400, "Bad Request: text must be non-empty"
    TEXT_TOO_LONG = 400, "Bad Request: message is too long"
    CAPTION_TOO_LONG = 400, "Bad Request: message caption is too long"
    BYTES_TOO_MANY = 400, "Bad Request: text is too long"
    NO_SUCH_PARSE_MODE = 400, "Bad Request: unsupported parse_mode"
    CANT_PARSE = 400, "Bad Request: can't parse entities: {why}"
    WRONG_ENTITY = 400, "Bad Request: can't parse MessageEntity: {why}"
    ENTITY_URL_WRONG = 400, "Bad Request: entity URL '{url}' is invalid: Wrong HTTP URL"
    ENTITY_OFFSET = 400, "Bad Request: receive an entity with incorrect offset {offset}"
    ENTITY_LENGTH = 400, "Bad Request: receive an entity with incorrect length {length}"
    ENTITY_BEGINS_BEHIND = (
        400,
        "Bad Request: entity begins after the end of the text at UTF-16 offset {offset}",
    )
    ENTITY_ENDS_BEHIND = (
        400,
        "Bad Request: entity beginning at UTF-16 offset {offset} ends after the end of the text "
        "at UTF-16 offset {end}",
    )
    ENTITY_SPLITS = (
        400,
        "Bad Request: entity {verb} in a middle of a UTF-16 symbol at byte offset {offset}",
    )

    # Keyboards
    MARKUP_UNREADABLE = 400, "Bad Request: can't parse reply keyboard markup JSON object"
    MARKUP_NO_OBJECT = 400, "Bad Request: object expected as reply markup"
    INLINE_EXPECTED = 400, "Bad Request: inline keyboard expected"
    INLINE_UNREADABLE = 400, "Bad Request: can't parse inline keyboard button: {why}"
    KEYBOARD_UNREADABLE = 400, "Bad Request: can't parse keyboard button: {why}"
    BUTTON_TEXT_EMPTY = 400, "Bad Request: inline keyboard button text must be non-empty"
    BUTTON_URL_WRONG = (
        400,
        "Bad Request: inline keyboard button URL '{url}' is invalid: Wrong HTTP URL",
    )
    KEY_TEXT_EMPTY = 400, "Bad Request: keyboard button text must be non-empty"
    BUTTON_DATA_INVALID = 400, "Bad Request: BUTTON_DATA_INVALID"
    MARKUP_TOO_LONG = 400, "Bad Request: REPLY_MARKUP_TOO_LONG"
    PRIVATE_ONLY = 400, "Bad Request: {what} can be requested in private chats only"

    # Messages that are there, or not
    NOT_FOUND = 400, "Bad Request: message {purpose} not found"
    NO_MESSAGE_ID = 400, "Bad Request: message identifier is not specified"
    NOT_MODIFIED = (
        400,
        "Bad Request: message is not modified: specified new message content and reply markup "
        "are exactly the same as a current content and reply markup of the message",
    )
    NOT_EDITABLE = 400, "Bad Request: message can't be edited"
    NO_TEXT_TO_EDIT = 400, "Bad Request: there is no text in the message to edit"
    NO_CAPTION_TO_EDIT = 400, "Bad Request: there is no caption in the message to edit"
    NOT_DELETABLE = 400, "Bad Request: message can't be deleted for everyone"
    QUOTE_NOT_THERE = 400, "Bad Request: QUOTE_TEXT_INVALID"
    REPLY_UNREADABLE = 400, "Bad Request: can't parse reply parameters: {why}"

    # Taps
    TAP_TOO_OLD = (
        400,
        "Bad Request: query is too old and response timeout expired or query ID is invalid",
    )
    ALERT_TOO_LONG = 400, "Bad Request: MESSAGE_TOO_LONG"

    # Files
    NO_FILE = 400, "Bad Request: there is no {kind} in the request"
    FILE_EMPTY = 400, "Bad Request: file must be non-empty"
    WRONG_FILE_ID = (
        400,
        "Bad Request: wrong remote file identifier specified: can't unserialize it. "
        "Wrong last symbol",
    )
    WRONG_FILE_TYPE = 400, "Bad Request: can't use file of type {is_a} as {wanted}"
    NO_HTTP_CONTENT = 400, "Bad Request: failed to get HTTP URL content"
    INVALID_FILE_ID = 400, "Bad Request: invalid file_id"
    FILE_TOO_BIG = 400, "Bad Request: file is too big"

    # Updates and the webhook
    OTHER_POLL = (
        409,
        "Conflict: terminated by other getUpdates request; "
        "make sure that only one bot instance is running",
    )
    WEBHOOK_SET = 409, "Conflict: terminated by setWebhook request"
    WEBHOOK_ACTIVE = (
        409,
        "Conflict: can't use getUpdates method while webhook is active; "
        "use deleteWebhook to delete the webhook first",
    )
    WEBHOOK_URL_INVALID = 400, "Bad Request: invalid webhook URL specified"
    WEBHOOK_NO_HTTPS = 400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook"
    WEBHOOK_PORT = (
        400,
        "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
    )
    WEBHOOK_RESERVED = 400, "Bad Request: bad webhook: IP address {address} is reserved"
    WEBHOOK_NO_WAY = 400, "Bad Request: bad webhook: this simulator was given no way to post"
    SECRET_TOO_LONG = 400, "Bad Request: secret token is too long"
    SECRET_WRONG = 400, "Bad Request: secret token contains unallowed characters"

    # Menus
    COMMAND_INVALID = 400, "Bad Request: BOT_COMMAND_INVALID"
    COMMAND_UNDESCRIBED = 400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID"
    COMMANDS_TOO_MANY = 400, "Bad Request: BOT_COMMANDS_TOO_MUCH"
    SCOPE_UNKNOWN = 400, "Bad Request: can't parse BotCommandScope: Unsupported type specified"
    LANGUAGE_INVALID = 400, "Bad Request: LANG_CODE_INVALID"


class ApiError(Exception):
    """Answered as ``{"ok": false, "error_code": …, "description": …}``."""

    def __init__(self, refusal: ApiRefusal, **facts: object) -> None:
        code, words = refusal.value
        self.refusal = refusal
        self.code: int = code
        self.description = words.format(**facts)
        self.retry_after_s: int | None = None
        super().__init__(self.description)

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "ok": False,
            "error_code": self.code,
            "description": self.description,
        }
        if self.retry_after_s is not None:
            body["parameters"] = {"retry_after": self.retry_after_s}
        return body


def too_many(retry_after_s: int) -> ApiError:
    error = ApiError(ApiRefusal.TOO_MANY, seconds=retry_after_s)
    error.retry_after_s = retry_after_s
    return error
