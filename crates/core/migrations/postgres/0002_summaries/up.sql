-- The data of a session for the list and the full-text search, apart from its long result. Older
-- versions store sessions without a summary; the workers add missing ones. `created_at` identifies
-- the session if several have used the same id.
CREATE TABLE session_summaries (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    excerpt TEXT,
    source_count BIGINT NOT NULL,
    words TEXT NOT NULL
);

-- `words` is already split and folded, for both databases alike: no text search configuration
-- applies.
CREATE INDEX session_summaries_by_word ON session_summaries
    USING gin (array_to_tsvector(string_to_array(words, ' ')));
