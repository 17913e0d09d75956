"""Texts of the engine that its tests look for."""

from __future__ import annotations

MOVED_ON = "That menu has moved on. Please use the newest message."
MENU = ["topup", "float", "balance", "history", "settings", "help", "pay"]


PLACES = {
    "amount": lambda chat: chat.begin(),
    "payer": lambda chat: chat.begin().say("1500"),
    "confirm": lambda chat: chat.to_confirm(),
    "push": lambda chat: chat.to_push(),
    "resume": lambda chat: chat.to_confirm().command("topup"),
    "balance": lambda chat: chat.command("balance"),
    "menu": lambda chat: chat.command("menu"),
}
