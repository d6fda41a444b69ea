//! What both binaries need.

use super::Reader;
use crate::{
    connection::Redis,
    domain::with_ascii_hosts,
    history::DatabaseUrl,
    hosts::AllowedHosts,
    telemetry::{LogFormat, LogSettings},
    webhook::SigningKeys,
};
use anyhow::Context as _;
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use url::Url;

const REDIS_URL: &str = "redis://localhost:6379/0";
const DATABASE_URL: &str = "sqlite://data/privachat.db";

/// Settings of both binaries.
#[derive(Clone)]
pub struct SharedSettings {
    /// The Redis to work on.
    pub redis: Redis,
    /// Where finished searches are kept.
    pub database_url: DatabaseUrl,
    /// How long the record of an ended search lives.
    pub job_ttl: Duration,
    /// How long the process finishes what it has begun when it is told to stop.
    pub drain: Duration,
    /// What callbacks are signed with; without it there are none.
    pub webhook_keys: Option<SigningKeys>,
    /// Where the process is looked at: `/metrics`, `/livez`, `/readyz`, without a key.
    pub metrics: Option<MetricsAddress>,
    /// The names that the process answers to.
    pub hosts: AllowedHosts,
    /// Where traces go.
    pub otlp: Option<Url>,
    /// What is logged, and how.
    pub log: LogSettings,
}

/// Host and port of the endpoint for metrics; port 0 is a free one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricsAddress {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Where the address is written once the process listens.
    pub addr_file: Option<PathBuf>,
    /// The names that it answers to.
    pub hosts: AllowedHosts,
}

impl MetricsAddress {
    /// What to do when it cannot be listened on.
    #[must_use]
    pub fn taken(&self) -> String {
        let Self { host, port, .. } = self;
        format!(
            "cannot listen on {host}:{port}: set METRICS_HOST or METRICS_PORT to an address that is free"
        )
    }

    /// Says where the process listens.
    ///
    /// # Errors
    /// When the file for the address cannot be written.
    pub fn announce(&self, address: SocketAddr) -> anyhow::Result<()> {
        if let Some(file) = &self.addr_file {
            std::fs::write(file, address.to_string()).with_context(|| {
                let file = file.display();
                format!("cannot write the address to {file} (METRICS_ADDR_FILE)")
            })?;
        }
        tracing::info!(%address, "listening for metrics and probes");
        Ok(())
    }
}

impl SharedSettings {
    /// Reads them; complaints stay in the reader. `None` when one of them has no default to go on
    /// with.
    pub fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let redis_url = reader
            .text("REDIS_URL")
            .unwrap_or_else(|| REDIS_URL.to_owned());
        let redis_ca = reader.ca_file("REDIS_CA_FILE");
        if redis_ca.is_some() && !redis_url.starts_with("rediss") {
            let problem = "needs a REDIS_URL that begins with rediss: this one is not encrypted";
            reader.complain("REDIS_CA_FILE", problem);
        }
        let redis = Redis::open_trusting(&with_ascii_hosts(&redis_url), redis_ca.as_ref())
            .map_err(|invalid| reader.complain("REDIS_URL", invalid.to_string()))
            .ok();
        let database_url = reader
            .text("DATABASE_URL")
            .unwrap_or_else(|| DATABASE_URL.to_owned());
        let database_ca = reader.ca_file("DATABASE_CA_FILE");
        let database_url =
            DatabaseUrl::parse_trusting(&with_ascii_hosts(&database_url), database_ca)
                .map_err(|invalid| reader.complain("DATABASE_URL", invalid.to_string()))
                .ok();
        let job_ttl = Duration::from_secs(reader.number("JOB_TTL_SECONDS", 86_400, 60..=604_800));
        let drain = Duration::from_secs(reader.number("DRAIN_SECONDS", 70, 0..=3600));
        let webhook_keys = reader.parse(
            "WEBHOOK_SECRET",
            "whsec_ and the base64 of 24 to 64 random bytes; two, with a comma in between, while you change it",
        );
        let hosts = hosts(reader);
        let metrics = reader
            .parse("METRICS_PORT", "a port from 0 to 65535")
            .map(|port| MetricsAddress {
                host: reader
                    .text("METRICS_HOST")
                    .unwrap_or_else(|| "127.0.0.1".to_owned()),
                port,
                addr_file: reader.text("METRICS_ADDR_FILE").map(PathBuf::from),
                hosts: hosts.clone(),
            });
        let otlp = reader.http_url("OTEL_EXPORTER_OTLP_ENDPOINT");
        let format = reader
            .parse("LOG_FORMAT", "json, pretty or auto")
            .unwrap_or(LogFormat::Auto);
        let level = reader
            .text("LOG_LEVEL")
            .unwrap_or_else(|| "info".to_owned());
        let log = LogSettings { level, format };
        if let Err(problem) = log.check() {
            reader.complain("LOG_LEVEL", problem);
        }
        Some(Self {
            redis: redis?,
            database_url: database_url?,
            job_ttl,
            drain,
            webhook_keys,
            metrics,
            hosts,
            otlp,
            log,
        })
    }
}

/// The names of ALLOWED_HOSTS, and those that the process is told to listen at.
fn hosts(reader: &mut Reader<'_>) -> AllowedHosts {
    let named = AllowedHosts::parse(&reader.list("ALLOWED_HOSTS")).unwrap_or_else(|problem| {
        reader.complain("ALLOWED_HOSTS", problem);
        AllowedHosts::default()
    });
    ["API_HOST", "METRICS_HOST"]
        .into_iter()
        .filter_map(|setting| reader.text(setting))
        .fold(named, |hosts, name| hosts.and(&name))
}
