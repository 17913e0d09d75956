"""The result of one check by ``hazina doctor``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"  # the desk serves, but perhaps not as intended
    FAULT = "fault"  # it does not start, does not serve, or exposes what it should protect


_MARKS = {Level.OK: "ok   ", Level.WARNING: "warn ", Level.FAULT: "WRONG"}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """``remedy`` is empty if the check passed."""

    what: str
    level: Level
    says: str
    remedy: str = ""

    @property
    def ok(self) -> bool:
        return self.level is not Level.FAULT

    def __str__(self) -> str:
        tail = f"\n      -> {self.remedy}" if self.remedy else ""
        return f"{_MARKS[self.level]} {self.what}: {self.says}{tail}"

    def to_json(self) -> dict[str, object]:
        return {
            "what": self.what,
            "ok": self.ok,
            "level": self.level.value,
            "says": self.says,
            "remedy": self.remedy,
        }


def passed(what: str, says: str) -> CheckResult:
    return CheckResult(what, Level.OK, says)


def warned(what: str, says: str, remedy: str) -> CheckResult:
    return CheckResult(what, Level.WARNING, says, remedy)


def failed(what: str, says: str, remedy: str) -> CheckResult:
    return CheckResult(what, Level.FAULT, says, remedy)
