"""Which settings a real run still needs. All are optional on their own: a simulation needs none."""

from __future__ import annotations

from bot.settings import Settings, TelegramIntake

_HINTS = {
    "TELEGRAM_BOT_TOKEN": "the token that @BotFather gave",
    "NCBA_USERNAME": "the user name that NCBA gave",
    "NCBA_PASSWORD": "the password that NCBA gave",
    "NCBA_ACCOUNT_NUMBER": "your account behind the paybill",
    "TELEGRAM_WEBHOOK_URL": "where Telegram reaches us",
    "TELEGRAM_WEBHOOK_SECRET": "a secret of your own",
    "OPENBANKING_BASE_URL": "the address that NCBA gave",
    "OPENBANKING_SUBSCRIPTION_KEY": "the subscription key that NCBA gave",
    "OPENBANKING_USER_ID": "the user id that NCBA gave",
    "OPENBANKING_PASSWORD": "the password that NCBA gave",
    "B2C_SHORT_CODE": "the B2C short code that float and payments are of",
    "AFRICAS_TALKING_USERNAME": "your user name: codes go by SMS",
    "NCBA_NOTIFY_SECRET": "a secret of your own",
    "NCBA_NOTIFY_USERNAME": "the user name NCBA was given",
    "NCBA_NOTIFY_PASSWORD": "the password NCBA was given",
    "NCBA_NOTIFY_KEY": "the secret key NCBA was given",
    "USSD_SECRET": "a secret of your own",
    "USSD_CODES": "the service codes that people dial",
    "DARAJA_CONSUMER_KEY": "the consumer key of your app on Daraja",
    "DARAJA_CONSUMER_SECRET": "the consumer secret of that app",
    "DARAJA_INITIATOR_NAME": "the name of the short code's API user",
    "DARAJA_SECURITY_CREDENTIAL": (
        "that user's sealed password, or set DARAJA_INITIATOR_PASSWORD and DARAJA_CERTIFICATE"
    ),
    "DARAJA_CALLBACK_URL": "the https address that Safaricom reaches us at",
    "DARAJA_CALLBACK_SECRET": "a secret of your own",
    "AFRICAS_TALKING_API_KEY": "the API key of that user name",
    "SMTP_FROM": "the address that mail comes from",
    "SMTP_USERNAME": "the user name of SMTP_PASSWORD",
    "SMTP_PASSWORD": "the password of SMTP_USERNAME",
}


def missing_settings(settings: Settings) -> list[str]:
    """One line per missing setting, which names it and says what to set it to."""
    return [
        f"{name} is missing: set it to {_HINTS[name]}"
        for name, value in _needed(settings).items()
        if not value
    ]


def _needed(settings: Settings) -> dict[str, object]:
    needed: dict[str, object] = {
        "TELEGRAM_BOT_TOKEN": settings.telegram_bot_token,
        "NCBA_USERNAME": settings.ncba_username,
        "NCBA_PASSWORD": settings.ncba_password,
        "NCBA_ACCOUNT_NUMBER": settings.ncba_account_number,
    }
    if settings.telegram_intake is TelegramIntake.WEBHOOK:
        needed["TELEGRAM_WEBHOOK_URL"] = settings.telegram_webhook_url
        needed["TELEGRAM_WEBHOOK_SECRET"] = settings.telegram_webhook_secret
    pays = _sets_up_payouts(settings)
    if pays or any(settings.float_needs.values()):  # none set: this desk sells no float
        needed |= settings.float_needs
        if not (settings.africas_talking_username or settings.smtp_host):
            needed["AFRICAS_TALKING_USERNAME"] = None
    if pays:  # customers are paid from float
        needed |= settings.payout_needs
    if any(settings.notification_needs.values()):  # none set: the endpoint does not exist
        needed |= settings.notification_needs
    if any(settings.ussd_needs.values()):  # none set: nobody dials
        needed |= settings.ussd_needs
    if settings.africas_talking_username:
        needed["AFRICAS_TALKING_API_KEY"] = settings.africas_talking_api_key
    if settings.smtp_host:
        needed["SMTP_FROM"] = settings.smtp_from
        if settings.smtp_username or settings.smtp_password:
            needed["SMTP_USERNAME"] = settings.smtp_username
            needed["SMTP_PASSWORD"] = settings.smtp_password
    return needed


def _sets_up_payouts(settings: Settings) -> bool:
    """Whether anything is set that only payments need; the short code serves float alone too."""
    only_theirs = settings.payout_needs.keys() - settings.float_needs.keys()
    return settings.daraja_certificate is not None or any(
        settings.payout_needs[name] for name in only_theirs
    )
