//! Redis in each of its forms, and the history database.

mod redis_cache;
mod redis_cluster;
mod redis_connections;
mod redis_durability;
mod redis_sentinel;
mod session_list;
mod session_lookup;
