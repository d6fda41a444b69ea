//! One delivery of a callback: the call, and the next step by the receiver's response.

use super::{BUSY_DELAY, backoff, message::WebhookMessage};
use crate::{
    metrics::{CallbackOutcome, Metrics},
    web::fetch::{WebhookClient, WebhookPermit, WebhookResponse},
};
use bytes::Bytes;
use chrono::Utc;
use privachat_core::{
    jobs::{CallbackStatus, Jobs, JobsError},
    webhook::SigningKeys,
};
use reqwest::{
    StatusCode,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue},
};
use std::{sync::Arc, time::Duration};
use url::Url;
use uuid::Uuid;

pub(in crate::daemon) struct CallbackSender {
    pub(super) jobs: Jobs,
    pub(super) metrics: Arc<Metrics>,
    pub(super) client: WebhookClient,
    pub(super) keys: Option<SigningKeys>,
}

/// The result of a due delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeliveryResult {
    /// The call was made, or none is needed.
    Done,
    /// Postponed: the receiver has the most calls that it may have at once.
    Busy,
}

/// The outcome of a call.
#[derive(Debug, PartialEq, Eq)]
enum CallOutcome {
    Accepted(StatusCode),
    /// 410 Gone: no further calls.
    Gone,
    Failed {
        reason: String,
        retry_after: Option<Duration>,
    },
}

impl CallbackSender {
    /// Delivers the callback of a search, if it has one.
    pub(super) async fn deliver(&self, id: Uuid) -> DeliveryResult {
        self.try_deliver(id).await.unwrap_or_else(|error| {
            // It stays in the index and is due again when its lease expires.
            tracing::warn!(session_id = %id, error = %error, "callback interrupted; trying again when its lease expires");
            DeliveryResult::Done
        })
    }

    async fn try_deliver(&self, id: Uuid) -> Result<DeliveryResult, JobsError> {
        let (address, failed_calls, left) = match self.jobs.callback_status(id).await? {
            CallbackStatus::Settled => return self.mark_delivered(id).await,
            CallbackStatus::JobNotEnded => return Ok(DeliveryResult::Done),
            CallbackStatus::Pending {
                address,
                failed_calls,
                left,
            } => (address, failed_calls, left),
        };
        let place = match self.reserve_call(&address) {
            Ok(Some(place)) => place,
            // No call was made, so no failure is recorded.
            Ok(None) => {
                self.jobs.postpone_callback(id, BUSY_DELAY).await?;
                return Ok(DeliveryResult::Busy);
            }
            Err(reason) => {
                self.record_failure(id, &reason, None, left).await?;
                return Ok(DeliveryResult::Done);
            }
        };
        let Some(record) = self.jobs.record_pooled(id).await? else {
            return self.mark_delivered(id).await;
        };
        let message = match WebhookMessage::from_record(id, record.bytes()) {
            Ok(Some(message)) => message,
            Ok(None) => return Ok(DeliveryResult::Done),
            Err(error) => {
                tracing::error!(session_id = %id, error = %error, "cannot read the record of a finished search; callback dropped");
                return self.mark_delivered(id).await;
            }
        };
        match self.send(place, &message).await {
            CallOutcome::Accepted(status) => {
                tracing::info!(session_id = %id, status = status.as_u16(), failed_calls, "callback delivered");
                self.metrics.count_callback(CallbackOutcome::Taken);
                self.mark_delivered(id).await
            }
            CallOutcome::Gone => {
                tracing::info!(session_id = %id, "callback dropped: the receiver answered 410");
                self.metrics.count_callback(CallbackOutcome::GivenUp);
                self.mark_delivered(id).await
            }
            CallOutcome::Failed {
                reason,
                retry_after,
            } => {
                self.record_failure(id, &reason, retry_after, left).await?;
                Ok(DeliveryResult::Done)
            }
        }
    }

    async fn mark_delivered(&self, id: Uuid) -> Result<DeliveryResult, JobsError> {
        self.jobs.settle_callback(id).await?;
        Ok(DeliveryResult::Done)
    }

    async fn record_failure(
        &self,
        id: Uuid,
        reason: &str,
        retry_after: Option<Duration>,
        left: Duration,
    ) -> Result<(), JobsError> {
        let failed_calls = self.jobs.record_failed_delivery(id).await?;
        let pause = backoff::retry_delay(failed_calls, retry_after);
        if pause >= left {
            self.metrics.count_callback(CallbackOutcome::GivenUp);
            tracing::warn!(session_id = %id, reason, failed_calls, "callback given up: its record expires before the next call");
            return self.jobs.settle_callback(id).await;
        }
        self.metrics.count_callback(CallbackOutcome::Failed);
        let pause_s = pause.as_secs();
        tracing::warn!(session_id = %id, reason, failed_calls, pause_s, "a callback failed; trying again");
        self.jobs.postpone_callback(id, pause).await
    }

    /// Reserves a call to the receiver; `None` when it is busy. Runs before the record is read,
    /// since deliveries to a busy receiver come here again and again.
    fn reserve_call(&self, address: &str) -> Result<Option<WebhookPermit<'_>>, String> {
        let url = Url::parse(address).map_err(|error| format!("invalid callback_url: {error}"))?;
        self.client
            .try_reserve(url)
            .map_err(|error| error.to_string())
    }

    async fn send(&self, place: WebhookPermit<'_>, message: &WebhookMessage) -> CallOutcome {
        let missed = |reason: String| CallOutcome::Failed {
            reason,
            retry_after: None,
        };
        let Some(keys) = &self.keys else {
            return missed("WEBHOOK_SECRET is not set for this worker".to_owned());
        };
        let Ok(headers) = headers(message, keys) else {
            return missed("its headers cannot be written".to_owned());
        };
        match place.send(headers, Bytes::clone(&message.body)).await {
            Ok(answer) => classify(answer),
            Err(error) => missed(error.to_string()),
        }
    }
}

fn classify(answer: WebhookResponse) -> CallOutcome {
    match answer.status {
        status if status.is_success() => CallOutcome::Accepted(status),
        StatusCode::GONE => CallOutcome::Gone,
        status => CallOutcome::Failed {
            reason: format!("the receiver answered {}", status.as_u16()),
            retry_after: answer.retry_after,
        },
    }
}

/// The signature covers the time of the call, so that receivers can refuse replayed messages.
fn headers(message: &WebhookMessage, keys: &SigningKeys) -> Result<HeaderMap, InvalidHeaderValue> {
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
    fn every_2xx_is_accepted_and_410_is_final() {
        let answered = |status: u16| {
            classify(WebhookResponse {
                status: StatusCode::from_u16(status).unwrap(),
                retry_after: None,
            })
        };
        for status in [200, 201, 202, 204, 299] {
            assert!(
                matches!(answered(status), CallOutcome::Accepted(_)),
                "{status}"
            );
        }
        assert_eq!(answered(410), CallOutcome::Gone);
        for status in [301, 302, 307, 400, 401, 404, 429, 500, 503] {
            assert!(
                matches!(answered(status), CallOutcome::Failed { .. }),
                "{status}"
            );
        }
    }
}
