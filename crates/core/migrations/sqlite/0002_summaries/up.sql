-- The data of a session for the list and the full-text search, apart from its long result. Older
-- versions store sessions without a summary; the workers add missing ones. `created_at` identifies
-- the session if several have used the same id.
CREATE TABLE session_summaries (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE REFERENCES sessions (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    excerpt TEXT,
    source_count INTEGER NOT NULL,
    words TEXT NOT NULL
) STRICT;

-- `words` is already split and folded, for both databases alike: `ascii` only splits at the spaces.
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
