-- Makes the word index delete the words of a deleted session at once. The former contentless index
-- only marked the deletion and kept the words until a merge, because it had no copy of them. Now
-- `session_summaries.words` is that copy. Name and column stay: older versions search it as before.
DROP TRIGGER session_summaries_added;
DROP TRIGGER session_summaries_changed;
DROP TRIGGER session_summaries_deleted;
DROP TABLE session_words;

CREATE VIRTUAL TABLE session_words USING fts5 (
    words, content = 'session_summaries', content_rowid = 'seq', detail = none, tokenize = 'ascii'
);
INSERT INTO session_words (session_words, rank) VALUES ('secure-delete', 1);
INSERT INTO session_words (session_words) VALUES ('rebuild');

CREATE TRIGGER session_summaries_added AFTER INSERT ON session_summaries BEGIN
    INSERT INTO session_words (rowid, words) VALUES (new.seq, new.words);
END;

CREATE TRIGGER session_summaries_changed AFTER UPDATE ON session_summaries BEGIN
    INSERT INTO session_words (session_words, rowid, words) VALUES ('delete', old.seq, old.words);
    INSERT INTO session_words (rowid, words) VALUES (new.seq, new.words);
END;

CREATE TRIGGER session_summaries_deleted AFTER DELETE ON session_summaries BEGIN
    INSERT INTO session_words (session_words, rowid, words) VALUES ('delete', old.seq, old.words);
END;
