-- What the payer typed stands apart from our own account, payments are known by the bank's number
-- too, and one TransactionID that two prompts were given is asked about for neither.

ALTER TABLE external_payments ADD COLUMN typed TEXT;  -- what the payer typed beside our account, in capitals, '' for nothing; NULL: not told apart
ALTER TABLE external_payments ADD COLUMN bank_reference TEXT;  -- the bank's own number of it; NULL: not told

CREATE INDEX external_payments_by_bank ON external_payments (bank_reference)
    WHERE bank_reference IS NOT NULL;

ALTER TABLE ncb_stk_push_logs ADD COLUMN shared_id TEXT;  -- a TransactionID that another prompt has too: says nothing of this one

CREATE INDEX ncb_stk_push_logs_shared ON ncb_stk_push_logs (shared_id) WHERE shared_id IS NOT NULL;
