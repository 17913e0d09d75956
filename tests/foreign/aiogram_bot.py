"""A third-party bot built on aiogram. Run by tests/foreign/test_foreign_bots.py:

python aiogram_bot.py BASE_URL TOKEN (polling | webhook)
"""

from __future__ import annotations

import asyncio
import io
import sys

from aiogram import Bot, Dispatcher, F
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.filters import Command, CommandStart
from aiogram.types import (
    BufferedInputFile,
    CallbackQuery,
    ChatMemberUpdated,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    Message,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web

SECRET = "only-for_this-test"
REPORT = b"%PDF a report\r\n--\x00\xff"
CHOICE = InlineKeyboardMarkup(
    inline_keyboard=[[InlineKeyboardButton(text="Go on", callback_data="go")]]
)
SHARE = ReplyKeyboardMarkup(
    keyboard=[[KeyboardButton(text="Share", request_contact=True)]], resize_keyboard=True
)

dispatcher = Dispatcher()


@dispatcher.message(CommandStart())
async def start(message: Message) -> None:
    await message.answer("Choose", reply_markup=CHOICE)


@dispatcher.callback_query(F.data == "go")
async def go(tap: CallbackQuery) -> None:
    await tap.answer("Going")
    if isinstance(tap.message, Message):
        await tap.message.edit_text(f"Chosen: {tap.message.text}")


@dispatcher.message(Command("report"))
async def report(message: Message, bot: Bot) -> None:
    sent = await message.answer_document(BufferedInputFile(REPORT, "report.pdf"), caption="Here")
    assert sent.document is not None
    loaded = await bot.download(sent.document, io.BytesIO())
    assert loaded is not None
    await message.answer("The same" if loaded.read() == REPORT else "Another")


@dispatcher.message(F.document)
async def received(message: Message, bot: Bot) -> None:
    assert message.document is not None
    loaded = await bot.download(message.document, io.BytesIO())
    assert loaded is not None
    await message.reply(f"{message.document.file_name} of {len(loaded.read())} bytes")


@dispatcher.message(Command("contact"))
async def contact(message: Message) -> None:
    await message.answer("Your number?", reply_markup=SHARE)


@dispatcher.message(F.contact)
async def shared(message: Message) -> None:
    assert message.contact is not None
    await message.answer(
        f"Yours is {message.contact.phone_number}", reply_markup=ReplyKeyboardRemove()
    )


@dispatcher.message(Command("name"))
async def name(message: Message) -> None:
    await message.answer("Your name?", reply_markup=ForceReply())


@dispatcher.message(F.reply_to_message.text == "Your name?")
async def named(message: Message) -> None:
    await message.reply(f"Karibu, <b>{message.text}</b>", parse_mode="HTML")


@dispatcher.my_chat_member(F.new_chat_member.status == "member")
async def back(change: ChatMemberUpdated, bot: Bot) -> None:
    await bot.send_message(change.chat.id, f"Welcome back, {change.from_user.first_name}")


async def main(base_url: str, token: str, intake: str) -> None:
    session = AiohttpSession(api=TelegramAPIServer.from_base(base_url))
    async with Bot(token, session=session) as bot:
        if intake == "polling":
            await dispatcher.start_polling(bot)
            return
        app = web.Application()
        SimpleRequestHandler(dispatcher, bot, secret_token=SECRET).register(app, "/hook")
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        await bot.set_webhook(f"http://127.0.0.1:{port}/hook", secret_token=SECRET)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
