//! Citations that do not carry their claim are replaced or taken away.
