//! What a model makes of a question.
