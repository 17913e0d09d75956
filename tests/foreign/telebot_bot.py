"""A third-party bot built on pyTelegramBotAPI. Run by tests/foreign/test_foreign_bots.py:

python telebot_bot.py BASE_URL TOKEN (polling | webhook)
"""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO

import telebot
from telebot import apihelper
from telebot.types import (
    CallbackQuery,
    ChatMemberUpdated,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    KeyboardButton,
    Message,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyParameters,
    Update,
)

SECRET = "only-for_this-test"
REPORT = b"%PDF a report\r\n--\x00\xff"


def answer(bot: telebot.TeleBot) -> None:
    """Register the bot's handlers."""

    @bot.message_handler(commands=["start"])
    def start(message: Message) -> None:
        choice = InlineKeyboardMarkup()
        choice.add(InlineKeyboardButton("Go on", callback_data="go"))
        bot.send_message(message.chat.id, "Choose", reply_markup=choice)

    @bot.callback_query_handler(func=lambda tap: tap.data == "go")
    def go(tap: CallbackQuery) -> None:
        bot.answer_callback_query(tap.id, "Going")
        bot.edit_message_text(
            f"Chosen: {tap.message.text}", tap.message.chat.id, tap.message.message_id
        )

    @bot.message_handler(commands=["report"])
    def report(message: Message) -> None:
        sent = bot.send_document(
            message.chat.id, InputFile(BytesIO(REPORT), "report.pdf"), caption="Here"
        )
        loaded = bot.download_file(bot.get_file(sent.document.file_id).file_path)
        bot.send_message(message.chat.id, "The same" if loaded == REPORT else "Another")

    @bot.message_handler(content_types=["document"])
    def received(message: Message) -> None:
        loaded = bot.download_file(bot.get_file(message.document.file_id).file_path)
        bot.reply_to(message, f"{message.document.file_name} of {len(loaded)} bytes")

    @bot.message_handler(commands=["contact"])
    def contact(message: Message) -> None:
        share = ReplyKeyboardMarkup(resize_keyboard=True)
        share.add(KeyboardButton("Share", request_contact=True))
        bot.send_message(message.chat.id, "Your number?", reply_markup=share)

    @bot.message_handler(content_types=["contact"])
    def shared(message: Message) -> None:
        words = f"Yours is {message.contact.phone_number}"
        bot.send_message(message.chat.id, words, reply_markup=ReplyKeyboardRemove())

    @bot.message_handler(commands=["name"])
    def name(message: Message) -> None:
        bot.send_message(message.chat.id, "Your name?", reply_markup=ForceReply())

    @bot.message_handler(
        func=lambda m: m.reply_to_message and m.reply_to_message.text == "Your name?"
    )
    def named(message: Message) -> None:
        bot.send_message(
            message.chat.id,
            f"Karibu, <b>{message.text}</b>",
            parse_mode="HTML",
            reply_parameters=ReplyParameters(message.message_id),
        )

    @bot.my_chat_member_handler(func=lambda change: change.new_chat_member.status == "member")
    def back(change: ChatMemberUpdated) -> None:
        bot.send_message(change.chat.id, f"Welcome back, {change.from_user.first_name}")


class Hook(BaseHTTPRequestHandler):
    bot: telebot.TeleBot

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers["X-Telegram-Bot-Api-Secret-Token"] != SECRET:
            self.send_error(403)
            return
        self.bot.process_new_updates([Update.de_json(body.decode())])
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()


def main(base_url: str, token: str, intake: str) -> None:
    apihelper.API_URL = base_url + "/bot{0}/{1}"
    apihelper.FILE_URL = base_url + "/file/bot{0}/{1}"
    bot = telebot.TeleBot(token)
    answer(bot)
    if intake == "polling":
        bot.infinity_polling(long_polling_timeout=10, allowed_updates=[])
        return
    Hook.bot = bot
    server = HTTPServer(("127.0.0.1", 0), Hook)
    bot.set_webhook(f"http://127.0.0.1:{server.server_port}/hook", secret_token=SECRET)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
