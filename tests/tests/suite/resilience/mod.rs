//! Crashes, outages and restarts of each process and of Redis.

mod database_down;
mod poison_search;
mod recovery_api;
mod recovery_network;
mod recovery_redis;
mod recovery_workers;
mod redis_down;
mod rolling_restart;
mod shutdown;
