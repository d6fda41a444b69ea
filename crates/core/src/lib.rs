//! What the API and the workers share: schemas, the Redis contract and the job engine, history,
//! settings and telemetry.

pub mod domain;
pub mod mode;
pub mod schema;
