-- What the list and its full-text search need of a session, apart from its long result. Older
-- versions store sessions without; the workers add what is missing. `created_at` says of which of
-- several sessions under one id this is the summary.
CREATE TABLE session_summaries (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    excerpt TEXT,
    source_count BIGINT NOT NULL,
    words TEXT NOT NULL
);

-- `words` is split and folded already, the same for both databases: no text search configuration
-- has a say.
CREATE INDEX session_summaries_by_word ON session_summaries
    USING gin (array_to_tsvector(string_to_array(words, ' ')));
