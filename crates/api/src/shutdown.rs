//! The stop after a signal: first drain (load balancers turn away), then shutdown (requests in
//! flight end).

use crate::state::AppState;
use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServerHandle, ServiceRequest, ServiceResponse},
    http::{ConnectionType, StatusCode},
    middleware::Next,
    web,
};
use privachat_core::signals::Signals;
use std::time::Duration;
use tokio::time::sleep;

/// After the first signal `/readyz` fails and connections close after their response, but requests
/// are served for `delay`: load balancers need that long to notice. Then event streams end and
/// requests in flight may finish. Returns at a second signal.
pub(crate) async fn stop_on_signal(
    mut signals: Signals,
    server: ServerHandle,
    state: &AppState,
    delay: Duration,
) {
    signals.recv().await;
    state.draining.cancel();
    if !delay.is_zero() {
        let delay_s = delay.as_secs();
        tracing::info!(
            delay_s,
            "draining; serving requests until load balancers have noticed"
        );
        tokio::select! {
            () = sleep(delay) => {}
            () = signals.recv() => return tracing::warn!("told to stop at once"),
        }
    }
    tracing::info!("stopping; requests in flight may finish");
    state.shutdown.cancel();
    let ending = server.stop(true);
    signals.recv().await;
    tracing::warn!("told to stop at once");
    drop(ending);
}

/// Closes each connection after its response while the process drains: a load balancer opens the
/// next one to another process.
pub(crate) async fn close_while_draining(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let state = request.app_data::<web::Data<AppState>>().cloned();
    let mut response = next.call(request).await?;
    let is_leaving = state.is_some_and(|state| state.draining.is_cancelled());
    if is_leaving && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        let head = response.response_mut().head_mut();
        head.set_connection_type(ConnectionType::Close);
    }
    Ok(response)
}
