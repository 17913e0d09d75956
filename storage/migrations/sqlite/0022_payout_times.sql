-- Payouts by when they were sent and when they were paid; what posted messages and lines need.

CREATE INDEX payouts_by_sent ON payouts (submitted_at) WHERE submitted_at IS NOT NULL;
CREATE INDEX wallet_transactions_paid_out ON wallet_transactions (settled_at)
    WHERE type = 'disbursement' AND standing = 'succeeded';

-- Only messages about none of ours are deleted by age, and no statement is read by its day.
DROP INDEX payout_messages_by_age;
CREATE INDEX payout_messages_by_age ON payout_messages (received_at) WHERE operation IS NULL;
DROP INDEX short_code_lines_by_day;

-- Also where there was, or would be, no recipient.
DROP TRIGGER wallet_transactions_keep_recipient;
CREATE TRIGGER wallet_transactions_keep_recipient BEFORE UPDATE OF phone ON wallet_transactions
WHEN OLD.type = 'disbursement' AND OLD.standing <> 'quoted' AND NEW.phone IS NOT OLD.phone
BEGIN SELECT RAISE(ABORT, 'a confirmed payout is never edited'); END;
