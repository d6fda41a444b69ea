//! Builds the server and runs it until a signal stops it.

use crate::{
    access, app, connections, head_method, http10, limits,
    metrics::{self, Metrics, MetricsServer},
    openapi,
    queue::QueueStream,
    request_log, security_headers,
    settings::ApiSettings,
    shutdown,
    state::AppState,
    stream::EventStreams,
};
use actix_cors::Cors;
use actix_web::{
    App, HttpServer,
    middleware::{Condition, from_fn},
    web,
};
use anyhow::Context;
use privachat_core::{
    history,
    jobs::{CachedDurability, Jobs, Notifier},
    keys,
    rate_limit::RateLimit,
    signals::Signals,
    supervisor::TaskSet,
};
use std::{net::SocketAddr, num::NonZeroUsize, time::Duration};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

/// Longer than load balancers keep an idle connection (usually 60 s): when the server closes first,
/// a request in transit is lost.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Time for the first request head of a connection; then the response is an empty 408. actix has no
/// such limit for later requests on the connection (docs/SECURITY.md).
const REQUEST_HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// Runs the API until a signal stops it.
pub(crate) async fn run(settings: ApiSettings) -> anyhow::Result<()> {
    connections::raise_open_file_limit();
    let history = history::open(&settings.shared.database_url)
        .await
        .context("the history cannot be opened")?;
    let jobs = Jobs::new(settings.shared.redis.clone());
    jobs.log_config_issues().await;
    let changes = Notifier::default();
    let stop = CancellationToken::new();
    let mut parts = TaskSet::default();
    parts.spawn(
        "the notifier",
        changes
            .clone()
            .run(jobs.redis().clone(), keys::CHANGED_CHANNEL, stop.clone()),
    );
    let proxies = settings.trusted_proxies.clone();
    let stopped = stop.clone();
    parts.spawn("the DNS refresh of trusted proxies", async move {
        let _stopped = stopped
            .run_until_cancelled(proxies.resolve_periodically())
            .await;
    });
    let feeds = EventStreams::new(jobs.clone(), changes.clone(), Handle::current());
    let queue = QueueStream::new(jobs.clone(), Handle::current());
    let rate_limit = settings
        .rate_limit
        .map(|per_minute| RateLimit::new(jobs.redis().clone(), per_minute));
    let state = web::Data::new(AppState {
        durability: CachedDurability::new(jobs.clone()),
        jobs,
        metrics: Metrics::new(),
        queue_stream: queue,
        event_streams: feeds,
        notifier: changes,
        history,
        capabilities: settings.capabilities.clone(),
        api_keys: settings.api_keys.clone(),
        rate_limit,
        trusted_proxies: settings.trusted_proxies.clone(),
        job_ttl: settings.shared.job_ttl,
        max_queue_length: settings.max_queue_length,
        environment: settings.environment.clone(),
        openapi_document: openapi::document().context("the API cannot be described")?,
        allowed_hosts: settings.shared.allowed_hosts.clone(),
        allowed_origins: settings.cors_origins.clone(),
        draining: CancellationToken::new(),
        shutdown: CancellationToken::new(),
    });
    let port = MetricsServer::bind(settings.shared.metrics_address.as_ref(), &state)?;
    tokio::select! {
        served = serve(&settings, state) => served?,
        closed = port.serve() => closed?,
        died = parts.next_exit() => return Err(died.into()),
    }
    // Only now: requests in flight wait for the notifier.
    stop.cancel();
    Ok(parts.join_all().await?)
}

async fn serve(settings: &ApiSettings, state: web::Data<AppState>) -> anyhow::Result<()> {
    let stopped = state.clone();
    let origins = settings.cors_origins.clone();
    let (has_keys, is_limited) = (!state.api_keys.is_empty(), state.rate_limit.is_some());
    let threads = std::thread::available_parallelism().map_or(2, NonZeroUsize::get);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            // A request passes these from the last to the first.
            .wrap(from_fn(limits::refuse_nul))
            .wrap(Condition::new(has_keys, from_fn(access::require_key)))
            .wrap(Condition::new(is_limited, from_fn(limits::limit_rate)))
            .wrap(Condition::new(has_keys, from_fn(access::authenticate)))
            .wrap(from_fn(limits::refuse_long_uri))
            .wrap(from_fn(access::check_origin))
            .wrap(Condition::new(!origins.is_empty(), cors(&origins)))
            .wrap(from_fn(access::check_host))
            .wrap(from_fn(limits::close_undrained))
            .wrap(from_fn(security_headers::add_security_headers))
            .wrap(from_fn(shutdown::close_while_draining))
            .wrap(from_fn(head_method::handle_head))
            .wrap(from_fn(http10::close_after_body))
            .wrap(from_fn(metrics::count_request))
            .wrap(from_fn(request_log::log_request))
            .configure(app::configure)
    })
    .workers(threads)
    .max_connections(connections::max_per_thread(threads))
    .client_request_timeout(REQUEST_HEAD_TIMEOUT)
    // A half-closed connection counts as closed: its synchronous search is cancelled.
    .h1_allow_half_closed(false)
    .on_connect(connections::configure_socket)
    .disable_signals()
    .shutdown_timeout(settings.shared.drain_timeout.as_secs())
    .keep_alive(KEEP_ALIVE)
    .bind((settings.host.as_str(), settings.port))
    .with_context(|| {
        let (host, port) = (&settings.host, settings.port);
        format!(
            "cannot listen on {host}:{port}: set API_HOST or API_PORT to an address that is free"
        )
    })?;
    let address = server
        .addrs()
        .first()
        .copied()
        .context("the server has no address")?;
    let signals = Signals::listen().context("cannot install the signal handlers")?;
    announce(settings, address)?;
    let server = server.run();
    let delay = settings.shutdown_delay;
    let told = shutdown::stop_on_signal(signals, server.handle(), &stopped, delay);
    tokio::select! {
        ended = server => ended.context("the server ended"),
        // actix ignores a second stop during the first one, so do not wait for the server here.
        () = told => Ok(()),
    }
}

fn announce(settings: &ApiSettings, address: SocketAddr) -> anyhow::Result<()> {
    if let Some(file) = &settings.addr_file {
        std::fs::write(file, address.to_string()).with_context(|| {
            format!(
                "cannot write the address to {} (API_ADDR_FILE)",
                file.display()
            )
        })?;
    }
    tracing::info!(%address, "listening");
    if settings.api_keys.allows_anonymous_search() && !address.ip().is_loopback() {
        tracing::warn!(
            "searches need no key and this address is not local: set API_KEYS, or API_HOST=127.0.0.1"
        );
    } else if settings.api_keys.allows_anonymous_search() && !settings.api_keys.is_empty() {
        tracing::info!(
            "searches need no key and all clients can read all searches: only API_ADMIN_KEYS is set"
        );
    } else if !settings.api_keys.is_empty() && !settings.api_keys.has_admin_key() {
        tracing::info!("no key may read the queue or the metrics: set API_ADMIN_KEYS");
    }
    Ok(())
}

fn cors(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allow_any_method()
        .allow_any_header()
        .expose_headers([
            "location",
            "retry-after",
            "x-request-id",
            "idempotent-replayed",
            "x-session-id",
            "ratelimit-limit",
            "ratelimit-remaining",
            "ratelimit-reset",
            "ratelimit-policy",
        ])
        .max_age(600);
    if origins.iter().any(|origin| origin == "*") {
        return cors.allow_any_origin();
    }
    origins
        .iter()
        .fold(cors.supports_credentials(), |cors, origin| {
            cors.allowed_origin(origin)
        })
}
