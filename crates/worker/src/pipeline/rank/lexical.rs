//! Ranking by words.
