"""Stands in for the HTTP client: requests are serialised and answered as Telegram would."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from pydantic_core import to_json
from telegram.request import BaseRequest, RequestData

BOT_ID = 7_000_000_001
TOKEN = f"{BOT_ID}:measured-token-that-opens-nothing"
_ME = b'{"id":%d,"is_bot":true,"first_name":"Hazina","username":"hazina_bot"}' % BOT_ID
_MESSAGE = (
    '{"ok":true,"result":{"message_id":%d,"from":' + _ME.decode() + ',"chat":{"id":%s,'
    '"first_name":"Achieng","last_name":"Otieno","username":"achieng_otieno","type":"private"},'
    '"date":1772431200,"text":%s%s}}'
)

OnMessage = Callable[[str, dict[str, str]], None]  # the method and its parameters


class RequestStub(BaseRequest):
    """Does what PTB's client does up to ``httpx``, and calls ``on_message`` for each message."""

    def __init__(self) -> None:
        self.on_message: OnMessage = lambda method, parameters: None
        self._ids = count(1)

    @property
    def read_timeout(self) -> float | None:
        return None

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_: Any, **__: Any
    ) -> tuple[int, bytes]:
        parameters: dict[str, str] = {}
        if request_data is not None:
            assert not request_data.multipart_data
            parameters = request_data.json_parameters
        called = url.rpartition("/")[2]
        if called not in ("sendMessage", "editMessageText"):
            result = _ME if called == "getMe" else b"true"
            return 200, b'{"ok":true,"result":%b}' % result
        self.on_message(called, parameters)
        keyboard = parameters.get("reply_markup")
        shown = "" if keyboard is None else f',"reply_markup":{keyboard}'
        text = to_json(parameters["text"]).decode()
        answer = _MESSAGE % (next(self._ids), parameters["chat_id"], text, shown)
        return 200, answer.encode()
