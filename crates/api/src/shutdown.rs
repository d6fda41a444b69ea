//! From being told to stop to the end: first others hear of it, then requests in flight may end.

use crate::state::State;
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

/// After the first signal `/readyz` says no and connections are closed behind their answers, but
/// requests are taken for `delay`: load balancers send them until they have noticed. Then streams and
/// requests in flight end. Returns when there is a second signal.
pub(crate) async fn stop_when_told(
    mut signals: Signals,
    server: ServerHandle,
    state: &State,
    delay: Duration,
) {
    signals.heard().await;
    state.leaving.cancel();
    if !delay.is_zero() {
        let delay_s = delay.as_secs();
        tracing::info!(
            delay_s,
            "leaving; taking requests until load balancers have noticed"
        );
        tokio::select! {
            () = sleep(delay) => {}
            () = signals.heard() => return tracing::warn!("told to stop at once"),
        }
    }
    tracing::info!("stopping; requests in flight may end");
    state.stopping.cancel();
    let ending = server.stop(true);
    signals.heard().await;
    tracing::warn!("told to stop at once");
    drop(ending);
}

/// Once the process is leaving, the next request shall come by a new connection: a load balancer
/// brings that to another process.
pub(crate) async fn close_connection(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let state = request.app_data::<web::Data<State>>().cloned();
    let mut response = next.call(request).await?;
    let is_leaving = state.is_some_and(|state| state.leaving.is_cancelled());
    if is_leaving && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        let head = response.response_mut().head_mut();
        head.set_connection_type(ConnectionType::Close);
    }
    Ok(response)
}
