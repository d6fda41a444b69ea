//! Words that turn a claim into its opposite.
