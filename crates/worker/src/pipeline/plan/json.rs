//! The JSON object in what a model said.
