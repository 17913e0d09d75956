-- Tokens of banks, where several processes call them: a new one may end the one before.

CREATE TABLE bank_tokens (
    name           text   NOT NULL PRIMARY KEY,              -- the gateway, and whose credentials
    version        bigint NOT NULL,                          -- grows with each token
    sealed         text,                                     -- with a key from outside the database; NULL: none yet
    expires_at     bigint,                                   -- as the bank says; NULL: none yet
    renewer        text,                                     -- the process that asks for a new one; NULL: nobody
    renewing_until bigint,                                   -- from when on another may ask
    CHECK ((sealed IS NULL) = (expires_at IS NULL)),
    CHECK ((renewer IS NULL) = (renewing_until IS NULL))
);
