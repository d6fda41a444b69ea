//! Server-Sent Events as the document describes them.
//!
//! OpenAPI 3.1 has no words of its own for a stream of events: these are those of 3.2
//! (<https://spec.openapis.org/oas/v3.2.0.html#server-sent-event-streams>), one event with its text
//! as JSON, which programs read in a document of 3.1 too.

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

/// An event of a search.
#[derive(Serialize, ToSchema)]
pub(crate) struct SentEvent {
    /// What happened.
    #[schema(schema_with = json_of::<StreamEvent>)]
    data: String,
    /// The `type` of the data.
    event: String,
    /// Its place: send it as `Last-Event-ID` to go on behind it.
    id: String,
    /// Milliseconds to wait before coming again after a cut.
    #[schema(required = false)]
    retry: u32,
}

/// The queue at a moment.
#[derive(Serialize, ToSchema)]
pub(crate) struct SentQueue {
    /// Queues, workers, searches.
    #[schema(schema_with = json_of::<QueueBody>)]
    data: String,
    /// Always "queue".
    event: String,
    /// Milliseconds to wait before coming again after a cut.
    #[schema(required = false)]
    retry: u32,
}

/// JSON without line breaks.
fn json_of<Data: ToSchema>() -> Object {
    Object::builder()
        .schema_type(Type::String)
        .content_media_type("application/json")
        .content_schema(Some(Ref::from_schema_name(Data::name())))
        .build()
}
