-- Limits and locks count against who acts: a code remembers the account that asked for it, a lock
-- names a number or an account, and a number can be blocked against prompts.

ALTER TABLE otp_validations ADD COLUMN channel TEXT;         -- where a code to a contact that is not proved was asked for
ALTER TABLE otp_validations ADD COLUMN address TEXT;         -- by which account; NULL: the number was the person's own
CREATE INDEX otp_validations_by_account ON otp_validations (channel, address, created_at)
    WHERE channel IS NOT NULL;
CREATE INDEX otp_validations_by_destination ON otp_validations (destination, created_at);

-- A code in the order in which the program reads it.
DROP VIEW codes;
CREATE VIEW codes AS
SELECT id, purpose, operation, partner, person_id, amount_cents, currency, destination, phone,
       pepper_id, digest, status, attempts, sent, created_at, expires_at, channel, address
FROM otp_validations;

CREATE TABLE otp_locks_new (
    who         TEXT    NOT NULL,                            -- a registered number, or account:channel:address
    locked_at   INTEGER NOT NULL,                            -- when the last wrong code was typed
    unlocked_at INTEGER,                                     -- when an admin unlocked it
    unlocked_by TEXT,                                        -- which admin
    PRIMARY KEY (who, locked_at)
) STRICT, WITHOUT ROWID;
INSERT INTO otp_locks_new (who, locked_at, unlocked_at, unlocked_by)
    SELECT phone, locked_at, unlocked_at, unlocked_by FROM otp_locks;
DROP TABLE otp_locks;
ALTER TABLE otp_locks_new RENAME TO otp_locks;

-- Prompts to one phone are counted over all partners.
CREATE INDEX wallet_transactions_prompts ON wallet_transactions (phone, created_at)
    WHERE type = 'topup' AND way = 'prompt';

CREATE TABLE blocked_phones (
    phone      TEXT    NOT NULL,                             -- gets no prompts
    partner    TEXT    NOT NULL,                             -- from this partner; '' from nobody
    blocked_by TEXT    NOT NULL,                             -- admin or owner, as the audit log names them
    blocked_at INTEGER NOT NULL,                             -- when
    PRIMARY KEY (phone, partner)
) STRICT, WITHOUT ROWID;
CREATE INDEX blocked_phones_by_partner ON blocked_phones (partner, blocked_at);
