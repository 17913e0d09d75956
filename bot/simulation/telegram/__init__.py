"""Telegram's Bot API and the people behind it, on one machine."""
