-- What rested on one writer: the books' guard on the order of booking, the audit log on its last row,
-- and caches on their own process.

-- Accounts count their moves, and a transfer bears the number of the move it makes in each of its two
-- accounts. The order in which transfers were numbered by seq no longer matters.
ALTER TABLE accounts ADD COLUMN moves INTEGER NOT NULL DEFAULT 0
    CHECK (moves >= 0);                                      -- numbered transfers that have moved it
ALTER TABLE transfers ADD COLUMN debit_move INTEGER;         -- which move of the debited account it is; NULL: from before they were counted
ALTER TABLE transfers ADD COLUMN credit_move INTEGER;        -- the same of the credited account

DROP TRIGGER transfers_move;
CREATE TRIGGER transfers_move AFTER INSERT ON transfers
BEGIN
    UPDATE accounts SET
        debits_pending = debits_pending + CASE NEW.phase
            WHEN 'pending' THEN NEW.amount_cents WHEN 'single' THEN 0 ELSE -NEW.amount_cents END,
        debits_posted = debits_posted + CASE
            WHEN NEW.phase IN ('single', 'post') THEN NEW.amount_cents ELSE 0 END,
        moves = moves + 1,
        last_transfer = NEW.seq
    WHERE partner = NEW.debit_partner AND kind = NEW.debit_kind AND currency = NEW.currency;
    UPDATE accounts SET
        credits_pending = credits_pending + CASE NEW.phase
            WHEN 'pending' THEN NEW.amount_cents WHEN 'single' THEN 0 ELSE -NEW.amount_cents END,
        credits_posted = credits_posted + CASE
            WHEN NEW.phase IN ('single', 'post') THEN NEW.amount_cents ELSE 0 END,
        moves = moves + 1,
        last_transfer = NEW.seq
    WHERE partner = NEW.credit_partner AND kind = NEW.credit_kind AND currency = NEW.currency;
END;

DROP TRIGGER accounts_start_empty;
CREATE TRIGGER accounts_start_empty BEFORE INSERT ON accounts
WHEN NEW.debits_pending + NEW.debits_posted + NEW.credits_pending + NEW.credits_posted
     + NEW.moves + NEW.last_transfer <> 0
BEGIN SELECT RAISE(ABORT, 'an account starts empty'); END;

-- A transfer moves its accounts the moment it is booked, and is refused unless its numbers are the
-- next ones. So no transfer has a number above its account's count, and a direct update, which must
-- raise the count by one, finds none to name: balances change by transfers only.
DROP TRIGGER accounts_move_by_transfer;
CREATE TRIGGER accounts_move_by_transfer BEFORE UPDATE ON accounts
WHEN NEW.moves <> OLD.moves + 1 OR NOT EXISTS (
    SELECT 1 FROM transfers AS t WHERE t.seq = NEW.last_transfer AND t.currency = OLD.currency
      AND (t.debit_partner = OLD.partner AND t.debit_kind = OLD.kind AND t.debit_move = NEW.moves
           OR t.credit_partner = OLD.partner AND t.credit_kind = OLD.kind
              AND t.credit_move = NEW.moves))
BEGIN SELECT RAISE(ABORT, 'a balance is only the sum of transfers'); END;

-- The end of each chain of the audit log. Whoever appends updates its row first, which others wait for.
CREATE TABLE audit_heads (
    partner TEXT    NOT NULL PRIMARY KEY,                    -- whose chain
    n       INTEGER NOT NULL,                                -- number of its last row
    hash    TEXT    NOT NULL                                 -- hash of its last row
) STRICT, WITHOUT ROWID;
INSERT INTO audit_heads (partner, n, hash)
SELECT a.partner, a.n, a.hash FROM audit_log AS a
WHERE a.n = (SELECT max(b.n) FROM audit_log AS b WHERE b.partner = a.partner);

-- Rows that processes keep in memory. A change of one raises the version in the same transaction, and
-- every process looks at it before it believes its copy.
CREATE TABLE cache_versions (
    name    TEXT    NOT NULL PRIMARY KEY,                    -- which rows: people, limits, fees, notifications
    version INTEGER NOT NULL                                 -- grows with every change of one of them
) STRICT, WITHOUT ROWID;
INSERT INTO cache_versions (name, version)
VALUES ('people', 0), ('limits', 0), ('fees', 0), ('notifications', 0);
