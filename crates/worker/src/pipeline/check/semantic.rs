//! Support by meaning, where words differ.
