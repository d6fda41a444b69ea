//! A finished search of some 20 KB, the size of a deep one.

use chrono::Utc;
use privachat_core::schema::{SearchResponse, SourceDetail, Status};
use uuid::Uuid;

/// An answer with ten sources and their excerpts.
pub fn response(id: Uuid) -> SearchResponse {
    let text = "A mutex is held by one thread at a time, and the thread that took it gives it back [1]. \
                A semaphore counts: any thread may raise it, and waiting lowers it by one [2]. ";
    let detail = SourceDetail {
        providers: vec!["searxng".to_owned()],
        fetched: true,
        published: None,
        passages: vec![text.repeat(6), text.repeat(5)],
    };
    SearchResponse {
        status: Status::Completed,
        answer: Some(text.repeat(20)),
        confidence: Some(0.8),
        execution_time: Some(4.2),
        model_used: Some("double".to_owned()),
        completed_at: Some(Utc::now()),
        attempt: 1,
        source_details: Some(vec![detail; 10]),
        ..SearchResponse::pending(id, "What is a mutex?".to_owned(), "speed", Utc::now())
    }
}
