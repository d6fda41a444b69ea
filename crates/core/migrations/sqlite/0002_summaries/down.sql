DROP TABLE session_summaries;
DROP TABLE session_words;
