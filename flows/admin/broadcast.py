"""A message to everybody: preview it, send it, and stop it if necessary."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from flows.engine.host import Host
from flows.engine.nodes import Ask, Confirm, Do, End, Flow, Look, Option
from services.domain.ids import Reference
from services.domain.partner import Right
from services.domain.refusal import Refusal

TEXT_MAX = 1_000  # characters


@dataclass(frozen=True)
class Announcement:
    """Several lines as typed, without invisible characters."""

    def __call__(self, text: str, host: Host) -> str | Refusal:
        seen = "".join(char for char in text if char == "\n" or char.isprintable()).strip()
        if not seen:
            return Refusal.of("too_short", least=1)
        return Refusal.of("too_long", most=TEXT_MAX) if len(seen) > TEXT_MAX else seen


class BroadcastData(BaseModel):
    """``people`` is the number of recipients, ``broadcast`` the reference."""

    model_config = ConfigDict(frozen=True)

    text: str | None = None
    people: int | None = None
    broadcast: Reference | None = None


_PAST = (Option("past", to="past"),)
_LISTED = (
    Look("past", view="broadcasts", into="broadcast", to="one"),
    Look("one", view="broadcast", args=("broadcast",), acts={"stop": "stop_broadcast"}),
)

BROADCAST = Flow(
    "broadcast",
    version=2,
    compatible_versions=(1,),
    data=BroadcastData,
    start="open",
    needs=Right.ADMIN,
    in_menu=False,
    nodes=(
        Do(
            "open",
            use_case="find_broadcast",
            args=(),
            on={"running": "running", "none": "text", "refused": "refused"},
            gives={"running": ("broadcast",)},
        ),
        Ask(
            "text",
            into="text",
            parse=Announcement(),
            to="count",
            free_text=True,
            options=_PAST,
        ),
        Do(
            "count",
            use_case="count_hearers",
            args=(),
            on={"counted": "confirm", "refused": "refused"},
            gives={"counted": ("people",)},
        ),
        Confirm(
            "confirm",
            shows=("text", "people"),
            yes="start",
            edit={"text": "text"},
            after_edit="count",
        ),
        Do(
            "start",
            use_case="start_broadcast",
            args=("text",),
            on={"started": "running", "refused": "refused"},
            gives={"started": ("broadcast",)},
            money=True,  # it cannot be undone either
        ),
        Look(
            "running",
            view="broadcast",
            args=("broadcast",),
            acts={"stop": "stop_broadcast"},
            options=_PAST,
        ),
        *_LISTED,
        End("refused"),
    ),
)


class BroadcastsData(BaseModel):
    model_config = ConfigDict(frozen=True)

    broadcast: Reference | None = None


# The list alone, for channels on which only a command leads away from a question of free text.
BROADCASTS = Flow(
    "broadcasts",
    version=1,
    data=BroadcastsData,
    start="past",
    needs=Right.ADMIN,
    in_menu=False,
    nodes=_LISTED,
)
