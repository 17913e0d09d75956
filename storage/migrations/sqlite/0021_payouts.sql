-- Paying customers from float: payouts, what M-PESA posts about them, and who is paid.

INSERT INTO operation_kinds (kind, prefix) VALUES ('disbursement', 'PO');
INSERT INTO operation_states (kind, state, standing, status) VALUES
    ('disbursement', 'QUOTED', 'quoted', ''),
    ('disbursement', 'AWAITING_APPROVAL', 'waiting', 'awaiting_approval'),
    ('disbursement', 'OTP_SENT', 'waiting', 'awaiting_code'),
    ('disbursement', 'AUTHORISED', 'ready', 'pending'),
    ('disbursement', 'SUBMITTING', 'sending', 'pending'),
    ('disbursement', 'ACCEPTED', 'accepted', 'pending'),
    ('disbursement', 'UNKNOWN', 'unknown', 'unknown'),
    ('disbursement', 'PAID', 'succeeded', 'paid'),
    ('disbursement', 'PAID_AFTER_RETURN', 'succeeded', 'paid_after_return'),
    ('disbursement', 'RETURNED', 'ended', 'returned'),
    ('disbursement', 'OTP_EXPIRED', 'ended', 'expired'),
    ('disbursement', 'OTP_LOCKED', 'ended', 'locked'),
    ('disbursement', 'CANCELLED', 'ended', 'cancelled'),
    ('disbursement', 'REFUSED', 'ended', 'refused');

