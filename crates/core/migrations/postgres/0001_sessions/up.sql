-- Ids are compared byte by byte, as in SQLite: pages must not depend on the database's locale.
CREATE TABLE sessions (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    owner TEXT,
    query TEXT NOT NULL,
    mode TEXT NOT NULL,
    status TEXT NOT NULL,
    error TEXT,
    error_code TEXT,
    created_at BIGINT NOT NULL,
    completed_at BIGINT NOT NULL,
    result TEXT
);

CREATE INDEX sessions_by_time ON sessions (created_at DESC, id DESC);
CREATE INDEX sessions_by_owner ON sessions (owner, created_at DESC, id DESC);
CREATE INDEX sessions_by_status ON sessions (status, created_at DESC, id DESC);
