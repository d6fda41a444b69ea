-- What the list and its full-text search need of a session, apart from its long result. Older
-- versions store sessions without; the workers add what is missing. `created_at` says of which of
-- several sessions under one id this is the summary.
CREATE TABLE session_summaries (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE REFERENCES sessions (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    excerpt TEXT,
    source_count INTEGER NOT NULL,
    words TEXT NOT NULL
) STRICT;

-- `words` is split and folded already, the same for both databases: `ascii` splits at its spaces
-- and leaves the rest alone.
CREATE VIRTUAL TABLE session_words USING fts5 (
    words, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);

CREATE TRIGGER session_summaries_added AFTER INSERT ON session_summaries BEGIN
    INSERT INTO session_words (rowid, words) VALUES (new.seq, new.words);
END;

CREATE TRIGGER session_summaries_changed AFTER UPDATE ON session_summaries BEGIN
    DELETE FROM session_words WHERE rowid = old.seq;
    INSERT INTO session_words (rowid, words) VALUES (new.seq, new.words);
END;

CREATE TRIGGER session_summaries_deleted AFTER DELETE ON session_summaries BEGIN
    DELETE FROM session_words WHERE rowid = old.seq;
END;
