//! Ranking by meaning, of the best that words found.
