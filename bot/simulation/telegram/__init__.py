"""Telegram's Bot API and its users, on one machine."""
