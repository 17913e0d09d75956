-- Who may look at the dashboard. The secrets of a link and of a session are stored as digests only.

-- One row for each admin: a new link takes the place of the one before, and a new session ends the one
-- before.
CREATE TABLE dashboard_logins (
    channel        TEXT    NOT NULL,                         -- the admin's chat account
    address        TEXT    NOT NULL,                         -- that account's id on its channel
    link           TEXT,                                     -- digest of the link; NULL: it was spent
    link_until     INTEGER,                                  -- when the link can no longer be spent
    session        TEXT,                                     -- digest of the session; NULL: none
    session_begun  INTEGER,                                  -- when the link was spent
    session_used   INTEGER,                                  -- when a page was last opened with it
    PRIMARY KEY (channel, address),
    CHECK ((link IS NULL) = (link_until IS NULL)),
    CHECK ((session IS NULL) = (session_begun IS NULL)
       AND (session IS NULL) = (session_used IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX dashboard_logins_by_link ON dashboard_logins (link) WHERE link IS NOT NULL;
CREATE UNIQUE INDEX dashboard_logins_by_session ON dashboard_logins (session)
    WHERE session IS NOT NULL;

-- The dashboard counts a day's operations by kind and state, from this alone. As an expression: an
-- index that begins with the type would be preferred by statements that look for few rows of a kind.
CREATE INDEX wallet_transactions_by_state
    ON wallet_transactions ((type || ' ' || state), created_at);
-- What it lists of the last days, and is rare.
CREATE INDEX wallet_transactions_paid_late ON wallet_transactions (settled_at)
    WHERE state = 'PAID_LATE';
CREATE INDEX outbox_dead ON outbox (created_at) WHERE state = 'dead';
