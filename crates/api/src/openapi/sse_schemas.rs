//! Schemas of Server-Sent Events.
//!
//! OpenAPI 3.1 cannot describe an event stream. These schemas follow 3.2
//! (<https://spec.openapis.org/oas/v3.2.0.html#server-sent-event-streams>): one event, with its
//! data as JSON text. They are valid in 3.1 too.

use super::QueueBody;
use privachat_core::schema::event::StreamEvent;
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::{
        Ref,
        schema::{Object, Type},
    },
};

/// One Server-Sent Event of a search.
#[derive(Serialize, ToSchema)]
pub(crate) struct SentEvent {
    /// The event as JSON.
    #[schema(schema_with = json_of::<StreamEvent>)]
    data: String,
    /// The `type` of the data.
    event: String,
    /// The position of the event: send it as `Last-Event-ID` to continue after it.
    id: String,
    /// Milliseconds to wait before reconnecting.
    #[schema(required = false)]
    retry: u32,
}

/// One Server-Sent Event of the queue.
#[derive(Serialize, ToSchema)]
pub(crate) struct SentQueue {
    /// The queue as JSON.
    #[schema(schema_with = json_of::<QueueBody>)]
    data: String,
    /// Always "queue".
    event: String,
    /// Milliseconds to wait before reconnecting.
    #[schema(required = false)]
    retry: u32,
}

/// The schema of a string that contains `Data` as JSON.
fn json_of<Data: ToSchema>() -> Object {
    Object::builder()
        .schema_type(Type::String)
        .content_media_type("application/json")
        .content_schema(Some(Ref::from_schema_name(Data::name())))
        .build()
}
