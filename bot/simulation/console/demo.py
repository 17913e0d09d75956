"""The demo partner in the simulator: invented, and the only one. Two people belong to it."""

from __future__ import annotations

from bot.channels.terminal import CHANNEL
from bot.simulation.credentials import USSD_CODE
from bot.simulation.givens import LONG_AGO
from bot.simulation.opening_balances import add_partner
from services.domain.fees import Fee, FeeKind
from services.domain.money import Money
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from services.ports import Tx

PARTNER = Partner("DUKA", low_balance_cents=1_000_00)
WALLET = Money(5_000_00)
OWNER = "wanjiru"  # also the person's terminal address
COLLEAGUE = "njoki"  # who may agree to what takes two people
COLLEAGUES_PHONE = Phone("254722000222")
ADMINS = ("musa", "zawadi")  # two, because decisions on money by hand need two
PHONE = Phone("254712345678")
MAIL = "wanjiru@duka.example"
FEES = (
    Fee(FeeKind.TRANSFER, fixed=Money(25_00)),
    Fee(FeeKind.PROCESSING, ppm=5_000, minimum=Money(10_00), maximum=Money(500_00)),
)

GREETING = (
    "Hazina, simulated: bank, phones and mail are played here; no money moves.",
    f"You are {OWNER} of {PARTNER.code}, phone {PHONE}; the wallet began with {WALLET}.",
    "/topup adds money, and :handset pays enters the PIN; /float buys float.",
    "A number picks an option, or type the [word] in brackets.",
    f":as {ADMINS[0]} makes you an admin. :help lists what else can happen; :quit ends.",
)
GREETING_ON_A_PHONE = (
    *GREETING[:2],
    f"{USSD_CODE} dials, {USSD_CODE[:-1]}*1*500# goes on from there; then type the keys.",
    ":handset pays enters the M-PESA PIN; what becomes of it comes by SMS.",
    "/help and what follows it is typed in your chat. :help lists the rest; :quit ends.",
)


def seed(tx: Tx) -> None:
    add_partner(tx, PARTNER, WALLET, Money(0))
    person_id = tx.people.add_person(PARTNER.code, OWNER, Role.OWNER, PHONE, MAIL, "en")
    tx.people.link(CHANNEL, OWNER, person_id)
    person_id = tx.people.add_person(
        PARTNER.code, COLLEAGUE, Role.OPERATOR, COLLEAGUES_PHONE, None, "en"
    )
    tx.people.link(CHANNEL, COLLEAGUE, person_id, since=LONG_AGO)
    for fee in FEES:
        tx.fees.set(PARTNER.code, fee, "demo")
