//! One call, and what follows from how it went.

use super::{BUSY_PAUSE, backoff, message::Message};
use crate::{
    metrics::{Metrics, Told},
    web::fetch::{Place, Posted, Poster},
};
use bytes::Bytes;
use chrono::Utc;
use privachat_core::{
    jobs::{Callback, Jobs, JobsError},
    webhook::SigningKeys,
};
use reqwest::{
    StatusCode,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue},
};
use std::{sync::Arc, time::Duration};
use url::Url;
use uuid::Uuid;

pub(in crate::daemon) struct Caller {
    pub(super) jobs: Jobs,
    pub(super) metrics: Arc<Metrics>,
    pub(super) poster: Poster,
    pub(super) keys: Option<SigningKeys>,
}

/// What became of a due call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Went {
    /// It was dealt with, well or not.
    Through,
    /// It was not made: its receiver has as many as it may have at once.
    Busy,
}

/// How a call went.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Taken(StatusCode),
    /// The receiver wants no more.
    Refused,
    Missed {
        reason: String,
        retry_after: Option<Duration>,
    },
}

impl Caller {
    /// Tells the outcome of this search, if there is somebody to be told.
    pub(super) async fn call(&self, id: Uuid) -> Went {
        self.try_call(id).await.unwrap_or_else(|error| {
            // It is listed, and due again when its lease is over.
            tracing::warn!(session_id = %id, error = %error, "left a callback for later");
            Went::Through
        })
    }

    async fn try_call(&self, id: Uuid) -> Result<Went, JobsError> {
        let (address, failed_calls, left) = match self.jobs.callback(id).await? {
            Callback::Nobody => return self.done_with(id).await,
            Callback::NotYet => return Ok(Went::Through),
            Callback::Tell {
                address,
                failed_calls,
                left,
            } => (address, failed_calls, left),
        };
        let place = match self.place(&address) {
            Ok(Some(place)) => place,
            // No call, so none that failed.
            Ok(None) => {
                self.jobs.postpone_callback(id, BUSY_PAUSE).await?;
                return Ok(Went::Busy);
            }
            Err(reason) => {
                self.missed(id, &reason, None, left).await?;
                return Ok(Went::Through);
            }
        };
        let Some(record) = self.jobs.record_in_bulk(id).await? else {
            return self.done_with(id).await;
        };
        let message = match Message::of(id, record.bytes()) {
            Ok(Some(message)) => message,
            Ok(None) => return Ok(Went::Through),
            Err(error) => {
                tracing::error!(session_id = %id, error = %error, "its record cannot be read, and nobody is told");
                return self.done_with(id).await;
            }
        };
        match self.send(place, &message).await {
            Verdict::Taken(status) => {
                tracing::info!(session_id = %id, status = status.as_u16(), failed_calls, "told a callback");
                self.metrics.told(Told::Taken);
                self.done_with(id).await
            }
            Verdict::Refused => {
                tracing::info!(session_id = %id, "a callback wants no more: 410");
                self.metrics.told(Told::GivenUp);
                self.done_with(id).await
            }
            Verdict::Missed {
                reason,
                retry_after,
            } => {
                self.missed(id, &reason, retry_after, left).await?;
                Ok(Went::Through)
            }
        }
    }

    async fn done_with(&self, id: Uuid) -> Result<Went, JobsError> {
        self.jobs.told(id).await?;
        Ok(Went::Through)
    }

    async fn missed(
        &self,
        id: Uuid,
        reason: &str,
        retry_after: Option<Duration>,
        left: Duration,
    ) -> Result<(), JobsError> {
        let failed_calls = self.jobs.missed(id).await?;
        let pause = backoff::pause(failed_calls, retry_after);
        if pause >= left {
            self.metrics.told(Told::GivenUp);
            tracing::warn!(session_id = %id, reason, failed_calls, "gave a callback up: its record expires before the next call");
            return self.jobs.told(id).await;
        }
        self.metrics.told(Told::Failed);
        let pause_s = pause.as_secs();
        tracing::warn!(session_id = %id, reason, failed_calls, pause_s, "a callback failed; trying again");
        self.jobs.postpone_callback(id, pause).await
    }

    /// Before the record is read: many that wait for one receiver come here again and again.
    fn place(&self, address: &str) -> Result<Option<Place<'_>>, String> {
        let url = Url::parse(address).map_err(|error| format!("its address is none: {error}"))?;
        self.poster.place(url).map_err(|error| error.to_string())
    }

    async fn send(&self, place: Place<'_>, message: &Message) -> Verdict {
        let missed = |reason: String| Verdict::Missed {
            reason,
            retry_after: None,
        };
        let Some(keys) = &self.keys else {
            return missed("WEBHOOK_SECRET is not set for this worker".to_owned());
        };
        let Ok(headers) = headers(message, keys) else {
            return missed("its headers cannot be written".to_owned());
        };
        match place.post(headers, Bytes::clone(&message.body)).await {
            Ok(answer) => verdict(answer),
            Err(error) => missed(error.to_string()),
        }
    }
}

fn verdict(answer: Posted) -> Verdict {
    match answer.status {
        status if status.is_success() => Verdict::Taken(status),
        StatusCode::GONE => Verdict::Refused,
        status => Verdict::Missed {
            reason: format!("the receiver answered {}", status.as_u16()),
            retry_after: answer.retry_after,
        },
    }
}

/// The signature covers the moment of the attempt, so that an old message cannot be sent again.
fn headers(message: &Message, keys: &SigningKeys) -> Result<HeaderMap, InvalidHeaderValue> {
    let now = Utc::now().timestamp();
    let signature = keys.sign(&message.id, now, &message.body);
    let value = |text: String| HeaderValue::try_from(text);
    Ok(HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static("*/*")),
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (
            HeaderName::from_static("webhook-id"),
            value(message.id.clone())?,
        ),
        (
            HeaderName::from_static("webhook-timestamp"),
            value(now.to_string())?,
        ),
        (
            HeaderName::from_static("webhook-signature"),
            value(signature)?,
        ),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_success_is_a_success_and_only_gone_is_final() {
        let answered = |status: u16| {
            verdict(Posted {
                status: StatusCode::from_u16(status).unwrap(),
                retry_after: None,
            })
        };
        for status in [200, 201, 202, 204, 299] {
            assert!(matches!(answered(status), Verdict::Taken(_)), "{status}");
        }
        assert_eq!(answered(410), Verdict::Refused);
        for status in [301, 302, 307, 400, 401, 404, 429, 500, 503] {
            assert!(
                matches!(answered(status), Verdict::Missed { .. }),
                "{status}"
            );
        }
    }
}
