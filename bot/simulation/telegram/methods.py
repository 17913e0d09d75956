"""The Bot API without HTTP: dispatches method names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic import ValidationError

from bot.simulation.telegram import api_objects, requests
from bot.simulation.telegram.body import Upload
from bot.simulation.telegram.chats import Chats
from bot.simulation.telegram.errors import ApiError, ApiRefusal
from bot.simulation.telegram.files import ATTACHED, Files
from bot.simulation.telegram.menus import Menus
from bot.simulation.telegram.messages import Messages
from bot.simulation.telegram.taps import Taps
from bot.simulation.telegram.updates import Updates
from bot.simulation.telegram.webhook import Webhook, described, read_webhook
from bot.simulation.telegram.webhook_sender import WebhookSender
from services.ports import Clock

HELD_MAX_S = 50  # longest an empty poll is held (facts: channels, Telegram)
FILES = ("photo", "document")  # fields that may name another part of the body


@dataclass(frozen=True, slots=True)
class DescribedResult:
    """A result with a description."""

    result: bool
    description: str


Result: TypeAlias = bool | dict[str, Any] | list[dict[str, Any]] | DescribedResult


class Methods:
    def __init__(
        self,
        chats: Chats,
        files: Files,
        updates: Updates,
        push: WebhookSender | None,
        clock: Clock,
        *,
        local: bool = False,
        held_max_s: int = HELD_MAX_S,
    ) -> None:
        self._held_max_s = held_max_s
        self._updates = updates
        self._push = push
        self._local = local
        self.taps = Taps(clock)
        self.menus = Menus(chats)
        self.ignored: set[tuple[str, str]] = set()  # (method, field that it does not read)
        messages = Messages(chats, files, clock)
        acts: dict[str, tuple[type[requests.Request], Callable[[Any], Result]]] = {
            "getMe": (requests.Request, lambda _: api_objects.ME),
            "setWebhook": (requests.SetWebhook, self._set_webhook),
            "deleteWebhook": (requests.DeleteWebhook, self._delete_webhook),
            "getWebhookInfo": (requests.Request, lambda _: described(self._webhook, updates)),
            "sendMessage": (requests.SendMessage, messages.send_text),
            "sendPhoto": (requests.SendPhoto, messages.send_photo),
            "sendDocument": (requests.SendDocument, messages.send_document),
            "sendChatAction": (requests.SendChatAction, messages.chat_action),
            "editMessageText": (requests.EditMessageText, messages.edit_text),
            "editMessageCaption": (requests.EditMessageCaption, messages.edit_caption),
            "editMessageReplyMarkup": (requests.EditMessageReplyMarkup, messages.edit_markup),
            "deleteMessage": (requests.OfMessage, messages.delete),
            "answerCallbackQuery": (requests.AnswerCallbackQuery, self.taps.answer),
            "getFile": (requests.GetFile, lambda request: files.described(request.file_id)),
            "setMyCommands": (requests.SetMyCommands, self.menus.set),
            "deleteMyCommands": (requests.OfMenu, self.menus.delete),
            "getMyCommands": (requests.OfMenu, self.menus.get),
        }
        self._acts = {name.lower(): (name, *act) for name, act in acts.items()}

    async def call(self, method: str, parameters: dict[str, Any]) -> Result:
        """The answer's ``result``; method names are case-insensitive. Raises ``ApiError``."""
        try:
            if method.lower() == "getupdates":
                return await self._get_updates(requests.GetUpdates.model_validate(parameters))
            if method.lower() not in self._acts:
                raise ApiError(ApiRefusal.NO_SUCH_METHOD)
            name, model, act = self._acts[method.lower()]
            given = {field: value for field, value in parameters.items() if value is not None}
            attached = _attached(given)
            self.ignored |= {
                (name, field)
                for field, value in given.items()
                if field not in model.model_fields and value not in attached
            }
            return act(model.model_validate(given))
        except ValidationError as error:
            fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
            field = ".".join(map(str, fault["loc"]))
            raise ApiError(ApiRefusal.WRONG_FIELD, field=field, why=fault["msg"]) from error

    @property
    def _webhook(self) -> Webhook | None:
        return self._push.webhook if self._push else None

    def _get_updates(self, request: requests.GetUpdates) -> Awaitable[list[dict[str, Any]]]:
        if self._webhook is not None:
            raise ApiError(ApiRefusal.WEBHOOK_ACTIVE)
        self._updates.allow(request.allowed_updates)
        return self._updates.poll(
            request.offset, request.limit, min(request.timeout, self._held_max_s)
        )

    def _set_webhook(self, request: requests.SetWebhook) -> DescribedResult:
        if not request.url.strip():
            return self._delete_webhook(request)
        webhook = read_webhook(request, local=self._local)
        if self._push is None:
            raise ApiError(ApiRefusal.WEBHOOK_NO_WAY)
        self._updates.allow(request.allowed_updates)
        old = self._webhook
        same = old is not None and (old.url, old.secret, old.max_connections) == (
            webhook.url,
            webhook.secret,
            webhook.max_connections,
        )
        if same and not request.drop_pending_updates:
            return DescribedResult(True, "Webhook is already set")
        self._forget_if(request.drop_pending_updates)
        self._updates.end_poll(ApiRefusal.WEBHOOK_SET)
        self._push.start(webhook)
        return DescribedResult(True, "Webhook was set")

    def _delete_webhook(self, request: requests.DeleteWebhook) -> DescribedResult:
        self._forget_if(request.drop_pending_updates)
        was_on = self._webhook is not None
        if self._push is not None:
            self._push.stop()
        return DescribedResult(
            True, "Webhook was deleted" if was_on else "Webhook is already deleted"
        )

    def _forget_if(self, wanted: bool) -> None:
        if wanted:
            self._updates.drop_all()


def _attached(given: dict[str, Any]) -> list[Upload]:
    """Resolve ``attach://`` references; unknown ones stay unresolved."""
    attached = []
    for field in FILES:
        name = given.get(field)
        if isinstance(name, str) and name.startswith(ATTACHED):
            upload = given.get(name.removeprefix(ATTACHED))
            if isinstance(upload, Upload):
                given[field] = upload
                attached.append(upload)
    return attached
