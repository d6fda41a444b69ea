//! Parses REDIS_URL. One server: every form that the client accepts. Several: hosts separated by
//! commas, as in the URLs of other database drivers.

use crate::tls::CaFile;
use redis::{
    Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisResult, TlsCertificates,
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};
use std::time::Duration;

/// The default port of a sentinel.
const DEFAULT_SENTINEL_PORT: u16 = 26379;

/// The address is none of the forms of REDIS_URL.
#[derive(Debug, thiserror::Error)]
#[error(
    "is not an address of Redis: one server is redis://host:6379/0, rediss://… or redis+unix:///path; \
     a Cluster is redis://host1:port1,host2:port2; a Sentinel group is \
     redis+sentinel://host1:port1,host2:port2/name-of-the-master"
)]
pub struct InvalidRedisUrl;

/// A parsed REDIS_URL.
#[derive(Debug, Clone)]
pub(super) enum Address {
    Single(ConnectionInfo),
    /// Seed nodes of a Cluster, which know the other nodes.
    Cluster(Vec<ConnectionInfo>),
    Sentinels {
        sentinels: Vec<ConnectionInfo>,
        /// The name of the master in the sentinels' configuration.
        master: String,
        /// The connection settings of the master; its host is not known yet.
        server: ConnectionInfo,
    },
}

impl Address {
    pub(super) fn parse(text: &str, ca: Option<&CaFile>) -> Result<Self, InvalidRedisUrl> {
        let parsed = match UrlParts::parse(text) {
            Some(parts) => match parts.kind {
                UrlKind::Plain
                    if !parts.hosts.contains(',') && !parts.has_credentials_per_host() =>
                {
                    single_server(text)
                }
                UrlKind::Plain | UrlKind::Cluster => parts.cluster(),
                UrlKind::Sentinel => parts.sentinels(),
            },
            None => single_server(text),
        };
        let mut address = parsed.ok_or(InvalidRedisUrl)?;
        if let Some(ca) = ca {
            address.trust_ca(ca).map_err(|_not_taken| InvalidRedisUrl)?;
        }
        Ok(address)
    }

    /// Trusts these authorities in addition to the public ones.
    fn trust_ca(&mut self, ca: &CaFile) -> RedisResult<()> {
        let pem = ca.pem_with_public().into_bytes();
        let servers: Vec<&mut ConnectionInfo> = match self {
            Self::Single(server) => vec![server],
            Self::Cluster(seeds) => seeds.iter_mut().collect(),
            Self::Sentinels {
                sentinels, server, ..
            } => sentinels.iter_mut().chain([server]).collect(),
        };
        for server in servers {
            if matches!(server.addr(), ConnectionAddr::TcpTls { .. }) {
                let certificates = TlsCertificates {
                    client_tls: None,
                    root_cert: Some(pem.clone()),
                };
                // The client stores the certificates in the connection info; there is no other way
                // to set them.
                let client = Client::build_with_tls(server.clone(), certificates)?;
                *server = client.get_connection_info().clone();
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum UrlKind {
    Plain,
    Cluster,
    Sentinel,
}

/// The parts of a URL that may have several hosts.
struct UrlParts<'a> {
    kind: UrlKind,
    /// `redis` or `rediss`.
    scheme: &'a str,
    credentials: &'a str,
    hosts: &'a str,
    path: &'a str,
    query: &'a str,
}

impl<'a> UrlParts<'a> {
    /// `None` for any other scheme.
    fn parse(text: &'a str) -> Option<Self> {
        let (name, rest) = text.split_once("://")?;
        let (scheme, kind) = match name.split_once('+') {
            None => (name, UrlKind::Plain),
            Some((scheme, "cluster")) => (scheme, UrlKind::Cluster),
            Some((scheme, "sentinel")) => (scheme, UrlKind::Sentinel),
            Some(_) => return None,
        };
        if !matches!(scheme, "redis" | "rediss") {
            return None;
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        Some(Self {
            kind,
            scheme,
            credentials,
            hosts,
            path,
            query,
        })
    }

    /// Whether a host after the first has credentials; only one set is allowed, for all hosts.
    fn has_credentials_per_host(&self) -> bool {
        self.credentials.contains('@') && self.credentials.contains(',')
    }

    fn cluster(&self) -> Option<Address> {
        // A Cluster has only database 0.
        if !matches!(self.path, "" | "0")
            || self.has_credentials_per_host()
            || !self.query.is_empty()
        {
            return None;
        }
        let hosts = self.hosts.split(',');
        let seeds = hosts.map(|host| self.connection(self.credentials, host, "0"));
        Some(Address::Cluster(seeds.collect::<Option<_>>()?))
    }

    fn sentinels(&self) -> Option<Address> {
        let (master, database) = self.path.split_once('/').unwrap_or((self.path, "0"));
        if master.is_empty() || self.has_credentials_per_host() {
            return None;
        }
        let password = match self.query.split_once('=') {
            None if self.query.is_empty() => String::new(),
            Some(("sentinel_password", password)) if !password.contains('&') => {
                format!(":{password}")
            }
            _ => return None,
        };
        let sentinels = self.hosts.split(',').map(|host| {
            let portless = host.ends_with(']') || !host.contains(':');
            let host = if portless {
                format!("{host}:{DEFAULT_SENTINEL_PORT}")
            } else {
                host.to_owned()
            };
            self.connection(&password, &host, "")
        });
        Some(Address::Sentinels {
            sentinels: sentinels.collect::<Option<_>>()?,
            master: master.to_owned(),
            server: self.connection(self.credentials, "unknown", database)?,
        })
    }

    fn connection(&self, credentials: &str, host: &str, database: &str) -> Option<ConnectionInfo> {
        if host.is_empty() || host.starts_with(':') {
            return None;
        }
        let at = if credentials.is_empty() { "" } else { "@" };
        let scheme = self.scheme;
        let address = format!("{scheme}://{credentials}{at}{host}/{database}");
        connection_info(&address).ok()
    }
}

fn single_server(text: &str) -> Option<Address> {
    connection_info(text).ok().map(Address::Single)
}

fn connection_info(address: &str) -> RedisResult<ConnectionInfo> {
    // The client sets none of these by default. Without them a broken network goes unnoticed for as
    // long as the kernel retransmits.
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(10))
        .with_interval(Duration::from_secs(3));
    let settings = TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(keepalive)
        .set_user_timeout(Duration::from_secs(10));
    Ok(address.into_connection_info()?.set_tcp_settings(settings))
}

/// The connection settings of `like` for another server.
pub(super) fn connection_info_for(like: &ConnectionInfo, host: &str, port: u16) -> ConnectionInfo {
    let host = host.to_owned();
    let address = match like.addr() {
        ConnectionAddr::TcpTls {
            insecure,
            tls_params,
            ..
        } => ConnectionAddr::TcpTls {
            host,
            port,
            insecure: *insecure,
            tls_params: tls_params.clone(),
        },
        _ => ConnectionAddr::Tcp(host, port),
    };
    like.clone().set_addr(address)
}

#[cfg(test)]
mod tests;
