//! The worker's port, for those who look after it: `/livez`, `/readyz`, `/metrics`.

use super::{Metrics, door, names};
use actix_web::{
    App, HttpResponse, HttpServer, Route, dev::Server, guard, middleware::from_fn, web,
};
use anyhow::Context;
use privachat_core::{
    jobs::Jobs,
    metrics::{CONTENT_TYPE, Gauges, Moment},
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

/// Shorter than the `healthcheck` command waits.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is looked at.
pub struct Look {
    /// What was counted.
    pub metrics: Arc<Metrics>,
    /// The Redis that has to answer.
    pub jobs: Jobs,
    /// Where its connections live; not on the port's own thread, which ends with the port.
    pub runtime: Handle,
    /// Slots for each mode, and how many of them are in use.
    pub slots: Box<dyn Fn() -> (PerMode, PerMode) + Send + Sync>,
    /// Names of the search providers, and whether each is spared.
    pub breakers: Box<dyn Fn() -> Vec<(&'static str, bool)> + Send + Sync>,
    /// Searches are taken.
    pub taking: AtomicBool,
    /// The worker was told to stop.
    pub stop: CancellationToken,
}

/// An open port that nobody serves yet.
pub struct Port(Server);

impl Port {
    /// Opens it.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub fn open(address: &MetricsAddress, look: Arc<Look>) -> anyhow::Result<Self> {
        let look = web::Data::from(look);
        let hosts = web::Data::new(address.hosts.clone());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(look.clone())
                .app_data(hosts.clone())
                .wrap(from_fn(door::check_host))
                .service(web::resource("/livez").route(look_only().to(live)))
                .service(web::resource("/readyz").route(look_only().to(ready)))
                .service(web::resource("/metrics").route(look_only().to(metrics)))
        })
        .workers(1)
        .disable_signals()
        .shutdown_timeout(1)
        .bind((address.host.as_str(), address.port))
        .with_context(|| address.taken())?;
        let bound = server.addrs().first().copied();
        address.announce(bound.context("the port for metrics has no address")?)?;
        Ok(Self(server.run()))
    }

    /// Answers until it is dropped.
    pub async fn serve(self) {
        if let Err(error) = self.0.await {
            tracing::error!(error = %error, "the port for metrics closed");
        }
    }
}

/// GET, and HEAD: actix leaves out the body by itself.
fn look_only() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "alive" }))
}

async fn ready(look: web::Data<Look>) -> HttpResponse {
    match look.hindrance().await {
        None => HttpResponse::Ok().json(json!({ "status": "ready" })),
        Some(reason) => HttpResponse::ServiceUnavailable()
            .json(json!({ "status": "not ready", "reason": reason })),
    }
}

async fn metrics(look: web::Data<Look>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(CONTENT_TYPE)
        .body(look.text())
}

impl Look {
    /// Why searches are not run, if they are not.
    async fn hindrance(&self) -> Option<&'static str> {
        if self.stop.is_cancelled() {
            return Some("The worker is stopping: it finishes what it has begun");
        }
        if !self.taking.load(Ordering::Acquire) {
            return Some("The worker is starting: it takes no searches yet");
        }
        let redis = self.jobs.redis().clone();
        let asked = self.runtime.spawn(async move { redis.ping().await });
        match timeout(PATIENCE, asked).await {
            Ok(Ok(Ok(()))) => None,
            _ => Some("Redis does not answer"),
        }
    }

    fn text(&self) -> String {
        let mut moment = Moment::default();
        let (slots, running) = (self.slots)();
        let limits = moment.gauges(&names::SLOTS);
        // Speed searches may use every one.
        limits.set(["all".into()], number(slots.speed));
        set(&limits, slots);
        set(&moment.gauges(&names::RUNNING), running);
        let breakers = moment.gauges(&names::BREAKER_OPEN);
        for (upstream, is_open) in (self.breakers)() {
            breakers.set([upstream.into()], f64::from(u8::from(is_open)));
        }
        self.metrics.process.describe(&mut moment);
        self.metrics.registry.encode(&moment)
    }
}

fn set(gauges: &Gauges<1>, numbers: PerMode) {
    gauges.set(["speed".into()], number(numbers.speed));
    gauges.set(["balanced".into()], number(numbers.balanced));
    gauges.set(["deep".into()], number(numbers.deep));
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
