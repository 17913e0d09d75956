"""``hazina run``: runs the real program until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from dataclasses import asdict

import structlog

from bot.app import MONEY_CALL_S
from bot.bootstrap import Dependencies, open_app
from bot.channels.telegram.adapter import TelegramAdapter, serve_telegram, webhook_routes
from bot.channels.telegram.client import open_bot
from bot.channels.telegram.sender import TelegramChannel
from bot.environment.network import read_network
from bot.http.api.routes import api_refusal, api_routes
from bot.http.dashboard.routes import dashboard_routes
from bot.http.health import health_routes
from bot.http.request_limits import bare_refusal
from bot.http.routes import inbound_routes
from bot.http.server import serving, try_port
from bot.observe import log
from bot.runtime import interpreter
from bot.serving.descriptors import reserve_descriptors
from bot.settings import Settings

_log = structlog.get_logger(__name__)


async def serve(settings: Settings) -> None:
    """Run until SIGINT, SIGTERM, or the terminal is closed (SIGHUP, unless ``nohup`` ignores it).

    Raises ``bot.channels.telegram.identity.BotMisconfigured``,
    ``bot.serving.descriptors.TooFewDescriptors``, ``bot.http.server.PortUnavailable``, and what
    ``open_app`` raises.
    """
    assert settings.telegram_bot_token is not None
    await try_port(settings.http_host, settings.http_port)
    descriptors = reserve_descriptors()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signum is not signal.SIGHUP or signal.getsignal(signum) is not signal.SIG_IGN:
            loop.add_signal_handler(signum, stop.set)
    async with AsyncExitStack() as stack:
        if (configured := log.configured()) is not None:
            await stack.enter_async_context(configured.reporting_repeats())
        bot = open_bot(
            settings.telegram_bot_token.get_secret_value(),
            base_url=settings.telegram_base_url,
            network=read_network(),
        )
        stack.push_async_callback(bot.shutdown)
        dependencies = Dependencies(
            channels={"telegram": TelegramChannel(bot)}, waits_max=descriptors.waiting
        )
        app = await open_app(settings, dependencies, stack)
        _log.info("descriptors", **asdict(descriptors))
        await app.start()
        interpreter.tune(gc_freeze=settings.gc_freeze, switch_interval_s=settings.switch_interval_s)
        try:
            adapter = TelegramAdapter(app, bot)
            routes = [
                *health_routes(app),
                *webhook_routes(adapter, settings),
                *inbound_routes(app, settings),
                *dashboard_routes(app, settings),
                *(api_routes(app) if settings.api else ()),
            ]
            async with serving(
                routes,
                settings.http_host,
                settings.http_port,
                stop,
                connections_max=descriptors.inbound,
                proxies=settings.forwarded_allow_ips,
                refusal=api_refusal if settings.api else bare_refusal,
            ):
                try:
                    await serve_telegram(app, adapter, bot, settings, dependencies.clock, stop)
                finally:
                    app.waits.close()  # the server waits for open requests, then cuts them off
        finally:
            _log.info("stopping")
            await app.stop(MONEY_CALL_S)
