//! The metrics port (METRICS_PORT): probes and metrics only, without a key.

use super::endpoint;
use crate::{
    access,
    app::{GET, only},
    head_method,
    routes::health,
    state::AppState,
};
use actix_web::{App, HttpServer, dev::Server, middleware::from_fn, web};
use anyhow::Context;
use privachat_core::settings::MetricsAddress;

/// The server on the metrics port; `None` when none is set.
pub(crate) struct MetricsServer(Option<Server>);

impl MetricsServer {
    /// Listens on `address`.
    ///
    /// # Errors
    /// When the address is taken or its file cannot be written.
    pub(crate) fn bind(
        address: Option<&MetricsAddress>,
        state: &web::Data<AppState>,
    ) -> anyhow::Result<Self> {
        let Some(address) = address else {
            return Ok(Self(None));
        };
        let state = state.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(state.clone())
                .wrap(from_fn(access::check_host))
                .wrap(from_fn(head_method::handle_head))
                .service(only(GET, "/livez").route(web::get().to(health::live)))
                .service(only(GET, "/readyz").route(web::get().to(health::ready)))
                .service(only(GET, "/metrics").route(web::get().to(endpoint::get_without_key)))
        })
        .workers(1)
        .disable_signals()
        .shutdown_timeout(1)
        .bind((address.host.as_str(), address.port))
        .with_context(|| address.bind_error())?;
        let bound = server.addrs().first().copied();
        address.publish(bound.context("the metrics port has no address")?)?;
        Ok(Self(Some(server.run())))
    }

    /// Serves until this future is dropped.
    pub(crate) async fn serve(self) -> anyhow::Result<()> {
        match self.0 {
            Some(server) => server.await.context("the metrics port closed"),
            None => std::future::pending().await,
        }
    }
}
