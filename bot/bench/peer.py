"""The bot we compare with: the same screens, written like python-telegram-bot's examples.

``ConversationHandler`` and all its state are in memory; nothing is written to disk.
"""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from pydantic_core import from_json
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import (
    ApplicationBuilder,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    ConversationHandler,
    MessageHandler,
    filters,
)
from telegram.warnings import PTBUserWarning

from bot.bench.request_stub import TOKEN, RequestStub
from bot.bench.scripted_chat import Feed

AMOUNT, PAYER, CONFIRM = range(3)
NAIROBI = ZoneInfo("Africa/Nairobi")
HOW_MUCH = "How much would you like to add? Type an amount in shillings, such as 1,500."
NO_AMOUNT = "That is not an amount. Write it in figures, such as 1,500."
CANCELLED = "Cancelled. Nothing was sent and no money has moved."
PHONE = "0700 000 000"

Context: TypeAlias = ContextTypes.DEFAULT_TYPE


@asynccontextmanager
async def peer() -> AsyncIterator[tuple[Feed, RequestStub]]:
    request = RequestStub()
    builder = ApplicationBuilder().token(TOKEN).updater(None)
    application = builder.request(request).get_updates_request(RequestStub()).build()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PTBUserWarning)  # taps are tracked per chat, as ours are
        conversation = _conversation()
    application.add_handler(conversation)
    application.add_handler(CommandHandler("balance", balance))
    application.add_handler(CallbackQueryHandler(refresh, pattern="^refresh$"))
    application.add_handler(CallbackQueryHandler(menu, pattern="^menu$"))

    async def feed(raw: bytes) -> None:
        await application.process_update(Update.de_json(from_json(raw), application.bot))

    async with application:
        yield feed, request


def _conversation() -> ConversationHandler[Context]:
    return ConversationHandler(
        entry_points=[CommandHandler("topup", ask_amount)],
        states={
            AMOUNT: [MessageHandler(filters.TEXT & ~filters.COMMAND, take_amount)],
            PAYER: [
                CallbackQueryHandler(ask_confirm, pattern="^mine$"),
                CallbackQueryHandler(ask_amount, pattern="^back$"),
            ],
            CONFIRM: [
                CallbackQueryHandler(ask_payer, pattern="^back$"),
                CallbackQueryHandler(edit_amount, pattern="^edit-amount$"),
            ],
        },
        fallbacks=[CallbackQueryHandler(cancel, pattern="^cancel$")],
    )


def keyboard(*rows: tuple[tuple[str, str], ...]) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(label, callback_data=data) for label, data in row] for row in rows]
    )


async def answer(update: Update, text: str, buttons: InlineKeyboardMarkup) -> None:
    """Send a new message below the last, as our screens do, and answer a tap."""
    if update.callback_query is not None:
        await update.callback_query.answer()
    assert update.effective_message is not None
    await update.effective_message.reply_text(text, reply_markup=buttons)


async def ask_amount(update: Update, context: Context, before: str = "") -> int:
    assert context.user_data is not None
    back = (("Back", "back"),) if context.user_data.get("edits") else ()
    buttons = keyboard(
        (("500", "amount-1"), ("1,000", "amount-2"), ("5,000", "amount-3")),
        (*back, ("Cancel", "cancel")),
    )
    await answer(update, f"{before}{HOW_MUCH}", buttons)
    return AMOUNT


async def edit_amount(update: Update, context: Context) -> int:
    assert context.user_data is not None
    context.user_data["edits"] = True
    return await ask_amount(update, context)


async def take_amount(update: Update, context: Context) -> int:
    assert update.message is not None
    assert context.user_data is not None
    typed = (update.message.text or "").replace(",", "")
    if not typed.isdigit() or not 10 <= int(typed) <= 250_000:
        return await ask_amount(update, context, f"{NO_AMOUNT}\n\n")
    context.user_data["amount"] = int(typed)
    if context.user_data.pop("edits", False):
        return await ask_confirm(update, context)
    return await ask_payer(update, context)


async def ask_payer(update: Update, context: Context) -> int:
    assert context.user_data is not None
    buttons = keyboard(
        ((f"My number, {PHONE}", "mine"),),
        (("Another number", "other"),),
        (("Back", "back"), ("Cancel", "cancel")),
    )
    await answer(update, f"Pay KES {context.user_data['amount']:,} from which phone?", buttons)
    return PAYER


async def ask_confirm(update: Update, context: Context) -> int:
    assert context.user_data is not None
    amount = context.user_data["amount"]
    buttons = keyboard(
        (("Yes, send it", "yes"),),
        (("Change amount", "edit-amount"), ("Change phone", "edit-phone")),
        (("Back", "back"), ("Cancel", "cancel")),
    )
    await answer(update, f"Send an M-PESA prompt for KES {amount:,} to {PHONE}?", buttons)
    return CONFIRM


async def cancel(update: Update, context: Context) -> int:
    assert context.user_data is not None
    context.user_data.clear()
    await answer(update, CANCELLED, main_menu())
    return ConversationHandler.END


async def menu(update: Update, context: Context) -> None:
    await answer(update, "Hello Person 0. What would you like to do for P00000?", main_menu())


def main_menu() -> InlineKeyboardMarkup:
    return keyboard(
        (("Top up", "topup"), ("Buy float", "float")),
        (("Balance", "balance"), ("History", "history")),
        (("Settings", "settings"), ("Help", "help")),
        (("Pay a customer", "pay"),),
    )


def balance_screen() -> dict[str, Any]:
    at = datetime.now(NAIROBI)
    text = (
        f"P00000 at {at:%d %b %Y, %H:%M}\n"
        "Wallet: KES 0 (low: below your alert level of KES 10,000)\n"
        "Available: KES 0\nB2C float: KES 0"
    )
    buttons = keyboard((("Refresh", "refresh"), ("Menu", "menu")))
    return {"text": text, "reply_markup": buttons}


async def balance(update: Update, context: Context) -> None:
    assert update.message is not None
    await update.message.reply_text(**balance_screen(), protect_content=True)


async def refresh(update: Update, context: Context) -> None:
    assert update.callback_query is not None
    await update.callback_query.answer()
    await update.callback_query.edit_message_text(**balance_screen())
