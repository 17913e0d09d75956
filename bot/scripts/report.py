"""Reports a play's result."""

from __future__ import annotations

from bot.scripts.player import LineFailed


def failure(failed: LineFailed) -> str:
    """File, line, channel, what was expected, what was shown, and the last trail rows."""
    at = failed.at
    parts = [
        f"{at.file}:{at.line}: failed on {failed.channel}",
        _block("line", at.text),
        _block("expected", failed.expected),
        _block("came", failed.came),
        _block("trail", "\n".join(failed.trail) or "(empty)"),
    ]
    return "\n".join(parts)


def _block(title: str, text: str) -> str:
    return "\n".join([f"  {title}:", *(f"    {line}" for line in text.split("\n"))])
