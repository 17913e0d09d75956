-- Kinds and states of operations are rows, so that a further kind needs no change of this table.
-- SQLite cannot drop a CHECK, so the table is laid anew once more. Rows of other tables refer to it
-- meanwhile: the foreign keys are checked at the commit.

PRAGMA defer_foreign_keys = ON;

CREATE TABLE operation_kinds (
    kind   TEXT NOT NULL PRIMARY KEY,                        -- topup, b2c_float_purchase, …
    prefix TEXT NOT NULL UNIQUE                              -- how its references begin: TU, FL, …
) STRICT, WITHOUT ROWID;

-- What a state means whatever the kind:
--   quoted     shown, nothing confirmed: it may still be changed, and is in no history
--   waiting    confirmed, and waits for a person
--   ready      to be sent by a worker; nothing has left the machine
--   sending    the one request that moves money may be on its way
--   accepted   the bank has it, and has not said how it ended
--   unknown    nobody can say how it ended, until there is evidence
--   succeeded  over: money moved
--   ended      over: no money moved, as far as is known
CREATE TABLE operation_states (
    kind     TEXT NOT NULL REFERENCES operation_kinds (kind), -- whose state
    state    TEXT NOT NULL,                                  -- as the kind calls it
    standing TEXT NOT NULL                                   -- as listed above
             CHECK (standing IN ('quoted', 'waiting', 'ready', 'sending', 'accepted', 'unknown',
                 'succeeded', 'ended')),
    PRIMARY KEY (kind, state),
    UNIQUE (kind, state, standing)
) STRICT, WITHOUT ROWID;

INSERT INTO operation_kinds (kind, prefix) VALUES
    ('topup', 'TU'),
    ('b2c_float_purchase', 'FL'),
    ('adjustment', 'AD'),
    ('paybill_payment', 'PB'),
    ('reversal', 'RV');

INSERT INTO operation_states (kind, state, standing) VALUES
    ('topup', 'CREATED', 'ready'),
    ('topup', 'SENDING', 'sending'),
    ('topup', 'PENDING', 'accepted'),
    ('topup', 'SEND_UNKNOWN', 'unknown'),
    ('topup', 'UNKNOWN', 'unknown'),
    ('topup', 'PAID', 'succeeded'),
    ('topup', 'PAID_LATE', 'succeeded'),
    ('topup', 'NOT_PAID', 'ended'),
    ('topup', 'REJECTED', 'ended'),
    ('b2c_float_purchase', 'QUOTED', 'quoted'),
    ('b2c_float_purchase', 'AWAITING_APPROVAL', 'waiting'),
    ('b2c_float_purchase', 'OTP_SENT', 'waiting'),
    ('b2c_float_purchase', 'AUTHORISED', 'ready'),
    ('b2c_float_purchase', 'SUBMITTING', 'sending'),
    ('b2c_float_purchase', 'UNKNOWN', 'unknown'),
    ('b2c_float_purchase', 'SUCCEEDED', 'succeeded'),
    ('b2c_float_purchase', 'FAILED', 'ended'),
    ('b2c_float_purchase', 'OTP_EXPIRED', 'ended'),
    ('b2c_float_purchase', 'OTP_LOCKED', 'ended'),
    ('b2c_float_purchase', 'CANCELLED', 'ended'),
    ('b2c_float_purchase', 'REFUSED', 'ended'),
    ('adjustment', 'POSTED', 'succeeded'),
    ('paybill_payment', 'CREDITED', 'succeeded'),
    ('reversal', 'POSTED', 'succeeded');

CREATE TEMP TABLE operations_before AS SELECT * FROM wallet_transactions;
DROP TABLE wallet_transactions;

-- What only one kind needs is in that kind's own table, with its constraints.
CREATE TABLE wallet_transactions (
    seq             INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- order in which they were begun
    reference       TEXT    NOT NULL UNIQUE,                 -- TU-7K3QF9, FL-…: what people quote
    partner         TEXT    NOT NULL REFERENCES partners (code), -- whose money
    person_id       INTEGER REFERENCES people (id),          -- who began it
    channel         TEXT    NOT NULL,                        -- where it was begun, and is answered
    address         TEXT    NOT NULL,                        -- the account it was begun from
    language        TEXT    NOT NULL,                        -- in which its outcome is told
    type            TEXT    NOT NULL,                        -- kind of operation
    way             TEXT    NOT NULL DEFAULT 'prompt'        -- how a top-up is to be paid
                    CHECK (way IN ('prompt', 'paybill', 'qr')),
    state           TEXT    NOT NULL,                        -- how far it is
    standing        TEXT    NOT NULL,                        -- of its state: indexes cannot look it up
    reason          TEXT,                                    -- why not paid, rejected, failed, …
    amount_cents    INTEGER NOT NULL CHECK (amount_cents > 0), -- what was asked for, without fees
    currency        TEXT    NOT NULL,                        -- ISO 4217
    phone           TEXT    NOT NULL,                        -- the payer's number; the buyer's own
    receipt         TEXT,                                    -- M-PESA's code, once known
    idempotency_key TEXT    NOT NULL UNIQUE,                 -- the event that asked for it
    created_at      INTEGER NOT NULL,                        -- when it was committed
    settled_at      INTEGER,                                 -- when it reached its latest outcome
    attempt         INTEGER NOT NULL DEFAULT 0,              -- fencing number, grows per claim
    due_at          INTEGER,                                 -- when work on it, or its lease, is due
    leased_by       TEXT,                                    -- the run that works on it until due_at; NULL: none
    slow            INTEGER NOT NULL DEFAULT 0 CHECK (slow IN (0, 1)), -- 1: told that it is slow
    listed          INTEGER NOT NULL DEFAULT 1 CHECK (listed IN (0, 1)), -- 0: only quoted, not in history
    CHECK (leased_by IS NULL OR due_at IS NOT NULL),
    FOREIGN KEY (type, state, standing) REFERENCES operation_states (kind, state, standing)
) STRICT;

