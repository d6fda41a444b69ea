//! Asking an engine again after a passing failure, inside the deadline.
