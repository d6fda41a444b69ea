//! Who does what to whom: the order of names in a claim and in its source.