INSERT INTO wallet_transactions (seq, reference, partner, person_id, channel, address, language,
    type, way, state, standing, reason, amount_cents, currency, phone, receipt, idempotency_key,
    created_at, settled_at, attempt, due_at, leased_by, slow, listed)
SELECT b.seq, b.reference, b.partner, b.person_id, b.channel, b.address, b.language,
    b.type, b.way, b.state, s.standing, b.reason, b.amount_cents, b.currency, b.phone, b.receipt,
    b.idempotency_key, b.created_at, b.settled_at, b.attempt, b.due_at,
    CASE WHEN b.due_at IS NOT NULL AND (b.claimed = 1 OR s.standing = 'sending')
        THEN 'a run before 0015' END,
    b.slow, b.listed
FROM operations_before AS b
JOIN operation_states AS s ON s.kind = b.type AND s.state = b.state;

DROP TABLE temp.operations_before;

CREATE TRIGGER wallet_transactions_keep_amount BEFORE UPDATE ON wallet_transactions
WHEN OLD.standing <> 'quoted' AND (NEW.amount_cents <> OLD.amount_cents
     OR NEW.currency <> OLD.currency OR NEW.partner <> OLD.partner OR NEW.type <> OLD.type)
BEGIN SELECT RAISE(ABORT, 'what was asked for is never edited'); END;

CREATE TRIGGER wallet_transactions_keep_receipt BEFORE UPDATE ON wallet_transactions
WHEN OLD.receipt IS NOT NULL AND NEW.receipt IS NULL
BEGIN SELECT RAISE(ABORT, 'a receipt is never lost'); END;

CREATE INDEX wallet_transactions_by_partner ON wallet_transactions (partner, seq) WHERE listed = 1;
CREATE INDEX wallet_transactions_by_day ON wallet_transactions (partner, created_at);
CREATE INDEX wallet_transactions_by_last_four ON wallet_transactions (substr(phone, 9), seq)
    WHERE listed = 1;
-- One receipt pays for one operation.
CREATE UNIQUE INDEX wallet_transactions_by_receipt ON wallet_transactions (receipt)
    WHERE receipt IS NOT NULL;

-- SQLite uses a partial index only where a statement repeats its condition.
CREATE INDEX wallet_transactions_due ON wallet_transactions (type, due_at)
    WHERE due_at IS NOT NULL;
CREATE INDEX wallet_transactions_unsent ON wallet_transactions (type, due_at)
    WHERE standing IN ('ready', 'sending');
CREATE INDEX wallet_transactions_succeeded ON wallet_transactions (person_id, type, seq)
    WHERE standing = 'succeeded';
CREATE INDEX wallet_transactions_pending ON wallet_transactions (seq, state)
    WHERE standing IN ('ready', 'sending', 'accepted', 'unknown');
-- A person looks at one quote of a kind at a time: the next takes the row over.
CREATE UNIQUE INDEX wallet_transactions_one_quote ON wallet_transactions (type, channel, address)
    WHERE standing = 'quoted';
CREATE INDEX wallet_transactions_awaiting ON wallet_transactions (channel, address)
    WHERE state = 'AWAITING_APPROVAL';

-- Top-ups: the duplicate guard, prompts to one phone over all partners, what a payment without our
-- reference may have paid, and what was credited on the query's word.
CREATE INDEX wallet_transactions_open ON wallet_transactions (partner, phone, amount_cents)
    WHERE state IN ('CREATED', 'SENDING', 'PENDING', 'SEND_UNKNOWN');
CREATE INDEX wallet_transactions_prompts ON wallet_transactions (phone, created_at)
    WHERE type = 'topup' AND way = 'prompt';
CREATE INDEX wallet_transactions_unreceipted ON wallet_transactions (amount_cents, created_at)
    WHERE type = 'topup' AND receipt IS NULL;
CREATE INDEX wallet_transactions_unconfirmed ON wallet_transactions (settled_at)
    WHERE type = 'topup' AND receipt IS NULL AND state IN ('PAID', 'PAID_LATE');

-- Operations whose outcome is still to come: from a worker, from the bank or from the admins.
CREATE VIEW pending_operations AS
SELECT seq, reference, type, amount_cents, currency, state, created_at, partner
FROM wallet_transactions WHERE standing IN ('ready', 'sending', 'accepted', 'unknown');

DROP INDEX provider_calls_one_money_call;
-- One money call per intent, ever. Every call is one that is not known to move nothing, so that a
-- further kind's is guarded from the start.
CREATE UNIQUE INDEX provider_calls_one_money_call ON provider_calls (operation)
    WHERE call NOT IN ('token', 'query', 'status') AND outcome <> 'not_sent';
