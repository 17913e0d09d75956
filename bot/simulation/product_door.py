"""The product's HTTP routes as the outside reaches them, through its restarts and kills."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.http.api.routes import api_refusal

RETURN_S = 10.0  # real seconds that a request waits for the product to come back
FINISH_S = 5.0  # real seconds that requests under way get before a clean stop


class ProductDoor:
    """An ASGI app. What was under way when the product was killed is answered with 503, as is what
    has waited too long for it to come back: nobody else would answer."""

    def __init__(self) -> None:
        self._product: ASGIApp | None = None
        self._opened = asyncio.Event()
        self._is_closed = False
        # In order, since the same story must end them in the same order.
        self._under_way: dict[asyncio.Task[None], None] = {}

    def open(self, product: ASGIApp) -> None:
        if not self._is_closed:
            self._product = product
            self._opened.set()

    async def finish(self) -> None:
        """Let nobody in, and wait until those inside have left or their time is over."""
        self._shut()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=FINISH_S)
        await asyncio.gather(*self.abort(), return_exceptions=True)

    def abort(self) -> list[asyncio.Task[None]]:
        """Let nobody in, and cut off those inside. Returns what is then to be waited for."""
        self._shut()
        for task in self._under_way:
            task.cancel()
        return list(self._under_way)

    def close(self) -> list[asyncio.Task[None]]:
        """As ``abort``, for good: nobody waits for the product any more."""
        self._is_closed = True
        cut_off = self.abort()
        self._opened.set()
        return cut_off

    def _shut(self) -> None:
        self._product = None
        self._opened.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def begin(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        product = await self._wait_for_product()
        if product is not None and await self._pass_on(product, scope, receive, begin):
            return
        if not begun:
            await api_refusal(scope, 503)(scope, receive, send)

    async def _wait_for_product(self) -> ASGIApp | None:
        try:
            async with asyncio.timeout(RETURN_S):
                while self._product is None and not self._is_closed:
                    await self._opened.wait()
        except TimeoutError:
            return None
        return self._product

    async def _pass_on(self, product: ASGIApp, scope: Scope, receive: Receive, send: Send) -> bool:
        """Whether the product lived to answer."""
        task = asyncio.ensure_future(_handled(product, scope, receive, send))
        self._under_way[task] = None
        task.add_done_callback(self._under_way.pop)
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()  # the caller itself was cancelled
        if task.cancelled():
            return False
        task.result()
        return True


async def _handled(product: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await product(scope, receive, send)
