"""Rows that guards protect, as statements that both engines understand."""

_BOOK = (
    "INSERT INTO transfers (id, operation, phase, debit_partner, debit_kind, credit_partner,"
    " credit_kind, currency, amount_cents, code, pending_id, booked_at, debit_move, credit_move)"
    " VALUES "
)
_OPERATION = (
    "INSERT INTO wallet_transactions (reference, partner, person_id, channel, address, language,"
    " type, state, standing, amount_cents, currency, phone, receipt, idempotency_key, created_at)"
    " VALUES "
)
_PAYOUT = (
    "INSERT INTO payouts (reference, short_code, fee_cents, tariff_version, remarks, quoted_at)"
    " VALUES "
)
_PURCHASE = (
    "INSERT INTO float_purchases (reference, short_code, transfer_fee_cents, processing_fee_cents,"
    " transfer_fee_version, processing_fee_version, quoted_at) VALUES "
)
_BATCH = (
    "INSERT INTO payout_batches (reference, code_phone, name, row_count, fee_cents, digest,"
    " doubles, approved_digest, quoted_at) VALUES "
)
_ROW = (
    "INSERT INTO payout_batch_rows (batch, number, phone, amount_cents, currency, reference, name,"
    " remarks, payout) VALUES "
)
_CODE = (
    "INSERT INTO otp_validations (id, purpose, operation, partner, person_id, amount_cents,"
    " currency, destination, phone, pepper_id, digest, status, sent, created_at, expires_at)"
    " VALUES "
)
_MESSAGE = (
    "INSERT INTO outbox (id, channel, address, kind, edits, text, rows, turn, protect, otp, state,"
    " due_at, created_at) VALUES "
)
_PAYMENT = (
    "INSERT INTO external_payments (receipt, reference, amount_cents, currency, paid_at,"
    " account_reference, payer, source, received_at, state, inferred, partner, operation) VALUES "
)
_PIN = (
    "INSERT INTO pin_approvals (operation, purpose, partner, person_id, amount_cents, currency,"
    " destination, asked_at, approved_at) VALUES "
)

