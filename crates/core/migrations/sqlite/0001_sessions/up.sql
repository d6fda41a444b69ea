-- `seq` keeps row numbers stable through VACUUM: a full-text index can point at them.
-- `result` is last, so that reading the other columns does not read its overflow pages.
CREATE TABLE sessions (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    owner TEXT,
    query TEXT NOT NULL,
    mode TEXT NOT NULL,
    status TEXT NOT NULL,
    error TEXT,
    error_code TEXT,
    created_at INTEGER NOT NULL,
    completed_at INTEGER NOT NULL,
    result TEXT
) STRICT;

CREATE INDEX sessions_by_time ON sessions (created_at DESC, id DESC);
CREATE INDEX sessions_by_owner ON sessions (owner, created_at DESC, id DESC);
CREATE INDEX sessions_by_status ON sessions (status, created_at DESC, id DESC);
