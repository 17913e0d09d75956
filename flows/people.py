"""Owners invite and unlink their partner's people."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import Ask, Choose, Confirm, Do, End, Flow, Look, Option
from flows.parsers.people import PersonName
from services.domain.partner import Right


class PeopleData(BaseModel):
    model_config = ConfigDict(frozen=True)

    role: str | None = None
    who: str | None = None


INVITE = Flow(
    "invite",
    version=2,
    compatible_versions=(1,),
    data=PeopleData,
    start="role",
    needs=Right.INVITE,
    in_menu=False,
    nodes=(
        Choose(
            "role",
            options=tuple(
                Option(role, to="who", puts={"role": role}) for role in ("operator", "viewer")
            ),
        ),
        Ask("who", into="who", parse=PersonName(), to="known", free_text=True),
        Do(
            "known",
            use_case="name_own",
            args=("who",),
            on={"named": "confirm", "again": "who", "refused": "refused"},
            gives={"named": ("who",)},
        ),
        Confirm(
            "confirm",
            shows=("who", "role"),
            yes="make",
            edit={"who": "who", "role": "role"},
            after_edit="known",
        ),
        Do(
            "make",
            use_case="invite_own",
            args=("who", "role"),
            on={"made": "made", "refused": "refused"},
        ),
        End("made", opens=("invite", "people")),
        End("refused", opens=("invite", "people")),
    ),
)

PEOPLE = Flow(
    "people",
    version=1,
    data=PeopleData,
    start="list",
    needs=Right.INVITE,
    in_menu=False,
    nodes=(Look("list", view="own_people"),),
)

UNLINK = Flow(
    "unlink",
    version=2,
    compatible_versions=(1,),
    data=PeopleData,
    start="who",
    needs=Right.INVITE,
    in_menu=False,
    nodes=(
        Choose(
            "who",
            options=(),
            view="own_people",
            suggest="own_people",
            into="who",
            to="confirm",
            typed="name",
        ),
        Ask("name", into="who", parse=PersonName(), to="confirm", free_text=True),
        Confirm("confirm", shows=("who",), yes="do"),
        Do("do", use_case="unlink_own", args=("who",), on={"done": "done", "refused": "refused"}),
        End("done", opens=("people", "invite")),
        End("refused", opens=("unlink", "people")),
    ),
)
