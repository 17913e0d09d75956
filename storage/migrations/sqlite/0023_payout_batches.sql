-- A file of payouts: approved by two people as one digest; its rows are payouts of their own.

INSERT INTO operation_kinds (kind, prefix) VALUES ('payout_batch', 'BA');
-- Its money is that of its rows: the batch itself never stands among what is sent, or succeeded.
INSERT INTO operation_states (kind, state, standing, status) VALUES
    ('payout_batch', 'QUOTED', 'quoted', ''),
    ('payout_batch', 'AWAITING_APPROVAL', 'waiting', 'awaiting_approval'),
    ('payout_batch', 'OTP_SENT', 'waiting', 'awaiting_code'),
    ('payout_batch', 'RUNNING', 'waiting', 'running'),
    ('payout_batch', 'DONE', 'ended', 'done'),
    ('payout_batch', 'STOPPED', 'ended', 'stopped'),
    ('payout_batch', 'OTP_EXPIRED', 'ended', 'stopped'),
    ('payout_batch', 'OTP_LOCKED', 'ended', 'stopped'),
    ('payout_batch', 'CANCELLED', 'ended', 'stopped'),
    ('payout_batch', 'REFUSED', 'ended', 'stopped');
INSERT INTO code_purposes (purpose) VALUES ('payout_batch');

CREATE TABLE payout_batches (
    reference       TEXT    NOT NULL PRIMARY KEY             -- of its operation, whose amount is the sum
                    REFERENCES wallet_transactions (reference),
    code_phone      TEXT    NOT NULL,                        -- its maker's own number, where the code goes
    name            TEXT    NOT NULL,                        -- of the file; empty: it had none
    row_count       INTEGER NOT NULL CHECK (row_count BETWEEN 1 AND 1000), -- how many rows it has
    fee_cents       INTEGER NOT NULL CHECK (fee_cents >= 0), -- M-PESA's tariff for all rows
    digest          TEXT    NOT NULL,                        -- SHA-256 of the rows
    doubles         INTEGER NOT NULL CHECK (doubles >= 0),   -- rows that look like a repetition
    accepted        INTEGER NOT NULL DEFAULT 0 CHECK (accepted IN (0, 1)), -- 1: its maker took them all the same
    approved_digest TEXT,                                    -- what the second person saw
    quoted_at       INTEGER NOT NULL,                        -- when the file was read
    authorised_at   INTEGER,                                 -- when the float of all rows was held
    last_turn       INTEGER NOT NULL DEFAULT 0,              -- which turn its newest rows were taken up at; 0: none yet
    told_at         INTEGER                                  -- when its live message was last drawn
) STRICT, WITHOUT ROWID;
CREATE TRIGGER payout_batches_keep BEFORE UPDATE OF digest, row_count, fee_cents, code_phone
ON payout_batches
WHEN NEW.digest <> OLD.digest OR NEW.row_count <> OLD.row_count OR NEW.fee_cents <> OLD.fee_cents
  OR NEW.code_phone <> OLD.code_phone
BEGIN SELECT RAISE(ABORT, 'a batch is never edited'); END;
CREATE TRIGGER payout_batches_approved_once BEFORE UPDATE OF approved_digest ON payout_batches
WHEN OLD.approved_digest IS NOT NULL AND NEW.approved_digest IS NOT OLD.approved_digest
BEGIN SELECT RAISE(ABORT, 'what was approved stays as it is'); END;

CREATE TABLE payout_batch_rows (
    batch        TEXT    NOT NULL REFERENCES payout_batches (reference), -- whose row
    number       INTEGER NOT NULL,                           -- of the row of data, from 1
    phone        TEXT    NOT NULL,                           -- who is paid
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),  -- how much, without the charge
    currency     TEXT    NOT NULL,                           -- ISO 4217
    reference    TEXT    NOT NULL,                           -- the partner's own
    name         TEXT,                                       -- whom the partner means
    remarks      TEXT,                                       -- sent along to M-PESA
    payout       TEXT UNIQUE                                 -- which payout it became; NULL: none
                 REFERENCES wallet_transactions (reference),
    PRIMARY KEY (batch, number),
    UNIQUE (batch, reference)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER payout_batch_rows_keep BEFORE UPDATE ON payout_batch_rows
WHEN OLD.payout IS NOT NULL OR NEW.batch <> OLD.batch OR NEW.number <> OLD.number
  OR NEW.phone <> OLD.phone OR NEW.amount_cents <> OLD.amount_cents
  OR NEW.currency <> OLD.currency OR NEW.reference <> OLD.reference
  OR NEW.name IS NOT OLD.name OR NEW.remarks IS NOT OLD.remarks
BEGIN SELECT RAISE(ABORT, 'a row is never edited, and becomes one payout'); END;
-- A file that nobody confirmed is forgotten.
CREATE TRIGGER payout_batch_rows_stay BEFORE DELETE ON payout_batch_rows
WHEN (SELECT state FROM wallet_transactions WHERE reference = OLD.batch) <> 'CANCELLED'
  OR EXISTS (SELECT 1 FROM approvals WHERE purchase = OLD.batch)
BEGIN SELECT RAISE(ABORT, 'a confirmed row stays'); END;

-- The payouts of a batch: their channel is "batch", their address the batch, and nobody began them.
-- No condition of the index is one that a statement compares with a parameter.
CREATE INDEX wallet_transactions_of_batch ON wallet_transactions (address, standing, due_at)
    WHERE type = 'disbursement' AND person_id IS NULL;
CREATE VIEW batch_payouts AS
SELECT seq, reference, address AS batch, state, standing, amount_cents, due_at
FROM wallet_transactions
WHERE type = 'disbursement' AND person_id IS NULL AND channel = 'batch';
CREATE INDEX wallet_transactions_batches ON wallet_transactions (partner, seq)
    WHERE type = 'payout_batch';
CREATE INDEX wallet_transactions_running ON wallet_transactions (seq) WHERE state = 'RUNNING';
CREATE INDEX payout_batches_by_digest ON payout_batches (digest);
CREATE INDEX payout_batches_by_turn ON payout_batches (last_turn);

-- What admins see as under way: a batch that runs once, and not each of its rows.
CREATE VIEW operations_under_way AS
SELECT seq, reference, type, amount_cents, currency, state, created_at, partner
FROM wallet_transactions
WHERE standing IN ('ready', 'sending', 'accepted', 'unknown') AND channel <> 'batch'
UNION ALL
SELECT seq, reference, type, amount_cents, currency, state, created_at, partner
FROM wallet_transactions WHERE state = 'RUNNING';
