//! [`SharedSettings`]: the settings that both binaries use.

use super::SettingsReader;
use crate::{
    allowed_hosts::AllowedHosts,
    connection::Redis,
    domain::with_ascii_hosts,
    history::DatabaseUrl,
    telemetry::{LogFormat, LogSettings},
    webhook::SigningKeys,
};
use anyhow::Context as _;
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use url::Url;

const DEFAULT_REDIS_URL: &str = "redis://localhost:6379/0";
const DEFAULT_DATABASE_URL: &str = "sqlite://data/privachat.db";

/// The settings that both binaries use.
#[derive(Clone)]
pub struct SharedSettings {
    /// REDIS_URL, not connected yet.
    pub redis: Redis,
    /// The database of the history.
    pub database_url: DatabaseUrl,
    /// The lifetime of the record of an ended search.
    pub job_ttl: Duration,
    /// How long a stopping process may finish its running searches or requests.
    pub drain_timeout: Duration,
    /// The keys that sign callbacks; callbacks are off if `None`.
    pub webhook_keys: Option<SigningKeys>,
    /// The address of `/metrics`, `/livez` and `/readyz` without a key; not opened if `None`.
    pub metrics_address: Option<MetricsAddress>,
    /// The host names that the process accepts.
    pub allowed_hosts: AllowedHosts,
    /// The collector of traces; tracing is off if `None`.
    pub otlp_endpoint: Option<Url>,
    /// Level and format of the log.
    pub log: LogSettings,
}

/// The listen address for metrics and probes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricsAddress {
    /// A host name or an IP address.
    pub host: String,
    /// The port; 0 for a free one.
    pub port: u16,
    /// The file for the actual address once the process listens.
    pub addr_file: Option<PathBuf>,
    /// The host names that this port accepts.
    pub allowed_hosts: AllowedHosts,
}

impl MetricsAddress {
    /// The error message if the process cannot listen on this address.
    #[must_use]
    pub fn bind_error(&self) -> String {
        let Self { host, port, .. } = self;
        format!(
            "cannot listen on {host}:{port}: set METRICS_HOST or METRICS_PORT to a free address"
        )
    }

    /// Logs the actual address and writes it to `addr_file`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn publish(&self, address: SocketAddr) -> anyhow::Result<()> {
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
    /// Reads the settings; errors stay in the reader. `None` when one of them has no default to go
    /// on with.
    pub fn read(reader: &mut SettingsReader<'_>) -> Option<Self> {
        let redis_url = reader
            .text("REDIS_URL")
            .unwrap_or_else(|| DEFAULT_REDIS_URL.to_owned());
        let redis_ca = reader.ca_file("REDIS_CA_FILE");
        if redis_ca.is_some() && !redis_url.starts_with("rediss") {
            let problem = "needs a REDIS_URL that begins with rediss: this one is not encrypted";
            reader.add_error("REDIS_CA_FILE", problem);
        }
        let redis = Redis::open_with_ca(&with_ascii_hosts(&redis_url), redis_ca.as_ref())
            .map_err(|invalid| reader.add_error("REDIS_URL", invalid.to_string()))
            .ok();
        let database_url = reader
            .text("DATABASE_URL")
            .unwrap_or_else(|| DEFAULT_DATABASE_URL.to_owned());
        let database_ca = reader.ca_file("DATABASE_CA_FILE");
        let database_url =
            DatabaseUrl::parse_with_ca(&with_ascii_hosts(&database_url), database_ca)
                .map_err(|invalid| reader.add_error("DATABASE_URL", invalid.to_string()))
                .ok();
        let job_ttl = Duration::from_secs(reader.number("JOB_TTL_SECONDS", 86_400, 60..=604_800));
        let drain = Duration::from_secs(reader.number("DRAIN_SECONDS", 70, 0..=3600));
        let webhook_keys = reader.parse(
            "WEBHOOK_SECRET",
            "whsec_ and the base64 of 24 to 64 random bytes; two separated by a comma during a rotation",
        );
        let hosts = read_allowed_hosts(reader);
        let metrics = reader
            .parse("METRICS_PORT", "a port from 0 to 65535")
            .map(|port| MetricsAddress {
                host: reader
                    .text("METRICS_HOST")
                    .unwrap_or_else(|| "127.0.0.1".to_owned()),
                port,
                addr_file: reader.text("METRICS_ADDR_FILE").map(PathBuf::from),
                allowed_hosts: hosts.clone(),
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
            reader.add_error("LOG_LEVEL", problem);
        }
        Some(Self {
            redis: redis?,
            database_url: database_url?,
            job_ttl,
            drain_timeout: drain,
            webhook_keys,
            metrics_address: metrics,
            allowed_hosts: hosts,
            otlp_endpoint: otlp,
            log,
        })
    }
}

/// The names of ALLOWED_HOSTS, API_HOST and METRICS_HOST.
fn read_allowed_hosts(reader: &mut SettingsReader<'_>) -> AllowedHosts {
    let named = AllowedHosts::parse(&reader.list("ALLOWED_HOSTS")).unwrap_or_else(|problem| {
        reader.add_error("ALLOWED_HOSTS", problem);
        AllowedHosts::default()
    });
    ["API_HOST", "METRICS_HOST"]
        .into_iter()
        .filter_map(|setting| reader.text(setting))
        .fold(named, |hosts, name| hosts.with_listen_host(&name))
}
