"""The older service's own examples: the host and the partner's id exchanged, and a key sent."""

from __future__ import annotations

from bot.simulation.ncba.handsets import Handset
from tests.kit.older_desk import HOST, OTP, OWNER_MAIL, OWNER_PHONE, WALLET, OlderDesk


async def test_a_top_up(desk: OlderDesk) -> None:
    desk.world.bank.set_handset(OWNER_PHONE, Handset.PAYS)
    answer = await desk.curl(f"""curl -X POST {HOST}{WALLET}/topup/stk-push \\
      -H "x-api-key: {desk.keys["DUKA"]}" -H "Content-Type: application/json" \\
      -d '{{"partner_id": "DUKA", "amount": 1500, "phone_number": "{OWNER_PHONE}",
            "description": "Wallet top-up"}}'""")
    assert answer.status_code == 200
    started = answer.json()
    assert started["success"] is True
    assert started["transactionId"] == started["reference"] == started["stkPushTransactionId"]
    assert started["ncbReferenceId"] is None
    await desk.world.advance(20)
    query = await desk.curl(f"""curl -X POST {HOST}{WALLET}/stk-push/query \\
      -H "x-api-key: {desk.keys["DUKA"]}" -H "Content-Type: application/json" \\
      -d '{{"stk_push_transaction_id": "{started["stkPushTransactionId"]}"}}'""")
    assert query.json() == {
        "success": True,
        "status": "completed",
        "amount": 1500,
        "phoneNumber": OWNER_PHONE,
        "transactionId": started["transactionId"],
        "referenceId": started["transactionId"],
        "message": "This is done.",
        "error": None,
    }


async def test_a_float_purchase_with_a_code(desk: OlderDesk) -> None:
    key = desk.keys["DUKA"]
    generated = await desk.curl(f"""curl -X POST {HOST}{OTP}/generate \\
      -H "x-api-key: {key}" -H "Content-Type: application/json" \\
      -d '{{"partner_id": "DUKA", "user_id": "7d0f", "phone_number": "{OWNER_PHONE}",
            "email_address": "{OWNER_MAIL}", "purpose": "float_purchase", "amount": 5000}}'""")
    assert generated.status_code == 200
    reference, code = generated.json()["reference"], await desk.code()
    valid = await desk.curl(f"""curl -X POST {HOST}{OTP}/validate \\
      -H "x-api-key: {key}" -H "Content-Type: application/json" \\
      -d '{{"partner_id": "DUKA", "reference": "{reference}", "otp_code": "{code}"}}'""")
    assert valid.json()["valid"] is True
    bought = await desk.curl(f"""curl -X POST {HOST}{WALLET}/float/purchase \\
      -H "x-api-key: {key}" -H "Content-Type: application/json" \\
      -d '{{"partner_id": "DUKA", "float_amount": 5000, "otp_reference": "{reference}",
            "otp_code": "{code}", "description": "Float"}}'""")
    assert bought.status_code == 200, bought.text
    answer = bought.json()
    assert (answer["reference"], answer["floatAmount"]) == (reference, 5000)
    assert answer["newWalletBalance"] == 50_000 - answer["totalAmount"]
    await desk.world.advance(30)
    balance = (await desk.get(f"{WALLET}/balance")).json()
    assert balance["wallet"]["currentBalance"] == answer["newWalletBalance"]
    assert balance["b2cFloat"]["currentFloatBalance"] == 5000


async def test_the_balance(desk: OlderDesk) -> None:
    answer = await desk.curl(
        f'curl "{HOST}{WALLET}/balance?partner_id=DUKA" -H "x-api-key: {desk.keys["DUKA"]}"'
    )
    assert answer.json() == {
        "success": True,
        "wallet": {
            "id": "DUKA",
            "partnerId": "DUKA",
            "currentBalance": 50000,
            "currency": "KES",
            "lastTopupDate": None,
            "lastTopupAmount": None,
            "lowBalanceThreshold": 0,
            "smsNotificationsEnabled": False,
            "isLowBalance": False,
        },
        "b2cFloat": None,
    }
