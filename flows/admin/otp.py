"""One-time codes of a phone or an operation, and unlocking a number."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from flows.engine.host import Host
from flows.engine.nodes import Ask, Choose, Confirm, Do, End, Flow, Look, Option
from flows.parsers.terms import OperationReference
from flows.parsers.values import read_mobile
from services.domain.partner import Right
from services.domain.phone import Phone
from services.domain.refusal import Refusal


@dataclass(frozen=True)
class PhoneOrReference:
    """A phone as ``2547…``, or the reference a code approves, such as ``FL-7K3QF9``."""

    def __call__(self, text: str, host: Host) -> str | Refusal:
        phone = read_mobile(text)
        if isinstance(phone, Phone):
            return phone.msisdn
        reference = OperationReference()(text, host)
        return Refusal("not_phone_or_reference") if isinstance(reference, Refusal) else reference


class OtpData(BaseModel):
    """``about`` is a phone or a reference; ``phone`` is where the codes went, ``number`` the same
    masked, and ``who`` its owner."""

    model_config = ConfigDict(frozen=True)

    about: str | None = None
    phone: Phone | None = None
    number: str | None = None
    who: str | None = None


OTP = Flow(
    "otp",
    version=2,
    compatible_versions=(1,),
    data=OtpData,
    start="about",
    needs=Right.ADMIN,
    in_menu=False,
    takes_argument=True,
    nodes=(
        Ask("about", into="about", parse=PhoneOrReference(), to="seek"),
        Do(
            "seek",
            use_case="find_codes",
            args=("about",),
            on={"locked": "locked", "open": "codes", "refused": "refused"},
            gives={"locked": ("phone", "number", "who"), "open": ("phone", "number", "who")},
        ),
        Choose(
            "locked",
            view="codes",
            args=("about",),
            options=(Option("unlock", to="confirm"),),
        ),
        Look("codes", view="codes", args=("about",)),
        Confirm("confirm", shows=("number", "who"), yes="unlock"),
        Do(
            "unlock",
            use_case="unlock_codes",
            args=("about",),
            on={"done": "done", "refused": "refused"},
        ),
        End("done"),
        End("refused"),
    ),
)
