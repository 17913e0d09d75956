-- What strangers cause is counted and deleted by indexes of its own, which cost nobody else anything.

-- Tries of what is not theirs: how many of one account, and of all, in the last hour.
CREATE INDEX audit_log_strange ON audit_log (at) WHERE act = 'strange';
CREATE INDEX audit_log_strange_of ON audit_log (actor, at) WHERE act = 'strange';

-- Who was never shown a button: no tap of theirs can come back, and nothing is lost with the row.
CREATE INDEX sessions_unseen ON sessions (updated_at) WHERE turn = 0 AND expires_at IS NULL;
CREATE INDEX outbox_unseen ON outbox (created_at)
    WHERE turn = 0 AND kind = 'answer' AND event_id IS NOT NULL AND state <> 'queued';

-- How many documents somebody has asked for lately.
CREATE INDEX documents_by_account ON documents (channel, address, created_at);
CREATE INDEX documents_by_partner ON documents (partner, created_at);
