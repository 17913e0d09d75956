"""Everything that flows may call by name, joined from where it is declared."""

from __future__ import annotations

from bot.handlers import (
    admin,
    api_keys,
    approvals,
    balance,
    blocks,
    ceiling,
    contacts,
    desk_pin,
    float,
    float_by_pin,
    history,
    inviting,
    joining,
    pay,
    payout_freeze,
    people,
    recipients,
    settings,
    statement,
    topup,
    topup_by_pin,
    webhooks,
)
from bot.handlers.declaring import Handlers

HANDLERS = Handlers(
    topup.HANDLERS,
    topup_by_pin.HANDLERS,
    float.HANDLERS,
    float_by_pin.HANDLERS,
    pay.HANDLERS,
    payout_freeze.HANDLERS,
    recipients.HANDLERS,
    balance.HANDLERS,
    history.HANDLERS,
    settings.HANDLERS,
    contacts.HANDLERS,
    desk_pin.HANDLERS,
    ceiling.HANDLERS,
    statement.HANDLERS,
    approvals.HANDLERS,
    blocks.HANDLERS,
    inviting.HANDLERS,
    joining.HANDLERS,
    people.HANDLERS,
    api_keys.HANDLERS,
    webhooks.HANDLERS,
    admin.HANDLERS,
)
