//! The HTTP server for probes and metrics: `/livez`, `/readyz`, `/metrics`.

use super::{Metrics, host_check, names};
use actix_web::{
    App, HttpResponse, HttpServer, Route, dev::Server, guard, middleware::from_fn, web,
};
use anyhow::Context;
use privachat_core::{
    jobs::Jobs,
    metrics::{CONTENT_TYPE, Gauges, ScrapeGauges},
    schema::worker::PerMode,
    settings::MetricsAddress,
};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{runtime::Handle, time::timeout};
use tokio_util::sync::CancellationToken;

/// Timeout of the ping to Redis; shorter than that of the `healthcheck` command.
const REDIS_PING_TIMEOUT: Duration = Duration::from_secs(2);

/// The state of the worker that probes and metrics show.
pub struct HealthProbe {
    /// The worker's counters.
    pub metrics: Arc<Metrics>,
    /// Its Redis must answer for `/readyz`.
    pub jobs: Jobs,
    /// Drives the connections to Redis; not the server's own thread, which ends with the server.
    pub runtime: Handle,
    /// Returns the slots of each mode, and how many of them are in use.
    pub slots: Box<dyn Fn() -> (PerMode, PerMode) + Send + Sync>,
    /// Returns each search provider, and whether its circuit breaker is open.
    pub breakers: Box<dyn Fn() -> Vec<(&'static str, bool)> + Send + Sync>,
    /// Whether the consumer runs.
    pub is_consuming: AtomicBool,
    /// Cancelled by a stop signal.
    pub stop: CancellationToken,
}

/// A bound server that does not answer yet.
pub struct MetricsServer(Server);

impl MetricsServer {
    /// Binds the address and announces it.
    ///
    /// # Errors
    /// When the address cannot be bound or announced.
    pub fn open(address: &MetricsAddress, look: Arc<HealthProbe>) -> anyhow::Result<Self> {
        let look = web::Data::from(look);
        let hosts = web::Data::new(address.allowed_hosts.clone());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(look.clone())
                .app_data(hosts.clone())
                .wrap(from_fn(host_check::check_host))
                .service(web::resource("/livez").route(get_or_head().to(live)))
                .service(web::resource("/readyz").route(get_or_head().to(ready)))
                .service(web::resource("/metrics").route(get_or_head().to(metrics)))
        })
        .workers(1)
        .disable_signals()
        .shutdown_timeout(1)
        .bind((address.host.as_str(), address.port))
        .with_context(|| address.bind_error())?;
        let bound = server.addrs().first().copied();
        address.publish(bound.context("the metrics server has no address")?)?;
        Ok(Self(server.run()))
    }

    /// Answers requests until it is dropped.
    pub async fn serve(self) {
        if let Err(error) = self.0.await {
            tracing::error!(error = %error, "the metrics server failed");
        }
    }
}

/// GET and HEAD; actix omits the body of the latter.
fn get_or_head() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "alive" }))
}

async fn ready(look: web::Data<HealthProbe>) -> HttpResponse {
    match look.unready_reason().await {
        None => HttpResponse::Ok().json(json!({ "status": "ready" })),
        Some(reason) => HttpResponse::ServiceUnavailable()
            .json(json!({ "status": "not ready", "reason": reason })),
    }
}

async fn metrics(look: web::Data<HealthProbe>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(CONTENT_TYPE)
        .body(look.render_metrics())
}

impl HealthProbe {
    /// Why the worker is not ready; `None` when it is.
    async fn unready_reason(&self) -> Option<&'static str> {
        if self.stop.is_cancelled() {
            return Some("The worker is stopping: it finishes what it has begun");
        }
        if !self.is_consuming.load(Ordering::Acquire) {
            return Some("The worker is starting: it takes no searches yet");
        }
        let redis = self.jobs.redis().clone();
        let asked = self.runtime.spawn(async move { redis.ping().await });
        match timeout(REDIS_PING_TIMEOUT, asked).await {
            Ok(Ok(Ok(()))) => None,
            _ => Some("Redis does not answer"),
        }
    }

    fn render_metrics(&self) -> String {
        let mut moment = ScrapeGauges::default();
        let (slots, running) = (self.slots)();
        let limits = moment.gauges(&names::SLOTS);
        // Speed searches may use every slot.
        limits.set(["all".into()], gauge_value(slots.speed));
        set_per_mode(&limits, slots);
        set_per_mode(&moment.gauges(&names::RUNNING), running);
        let breakers = moment.gauges(&names::BREAKER_OPEN);
        for (upstream, is_open) in (self.breakers)() {
            breakers.set([upstream.into()], f64::from(u8::from(is_open)));
        }
        self.metrics.process.record(&mut moment);
        self.metrics.registry.encode(&moment)
    }
}

fn set_per_mode(gauges: &Gauges<1>, numbers: PerMode) {
    gauges.set(["speed".into()], gauge_value(numbers.speed));
    gauges.set(["balanced".into()], gauge_value(numbers.balanced));
    gauges.set(["deep".into()], gauge_value(numbers.deep));
}

fn gauge_value(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