-- The recipient is the phone of its operation, M-PESA's code of the payment its receipt.
CREATE TABLE payouts (
    reference        TEXT    NOT NULL PRIMARY KEY            -- of its operation
                     REFERENCES wallet_transactions (reference),
    code_phone       TEXT,                                   -- the person's own number, where the code goes; NULL: under a key's ceiling, without one
    short_code       TEXT    NOT NULL,                       -- whose utility account pays
    fee_cents        INTEGER NOT NULL CHECK (fee_cents >= 0), -- M-PESA's tariff, as it was shown
    tariff_version   INTEGER NOT NULL,                       -- which tariff
    remarks          TEXT    NOT NULL,                       -- sent along, for the short code's statement
    client_reference TEXT,                                   -- the partner's own, given back
    quoted_at        INTEGER NOT NULL,                       -- when it was last priced
    authorised_at    INTEGER,                                -- when the float was held
    ready_since      INTEGER,                                -- since when it may be sent: authorised, or last thawed
    submitted_at     INTEGER,                                -- when the order was committed to go
    conversation_id  TEXT,                                   -- M-PESA's id of the order
    claimed_paid_at  INTEGER,                                -- when an answer that needs confirming first called it paid
    recipient_name   TEXT                                    -- as M-PESA gave it
) STRICT, WITHOUT ROWID;
CREATE INDEX payouts_by_conversation ON payouts (conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX payouts_by_time ON payouts (authorised_at) WHERE authorised_at IS NOT NULL;
CREATE INDEX wallet_transactions_payees ON wallet_transactions (partner, phone, seq)
    WHERE type = 'disbursement';

CREATE TRIGGER payouts_keep_order BEFORE UPDATE ON payouts
WHEN (NEW.fee_cents <> OLD.fee_cents OR NEW.short_code <> OLD.short_code)
 AND (SELECT standing FROM wallet_transactions WHERE reference = OLD.reference) <> 'quoted'
BEGIN SELECT RAISE(ABORT, 'a confirmed payout is never edited'); END;

-- A partner's system says these with the code, which approves amount and recipient.
CREATE TRIGGER payouts_keep_words BEFORE UPDATE ON payouts
WHEN (NEW.remarks <> OLD.remarks
      OR coalesce(NEW.client_reference, '') <> coalesce(OLD.client_reference, ''))
 AND (SELECT standing FROM wallet_transactions WHERE reference = OLD.reference)
     NOT IN ('quoted', 'waiting')
BEGIN SELECT RAISE(ABORT, 'an approved payout is never reworded'); END;

CREATE TRIGGER wallet_transactions_keep_recipient BEFORE UPDATE OF phone ON wallet_transactions
WHEN OLD.type = 'disbursement' AND OLD.standing <> 'quoted' AND NEW.phone <> OLD.phone
BEGIN SELECT RAISE(ABORT, 'a confirmed payout is never edited'); END;

CREATE VIEW disbursements AS
SELECT w.reference, w.partner, w.person_id, w.channel, w.address, w.language,
       w.amount_cents, w.currency, p.fee_cents, p.tariff_version, p.code_phone,
       w.phone AS recipient, p.short_code, p.remarks, p.client_reference, w.state, w.reason,
       w.created_at, p.quoted_at, p.authorised_at, p.ready_since, p.submitted_at, w.settled_at,
       p.conversation_id, p.claimed_paid_at, w.receipt, p.recipient_name, w.attempt, w.due_at, w.seq
FROM wallet_transactions AS w JOIN payouts AS p ON p.reference = w.reference
WHERE w.type = 'disbursement';

-- What M-PESA posted, to the letter. The same bytes again are counted, and change nothing.
CREATE TABLE payout_messages (
    id          INTEGER NOT NULL PRIMARY KEY,                -- order of arrival
    digest      TEXT    NOT NULL UNIQUE,                     -- SHA-256 of kind and body
    kind        TEXT    NOT NULL                             -- which address it came to
                CHECK (kind IN ('result', 'timeout')),
    body        BLOB    NOT NULL,                            -- as it came; nothing in it is signed
    operation   TEXT REFERENCES wallet_transactions (reference), -- the payout it speaks of; NULL: none of ours
    concluded   TEXT    NOT NULL,                            -- what was made of it
    times       INTEGER NOT NULL DEFAULT 1 CHECK (times > 0), -- how often it came
    received_at INTEGER NOT NULL                             -- when it first came
) STRICT;
CREATE INDEX payout_messages_by_operation ON payout_messages (operation) WHERE operation IS NOT NULL;
CREATE INDEX payout_messages_by_age ON payout_messages (received_at);
CREATE TRIGGER payout_messages_keep BEFORE UPDATE OF digest, kind, body, operation, concluded,
    received_at ON payout_messages
BEGIN SELECT RAISE(ABORT, 'what was posted is never edited'); END;

-- Questions that M-PESA answers by a Result: the answer is theirs, not the payment's.
CREATE TABLE payout_queries (
    conversation_id TEXT    NOT NULL PRIMARY KEY,            -- M-PESA's id of the question
    operation       TEXT    NOT NULL REFERENCES wallet_transactions (reference), -- about which payout
    asked_at        INTEGER NOT NULL                         -- when
) STRICT, WITHOUT ROWID;
CREATE INDEX payout_queries_by_age ON payout_queries (asked_at);

-- While one is open, no payout of anybody's is sent: each would meet the same.
CREATE TABLE payout_pauses (
    id        INTEGER NOT NULL PRIMARY KEY,                  -- order
    why       TEXT    NOT NULL,                              -- the reason that M-PESA gave, or admin
    operation TEXT    REFERENCES wallet_transactions (reference), -- the payout that met it; NULL: an admin paused
    began_at  INTEGER NOT NULL,                              -- when
    ended_at  INTEGER,                                       -- when an admin let payouts go on; NULL: it is open
    ended_by  TEXT,                                          -- which admin
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
) STRICT;
CREATE UNIQUE INDEX payout_pauses_open ON payout_pauses (coalesce(ended_at, 0)) WHERE ended_at IS NULL;

-- Recipients that a partner saved under a name.
CREATE TABLE recipients (
    partner  TEXT    NOT NULL REFERENCES partners (code),    -- whose
    name_key TEXT    NOT NULL,                               -- the name as it is compared
    name     TEXT    NOT NULL,                               -- the name as it was typed
    phone    TEXT    NOT NULL,                               -- who is paid
    saved_by INTEGER NOT NULL REFERENCES people (id),        -- by whom
    saved_at INTEGER NOT NULL,                               -- when
    PRIMARY KEY (partner, name_key)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX recipients_by_phone ON recipients (partner, phone);

-- Payments on the short code's own statement, each known by M-PESA's code of it.
CREATE TABLE short_code_lines (
    receipt      TEXT    NOT NULL PRIMARY KEY,               -- M-PESA's code
    day          TEXT    NOT NULL,                           -- of its completion, in Nairobi, ISO
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),  -- what left the account
    currency     TEXT    NOT NULL,                           -- ISO 4217
    party        TEXT    NOT NULL,                           -- to whom, as M-PESA prints it
    payout       TEXT REFERENCES wallet_transactions (reference), -- which of ours it is; NULL: none
    finding      TEXT UNIQUE,                                -- what admins quote of one that is none of ours
    seen_at      INTEGER NOT NULL                            -- when it was first read
) STRICT, WITHOUT ROWID;
CREATE INDEX short_code_lines_by_day ON short_code_lines (day);
CREATE UNIQUE INDEX short_code_lines_by_payout ON short_code_lines (payout) WHERE payout IS NOT NULL;

-- What M-PESA last said its accounts of the short code have.
CREATE TABLE mpesa_balances (
    account      TEXT    NOT NULL PRIMARY KEY,               -- as M-PESA names it: Utility Account, …
    amount_cents INTEGER NOT NULL,                           -- negative: owed
    currency     TEXT    NOT NULL,                           -- ISO 4217
    told_at      INTEGER NOT NULL,                           -- when M-PESA said so
    alerted_at   INTEGER                                     -- when admins were told that it is short; NULL: not since it had enough
) STRICT, WITHOUT ROWID;

ALTER TABLE partner_wallets ADD COLUMN payouts_frozen_at INTEGER; -- when an owner froze payouts; NULL: they are not
ALTER TABLE api_keys ADD COLUMN payout_ceiling_cents INTEGER NOT NULL DEFAULT 0
    CHECK (payout_ceiling_cents >= 0);                       -- payouts a day that need no code

INSERT INTO limits (name, valid_from, amount_cents, currency, source) VALUES
    ('payout.min', 1692046800000, 1000, 'KES', 'M-PESA B2C, 15 August 2023'),
    ('payout.max', 1692046800000, 25000000, 'KES', 'M-PESA B2C, 15 August 2023'),
    ('payout.recipient.day', 1692046800000, 50000000, 'KES', 'M-PESA B2C, 15 August 2023'),
    ('payout.recipient.new', 1692046800000, 5000000, 'KES', 'as shipped');

-- The ledger: what is on its way to customers, its charges, and what M-PESA is owed for them.
INSERT INTO accounts (partner, kind, currency, normal_side, no_overdraft)
SELECT w.partner, k.column1, w.currency, 'credit', 0
FROM partner_wallets AS w
CROSS JOIN (VALUES ('payout'), ('payout_fee'), ('charges_owed')) AS k
WHERE true ON CONFLICT (partner, kind, currency) DO NOTHING;

-- What a code may approve is a row, so that a further purpose needs no change of the table.
CREATE TABLE code_purposes (
    purpose TEXT NOT NULL PRIMARY KEY                        -- float_purchase, disbursement, …
) STRICT, WITHOUT ROWID;
INSERT INTO code_purposes (purpose) VALUES
    ('float_purchase'), ('disbursement'), ('wallet_topup'), ('link_phone'), ('prove_mail'),
    ('desk_pin'), ('api_ceiling'), ('thaw_payouts');
DROP VIEW codes;
CREATE TABLE codes_new (
    id           TEXT    NOT NULL PRIMARY KEY,               -- drawn, part of what is digested
    purpose      TEXT    NOT NULL                            -- what kind of thing it approves
                 REFERENCES code_purposes (purpose),
    operation    TEXT    NOT NULL,                           -- the one operation it approves
    partner      TEXT    NOT NULL REFERENCES partners (code), -- of the one partner
    person_id    INTEGER NOT NULL REFERENCES people (id),    -- by the one person
    amount_cents INTEGER NOT NULL,                           -- of the one amount, as it was shown
    currency     TEXT    NOT NULL,                           -- ISO 4217
    destination  TEXT    NOT NULL,                           -- to the one destination
    phone        TEXT    NOT NULL,                           -- where it was sent
    pepper_id    TEXT    NOT NULL,                           -- which key digested it
    digest       TEXT    NOT NULL,                           -- HMAC-SHA256; the code is nowhere
    status       TEXT    NOT NULL                            -- only pending ones can pass
                 CHECK (status IN ('pending', 'used', 'expired', 'locked', 'killed')),
    attempts     INTEGER NOT NULL DEFAULT 0 CHECK (attempts BETWEEN 0 AND 3), -- checks counted
    sent         INTEGER NOT NULL CHECK (sent BETWEEN 1 AND 3), -- number among its operation's codes
    created_at   INTEGER NOT NULL,                           -- when it was drawn
    expires_at   INTEGER NOT NULL,                           -- from this moment on it is expired
    ended_at     INTEGER,                                    -- when it left pending
    channel      TEXT,                                       -- where a code to a contact that is not proved was asked for
    address      TEXT,                                       -- by which account; NULL: the number was the person's own
    verified_at  INTEGER,                                    -- when it was found right without being used
    UNIQUE (operation, sent)
) STRICT, WITHOUT ROWID;
INSERT INTO codes_new (id, purpose, operation, partner, person_id, amount_cents, currency, destination,
    phone, pepper_id, digest, status, attempts, sent, created_at, expires_at, ended_at, channel, address,
    verified_at)
SELECT id, purpose, operation, partner, person_id, amount_cents, currency, destination,
    phone, pepper_id, digest, status, attempts, sent, created_at, expires_at, ended_at, channel, address,
    verified_at FROM otp_validations;
DROP TABLE otp_validations;
ALTER TABLE codes_new RENAME TO otp_validations;
CREATE UNIQUE INDEX otp_validations_one_pending ON otp_validations (operation)
    WHERE status = 'pending';
CREATE INDEX otp_validations_by_partner ON otp_validations (partner, created_at);
CREATE INDEX otp_validations_by_phone ON otp_validations (phone, created_at);
CREATE INDEX otp_validations_by_expiry ON otp_validations (expires_at) WHERE status = 'pending';
CREATE INDEX otp_validations_by_age ON otp_validations (created_at) WHERE status <> 'pending';
CREATE INDEX otp_validations_by_account ON otp_validations (channel, address, created_at)
    WHERE channel IS NOT NULL;
CREATE INDEX otp_validations_by_destination ON otp_validations (destination, created_at);
CREATE TRIGGER otp_validations_end_once BEFORE UPDATE OF id, purpose, operation, partner, person_id,
    amount_cents, currency, destination, phone, pepper_id, digest, status, attempts, sent, channel,
    address
ON otp_validations
WHEN OLD.status <> 'pending'
BEGIN SELECT RAISE(ABORT, 'a code that has ended stays as it is'); END;
CREATE TRIGGER otp_validations_wipe AFTER UPDATE OF status ON otp_validations
WHEN NEW.status <> 'pending'
BEGIN
    UPDATE outbox SET state = 'dead', text = '', error = 'the code has ended'
    WHERE otp = NEW.id AND state = 'queued';
END;
CREATE VIEW codes AS
SELECT id, purpose, operation, partner, person_id, amount_cents, currency, destination, phone,
       pepper_id, digest, status, attempts, sent, created_at, expires_at, channel, address,
       verified_at
FROM otp_validations;

-- Payouts as their partner's systems see them: the recipient is not a payer.
DROP VIEW public_operations;
CREATE VIEW public_operations AS
SELECT w.seq, w.reference, w.partner, w.type,
       CASE WHEN w.state = 'AWAITING_APPROVAL' AND EXISTS (SELECT 1 FROM approvals AS a
                 WHERE a.purchase = w.reference AND a.decision = 'approved')
            THEN 'awaiting_code' ELSE s.status END AS status, w.reason,
       CASE WHEN s.standing IN ('succeeded', 'ended')
                 AND (w.state <> 'NOT_PAID' OR w.due_at IS NULL) THEN 1 ELSE 0 END AS final,
       w.version, w.amount_cents, w.currency,
       coalesce(f.transfer_fee_cents, p.fee_cents) AS transfer_fee_cents,
       coalesce(f.processing_fee_cents, p.fee_cents * 0) AS processing_fee_cents,
       (SELECT coalesce(sum(CASE
            WHEN t.credit_partner = w.partner AND t.credit_kind = 'wallet' THEN t.amount_cents
            WHEN t.debit_partner = w.partner AND t.debit_kind = 'wallet' THEN -t.amount_cents
            ELSE 0 END), 0)
        FROM transfers AS t
        WHERE t.operation = w.reference AND t.phase IN ('single', 'post')) AS wallet_change_cents,
       w.phone, w.receipt, w.description, coalesce(w.public_created_at, w.created_at) AS created_at,
       coalesce(w.changed_at, w.settled_at, w.created_at) AS changed_at,
       p.recipient_name, p.remarks, p.client_reference
FROM wallet_transactions AS w
JOIN operation_states AS s ON s.kind = w.type AND s.state = w.state
LEFT JOIN float_purchases AS f ON f.reference = w.reference
LEFT JOIN payouts AS p ON p.reference = w.reference
WHERE w.listed = 1 OR w.type = 'adjustment';

DROP VIEW persons;
CREATE VIEW persons AS
SELECT p.id, p.name, p.role, p.phone, p.email, p.language, p.phone_changed_at, p.email_changed_at,
       r.code, r.suspended, w.currency, w.low_balance_cents, w.low_float_cents,
       w.approve_above_cents, w.payouts_frozen_at
FROM people AS p JOIN partners AS r ON r.code = p.partner
JOIN partner_wallets AS w ON w.partner = p.partner
WHERE p.invited = 0;
