-- A statement or chart may tell of the float instead of the wallet.

ALTER TABLE documents ADD COLUMN account TEXT                -- which account it tells of; NULL: the wallet
    CHECK (account IN ('wallet', 'float'));
