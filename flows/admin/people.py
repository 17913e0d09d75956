"""Admins invite, list and unlink partners' people."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import Ask, Choose, Confirm, Do, End, Flow, Look, Option
from flows.parsers.people import KnownPartner, PersonName
from services.domain.partner import Right


class StaffData(BaseModel):
    model_config = ConfigDict(frozen=True)

    code: str | None = None
    role: str | None = None
    who: str | None = None


INVITING = Flow(
    "inviting",
    version=2,
    compatible_versions=(1,),
    data=StaffData,
    start="code",
    needs=Right.ADMIN,
    in_menu=False,
    command="invite",
    takes_argument=True,
    nodes=(
        Ask("code", into="code", parse=KnownPartner(), suggest="codes", to="role"),
        Choose(
            "role",
            options=tuple(
                Option(role, to="who", puts={"role": role})
                for role in ("owner", "operator", "viewer")
            ),
        ),
        Ask("who", into="who", parse=PersonName(), to="known", free_text=True),
        Do(
            "known",
            use_case="name_of",
            args=("code", "who"),
            on={"named": "confirm", "again": "who", "refused": "refused"},
            gives={"named": ("who",)},
        ),
        Confirm(
            "confirm",
            shows=("code", "who", "role"),
            yes="make",
            edit={"who": "who", "role": "role"},
            after_edit="known",
        ),
        Do(
            "make",
            use_case="invite_to",
            args=("code", "who", "role"),
            on={"made": "made", "refused": "refused"},
        ),
        End("made"),
        End("refused"),
    ),
)

STAFF = Flow(
    "staff",
    version=1,
    data=StaffData,
    start="code",
    needs=Right.ADMIN,
    in_menu=False,
    command="people",
    takes_argument=True,
    nodes=(
        Ask("code", into="code", parse=KnownPartner(), suggest="codes", to="list"),
        Look("list", view="people", args=("code",)),
    ),
)

UNLINKING = Flow(
    "unlinking",
    version=2,
    compatible_versions=(1,),
    data=StaffData,
    start="code",
    needs=Right.ADMIN,
    in_menu=False,
    command="unlink",
    takes_argument=True,
    nodes=(
        Ask("code", into="code", parse=KnownPartner(), suggest="codes", to="who"),
        Choose(
            "who",
            options=(),
            view="people",
            args=("code",),
            suggest="people",
            into="who",
            to="confirm",
            typed="name",
        ),
        Ask("name", into="who", parse=PersonName(), to="confirm", free_text=True),
        Confirm("confirm", shows=("code", "who"), yes="do"),
        Do(
            "do",
            use_case="unlink_from",
            args=("code", "who"),
            on={"done": "done", "refused": "refused"},
        ),
        End("done"),
        End("refused"),
    ),
)