ROWS = (
    "INSERT INTO partners (code, created_at) VALUES ('DEMO', 0), ('ACME', 0)",
    "INSERT INTO partner_wallets (partner, currency) VALUES ('DEMO', 'KES')",
    "INSERT INTO people (id, partner, name, role, phone, created_at) VALUES"
    " (1, 'DEMO', 'Amina', 'owner', '254712345678', 0),"
    " (2, 'DEMO', 'Brian', 'operator', '254110000001', 0)",
    "INSERT INTO accounts (partner, kind, currency, normal_side, no_overdraft) VALUES"
    " ('DEMO', 'collection', 'KES', 'debit', 0), ('DEMO', 'wallet', 'KES', 'credit', 1),"
    " ('DEMO', 'float', 'KES', 'credit', 1), ('DEMO', 'wallet', 'USD', 'credit', 1),"
    " ('ACME', 'wallet', 'KES', 'credit', 1), ('ACME', 'float', 'KES', 'credit', 1)",
    # Operations, each in the state that its name says
    f"{_OPERATION}"
    "('TU-PAID', 'DEMO', 1, 'terminal', 'a', 'en', 'topup', 'PAID', 'succeeded', 100000, 'KES',"
    " '254712345678', 'SLB1', 'k1', 0),"
    "('TU-OPEN', 'DEMO', 1, 'terminal', 'a', 'en', 'topup', 'PENDING', 'accepted', 700, 'KES',"
    " '254712345678', NULL, 'k2', 0),"
    "('FL-READY', 'DEMO', 1, 'terminal', 'a', 'en', 'b2c_float_purchase', 'AUTHORISED', 'ready',"
    " 30000, 'KES', '254712345678', NULL, 'k3', 0),"
    "('FL-QUOTED', 'DEMO', 1, 'terminal', 'a', 'en', 'b2c_float_purchase', 'QUOTED', 'quoted',"
    " 30000, 'KES', '254712345678', NULL, 'k4', 0),"
    "('FL-ASKED', 'DEMO', 1, 'terminal', 'a', 'en', 'b2c_float_purchase', 'AWAITING_APPROVAL',"
    " 'waiting', 30000, 'KES', '254712345678', NULL, 'k5', 0),"
    "('PO-READY', 'DEMO', 1, 'terminal', 'a', 'en', 'disbursement', 'AUTHORISED', 'ready', 500,"
    " 'KES', '254110000009', NULL, 'k6', 0),"
    "('PO-QUOTED', 'DEMO', 1, 'terminal', 'a', 'en', 'disbursement', 'QUOTED', 'quoted', 500,"
    " 'KES', '254110000009', NULL, 'k7', 0),"
    "('PO-CODE', 'DEMO', 1, 'terminal', 'a', 'en', 'disbursement', 'OTP_SENT', 'waiting', 500,"
    " 'KES', '254110000009', NULL, 'k8', 0),"
    "('PO-ROW', 'DEMO', NULL, 'batch', 'BA-RUNNING', 'en', 'disbursement', 'AUTHORISED', 'ready',"
    " 900, 'KES', '254110000008', NULL, 'k9', 0),"
    "('BA-RUNNING', 'DEMO', 1, 'terminal', 'a', 'en', 'payout_batch', 'RUNNING', 'waiting', 1900,"
    " 'KES', '254712345678', NULL, 'k10', 0),"
    "('BA-CANCELLED', 'DEMO', 1, 'terminal', 'a', 'en', 'payout_batch', 'CANCELLED', 'ended', 900,"
    " 'KES', '254712345678', NULL, 'k11', 0),"
    "('BA-DECLINED', 'DEMO', 1, 'terminal', 'a', 'en', 'payout_batch', 'CANCELLED', 'ended', 900,"
    " 'KES', '254712345678', NULL, 'k12', 0),"
    "('AD-POSTED', 'DEMO', NULL, 'terminal', 'a', 'en', 'adjustment', 'POSTED', 'succeeded', 50,"
    " 'KES', '', NULL, 'k13', 0)",
    "INSERT INTO ncb_stk_push_logs (reference, account_reference, status) VALUES"
    " ('TU-PAID', 'R1', 'accepted'), ('TU-OPEN', 'R2', 'accepted')",
    f"{_PURCHASE}('FL-READY', '600000', 100, 50, 1, 1, 0),"
    " ('FL-QUOTED', '600000', 100, 50, 1, 1, 0), ('FL-ASKED', '600000', 100, 50, 1, 1, 0)",
    f"{_PAYOUT}('PO-READY', '600000', 5, 1, 'thanks', 0), ('PO-QUOTED', '600000', 5, 1, 'x', 0),"
    " ('PO-CODE', '600000', 5, 1, 'x', 0), ('PO-ROW', '600000', 5, 1, 'x', 0)",
    # The books: a top-up, a hold of which a part was posted, and a hold
    f"{_BOOK}('t1', 'TU-PAID', 'single', 'DEMO', 'collection', 'DEMO', 'wallet', 'KES', 100000,"
    " 'topup', NULL, 10, 1, 1)",
    f"{_BOOK}('t2', 'FL-READY', 'pending', 'DEMO', 'wallet', 'DEMO', 'float', 'KES', 30000,"
    " 'purchase', NULL, 20, 2, 1)",
    f"{_BOOK}('t3', 'FL-READY', 'pending', 'DEMO', 'wallet', 'DEMO', 'float', 'KES', 2000,"
    " 'purchase', NULL, 30, 3, 2)",
    f"{_BOOK}('t4', 'FL-READY', 'post', 'DEMO', 'wallet', 'DEMO', 'float', 'KES', 2000,"
    " 'purchase', 't3', 40, 4, 3)",
    # Files of payouts
    f"{_BATCH}('BA-RUNNING', '254712345678', 'may.csv', 2, 10, 'd1', 0, 'd1', 0)",
    f"{_BATCH}('BA-CANCELLED', '254712345678', 'june.csv', 1, 5, 'd2', 0, NULL, 0)",
    f"{_BATCH}('BA-DECLINED', '254712345678', 'july.csv', 1, 5, 'd3', 0, NULL, 0)",
    f"{_ROW}('BA-RUNNING', 1, '254110000008', 900, 'KES', 'r1', 'Ali', NULL, 'PO-ROW'),"
    " ('BA-RUNNING', 2, '254110000009', 1000, 'KES', 'r2', NULL, NULL, NULL),"
    " ('BA-CANCELLED', 1, '254110000008', 900, 'KES', 'r1', NULL, NULL, NULL),"
    " ('BA-DECLINED', 1, '254110000008', 900, 'KES', 'r1', NULL, NULL, NULL)",
    "INSERT INTO approvals (purchase, partner, asked_by, asked_at, decision, decided_by) VALUES"
    " ('BA-DECLINED', 'DEMO', 1, 0, 'declined', 2), ('FL-ASKED', 'DEMO', 1, 0, 'approved', 2)",
    # Codes, PINs and messages
    f"{_CODE}('c1', 'float_purchase', 'FL-READY', 'DEMO', 1, 30000, 'KES', '600000',"
    " '254712345678', 'p', 'd', 'used', 1, 0, 600),"
    " ('c2', 'disbursement', 'PO-CODE', 'DEMO', 1, 500, 'KES', '254110000009',"
    " '254712345678', 'p', 'd', 'pending', 1, 0, 600)",
    f"{_MESSAGE}(1, 'terminal', 'a', 'code', 0, 'sealed', '[]', 0, 1, 'c2', 'queued', 0, 0),"
    " (2, 'terminal', 'a', 'code', 0, 'sealed', '[]', 0, 1, 'c2', 'sent', 0, 0),"
    " (3, 'terminal', 'a', 'answer', 0, 'hello', '[]', 0, 0, NULL, 'queued', 0, 0)",
    f"{_PIN}('FL-READY', 'float_purchase', 'DEMO', 1, 30000, 'KES', '600000', 0, 5),"
    " ('TU-OPEN', 'wallet_topup', 'DEMO', 1, 700, 'KES', '254712345678', 0, NULL)",
    # What others said, and what is kept of it
    "INSERT INTO evidence (operation, kind, source, said, at)"
    " VALUES ('TU-PAID', 'paid', 'ncba.query', 'Success', 0)",
    "INSERT INTO provider_calls (operation, call, attempt, outcome, said, milliseconds, at)"
    " VALUES ('TU-PAID', 'initiate', 1, 'accepted', 'ok', 5, 0)",
    f"{_PAYMENT}('SLB1', 'PB-1', 100000, 'KES', 0, '', '', 'ncba.notification', 0, 'MATCHED', 0,"
    " 'DEMO', 'TU-PAID'),"
    " ('SLB2', 'PB-2', 700, 'KES', 0, '', '', 'ncba.notification', 0, 'MATCHED', 1,"
    " 'DEMO', 'TU-OPEN'),"
    " ('SLB3', 'PB-3', 900, 'KES', 0, '', '', 'ncba.notification', 0, 'SUSPENDED', 0, NULL, NULL)",
    "INSERT INTO payout_messages (digest, kind, body, operation, concluded, received_at)"
    " VALUES ('d', 'result', x'7b7d', 'PO-READY', 'paid', 0)",
    "INSERT INTO partner_events (partner, n, type, data, in_feed, created_at)"
    " VALUES ('DEMO', 1, 'topup.paid', '{}', 1, 0)",
    "INSERT INTO webhook_endpoints (id, partner, url, secret, created_by, created_at)"
    " VALUES ('we_1', 'DEMO', 'https://example.com', 's', 'k', 0)",
    "INSERT INTO webhook_deliveries (endpoint, partner, n, state, tries_max, due_at, created_at)"
    " VALUES ('we_1', 'DEMO', 1, 'queued', 5, 0, 0)",
    "INSERT INTO audit_log (partner, n, at, actor, act, about, facts, previous, hash)"
    " VALUES ('DEMO', 1, 0, 'hazina', 'x', 'y', '{}', '0', 'h')",
)
