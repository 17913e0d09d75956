"""The simulated Telegram posts updates as Telegram does, and reports how that goes."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import httpx
import pytest
from pydantic_core import from_json

from bot.simulation.clock import VirtualClock
from bot.simulation.telegram.server import TelegramApi
from tests.kit.telegram_caller import AMINA, Caller, calling
from tests.kit.virtual_time import advance, settle

URL = "https://desk.example/hook"
BARAKA = 78


class WebhookReceiver:
    """Gives the ``answers`` in turn, then 200; an update in ``held`` always gets 503."""

    def __init__(self) -> None:
        self.tries: list[int] = []
        self.taken: list[int] = []
        self.secrets: set[str | None] = set()
        self.answers: list[int | httpx.Response | Exception] = []
        self.held: set[int] = set()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int | httpx.Response:
        update_id = from_json(body)["update_id"]
        self.tries.append(update_id)
        self.secrets.add(headers.get("X-Telegram-Bot-Api-Secret-Token"))
        if update_id in self.held:
            return 503
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        if answer == 200:
            self.taken.append(update_id)
        return answer


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def receiver() -> WebhookReceiver:
    return WebhookReceiver()


@pytest.fixture
async def api(clock: VirtualClock, receiver: WebhookReceiver) -> AsyncIterator[TelegramApi]:
    api = TelegramApi(clock, post=receiver.post)
    yield api
    api.close()


@pytest.fixture
async def call(api: TelegramApi) -> AsyncIterator[Caller]:
    async with calling(api) as caller:
        yield caller


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://desk.example/", "bad webhook: An HTTPS URL must be provided for webhook"),
        ("http://127.0.0.1:8080/", "bad webhook: An HTTPS URL must be provided for webhook"),
        (
            "https://desk.example:9999/",
            "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
        ),
        ("https://127.0.0.1/", "bad webhook: IP address 127.0.0.1 is reserved"),
        ("https://localhost:8443/", "bad webhook: IP address 127.0.0.1 is reserved"),
        ("ftp://desk.example/", "invalid webhook URL specified"),
        ("https://desk.example:port/", "invalid webhook URL specified"),
    ],
)
async def test_addresses_that_telegram_posts_nothing_to(call: Caller, url: str, why: str):
    assert await call.refused("setWebhook", url=url) == f"Bad Request: {why}"
    assert (await call.done("getWebhookInfo"))["url"] == ""


@pytest.mark.parametrize("port", [80, 88, 443, 8443])
async def test_four_ports_are_allowed(call: Caller, port: int):
    assert await call.done("setWebhook", url=f"https://desk.example:{port}/")


@pytest.mark.parametrize(
    ("secret", "why"),
    [("with space", "contains unallowed characters"), ("x" * 257, "is too long")],
)
async def test_secrets_are_checked(call: Caller, secret: str, why: str):
    refused = await call.refused("setWebhook", url=URL, secret_token=secret)
    assert refused == f"Bad Request: secret token {why}"


async def test_plain_http_is_taken_only_where_that_was_chosen(
    clock: VirtualClock, receiver: WebhookReceiver
):
    api = TelegramApi(clock, post=receiver.post, local_webhook=True)
    async with calling(api) as call:
        await call.done("setWebhook", url="http://127.0.0.1:9999/hook", secret_token="s")
        update_id = api.user_types(AMINA, "a")
        await settle()
    assert (receiver.taken, receiver.secrets) == ([update_id], {"s"})
    api.close()


async def test_a_webhook_and_a_poll_exclude_each_other(call: Caller):
    polling = asyncio.create_task(call.refused("getUpdates", timeout=30))
    await settle()
    answer = await call("setWebhook", url=URL)
    assert answer["description"] == "Webhook was set"
    assert await polling == "Conflict: terminated by setWebhook request"
    assert (await call.refused("getUpdates")).startswith("Conflict: can't use getUpdates method")
    assert (await call("setWebhook", url=URL))["description"] == "Webhook is already set"
    assert (await call("deleteWebhook"))["description"] == "Webhook was deleted"
    assert (await call("deleteWebhook"))["description"] == "Webhook is already deleted"
    assert await call.updates(offset=1) == []


async def test_a_refused_update_comes_at_once_and_then_more_and_more_slowly(
    api: TelegramApi, call: Caller, receiver: WebhookReceiver, clock: VirtualClock
):
    receiver.answers = [503] * 9
    await call.done("setWebhook", url=URL)
    api.user_types(AMINA, "a")
    moments = []
    for second in range(260):
        await advance(clock, 1 if second else 0)
        moments += [second] * (len(receiver.tries) - len(moments))
    assert moments == [0, 0, 2, 6, 14, 30, 62, 122, 182, 242]
    assert api.unacknowledged == []


async def test_an_answer_may_say_when_to_come_again(
    api: TelegramApi, call: Caller, receiver: WebhookReceiver, clock: VirtualClock
):
    receiver.answers = [httpx.Response(429, headers={"retry-after": "7"}) for _ in range(2)]
    await call.done("setWebhook", url=URL)
    update_id = api.user_types(AMINA, "a")
    await advance(clock, 6.9)
    assert len(receiver.tries) == 1
    await advance(clock, 7)
    assert len(receiver.tries) == 2
    await advance(clock, 0.1)
    assert receiver.taken == [update_id]


async def test_an_update_that_is_refused_for_a_day_is_gone(
    api: TelegramApi, call: Caller, receiver: WebhookReceiver, clock: VirtualClock
):
    receiver.answers = [httpx.Response(503, headers={"retry-after": "3600"}) for _ in range(24)]
    await call.done("setWebhook", url=URL)
    api.user_types(AMINA, "a")
    for _ in range(24):
        await advance(clock, 3600)
    await advance(clock, 1)
    assert (receiver.taken, api.unacknowledged) in (([], []), (receiver.tries[-1:], []))
    assert len(receiver.tries) <= 25


async def test_a_refused_update_holds_up_only_its_own_queue(
    api: TelegramApi, call: Caller, receiver: WebhookReceiver
):
    await call.done("setWebhook", url=URL)
    stuck = api.user_types(AMINA, "a")
    receiver.held.add(stuck)
    behind, tap, other = (
        api.user_types(AMINA, "b"),
        api.user_taps(AMINA, 1, "1:yes"),
        api.user_types(BARAKA, "c"),
    )
    await settle()
    assert sorted(receiver.taken) == [tap, other]
    assert api.unacknowledged == [stuck, behind]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (503, "Wrong response from the webhook: 503 Service Unavailable"),
        (599, "Wrong response from the webhook: 599"),
        (httpx.ConnectError("refused"), "Can't connect to the webhook"),
        (httpx.ReadTimeout("slow"), "Read timeout expired"),
        (OSError("gone"), "Webhook connection closed"),
    ],
)
async def test_what_goes_wrong_is_told(
    api: TelegramApi,
    call: Caller,
    receiver: WebhookReceiver,
    clock: VirtualClock,
    answer: int | Exception,
    why: str,
):
    receiver.answers = [answer] * 2
    await call.done("setWebhook", url=URL, max_connections=1000, allowed_updates=["message"])
    info = await call.done("getWebhookInfo")
    assert info == {
        "url": URL,
        "has_custom_certificate": False,
        "pending_update_count": 0,
        "max_connections": 100,
        "allowed_updates": ["message"],
    }
    api.user_types(AMINA, "a")
    await settle()
    info = await call.done("getWebhookInfo")
    assert info["pending_update_count"] == 1
    assert info["last_error_message"] == why
    assert info["last_error_date"] == int(clock.now().timestamp())
    await call.done("deleteWebhook", drop_pending_updates=True)
    info = await call.done("getWebhookInfo")
    assert (info["url"], info["pending_update_count"]) == ("", 0)
    assert "last_error_message" not in info
