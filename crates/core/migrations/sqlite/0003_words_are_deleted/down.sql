DROP TRIGGER session_summaries_added;
DROP TRIGGER session_summaries_changed;
DROP TRIGGER session_summaries_deleted;
DROP TABLE session_words;

CREATE VIRTUAL TABLE session_words USING fts5 (
    words, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);
INSERT INTO session_words (rowid, words) SELECT seq, words FROM session_summaries;

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
