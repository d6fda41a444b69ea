//! Parses DATABASE_URL. No error repeats the value: it may hold a password.

use super::encryption::{Authorities, Encryption};
use crate::tls::CaFile;
use percent_encoding::percent_decode_str;
use std::fmt;
use std::path::{Path, PathBuf};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, SslNegotiation};

/// A parsed DATABASE_URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// An SQLite file.
    Sqlite(SqliteFile),
    /// A Postgres server.
    Postgres(PostgresUrl),
}

/// The path of an SQLite file; never one of SQLite's special names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteFile(PathBuf);

/// The address of a Postgres server with its password; `Debug` shows only the name of the database.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl {
    config: Box<Config>,
    encryption: Encryption,
}

/// Why DATABASE_URL cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// The scheme is missing or unknown.
    #[error("DATABASE_URL must start with sqlite:// or postgres://")]
    Scheme,
    /// An in-memory database, which processes cannot share.
    #[error("DATABASE_URL must name a file: an in-memory database is not shared between processes")]
    InMemory,
    /// No path after `sqlite://`.
    #[error(
        "DATABASE_URL must name a file: sqlite://data/privachat.db or sqlite:///var/lib/privachat.db"
    )]
    NoFile,
    /// `?…` after a SQLite path.
    #[error("DATABASE_URL takes no parameters (?…) for SQLite")]
    SqliteParameters,
    /// No server in a Postgres URL.
    #[error("DATABASE_URL must name a server: postgres://user:password@host/database")]
    NoHost,
    /// A character in the user or password that must be percent-encoded.
    #[error("DATABASE_URL must write @ / ? # in its user or password as %40 %2F %3F %23")]
    Unescaped,
    /// A port outside 1–65535.
    #[error("DATABASE_URL has a port that is not a number from 1 to 65535")]
    Port,
    /// A parameter, or its value, that the driver does not accept.
    #[error("DATABASE_URL has a parameter (?…) that is not known, or a value that does not fit it")]
    Parameter,
    /// An unknown sslmode.
    #[error(
        "DATABASE_URL has an sslmode that is not known: use disable, prefer, require, verify-ca or verify-full"
    )]
    SslMode,
    /// An sslrootcert that the sslmode would ignore.
    #[error(
        "DATABASE_URL has an sslrootcert that its sslmode does not use: say sslmode=verify-full, or leave sslrootcert out"
    )]
    SslRootCert,
    /// Public authorities without a check of the host name.
    #[error(
        "DATABASE_URL trusts public authorities without checking the host name: say sslmode=verify-full, or let sslrootcert name the file of an authority of your own"
    )]
    SslHostName,
    /// A DATABASE_CA_FILE that the sslmode would ignore.
    #[error(
        "DATABASE_URL has an sslmode that does not use DATABASE_CA_FILE: say sslmode=verify-full, or set no such file"
    )]
    UnusedCaFile,
    /// Both sslrootcert and DATABASE_CA_FILE.
    #[error("DATABASE_URL has an sslrootcert, and DATABASE_CA_FILE is set: use one of them")]
    TwoCaFiles,
    /// Direct TLS negotiation without an sslmode that demands encryption.
    #[error(
        "DATABASE_URL has sslnegotiation=direct, which needs sslmode=require, verify-ca or verify-full"
    )]
    SslNegotiation,
}

const POSTGRES_SCHEMES: [&str; 3] = ["postgres", "postgresql", "postgresql+asyncpg"];

impl DatabaseUrl {
    /// Parses DATABASE_URL.
    ///
    /// # Errors
    /// The first fault; the message never repeats the value.
    pub fn parse(text: &str) -> Result<Self, DatabaseUrlError> {
        Self::parse_with_ca(text, None)
    }

    /// Like [`Self::parse`], and trusts these authorities for Postgres; SQLite ignores them.
    ///
    /// # Errors
    /// As [`Self::parse`]; [`DatabaseUrlError::UnusedCaFile`] and [`DatabaseUrlError::TwoCaFiles`],
    /// too.
    pub fn parse_with_ca(text: &str, ca: Option<CaFile>) -> Result<Self, DatabaseUrlError> {
        let text = text.trim();
        if text == "sqlite::memory:" {
            return Err(DatabaseUrlError::InMemory);
        }
        let (scheme, rest) = text.split_once("://").ok_or(DatabaseUrlError::Scheme)?;
        if scheme == "sqlite" {
            return SqliteFile::parse(rest).map(Self::Sqlite);
        }
        if POSTGRES_SCHEMES.contains(&scheme) {
            return PostgresUrl::parse(rest, ca).map(Self::Postgres);
        }
        Err(DatabaseUrlError::Scheme)
    }
}

impl SqliteFile {
    fn parse(path: &str) -> Result<Self, DatabaseUrlError> {
        if path.contains(":memory:") {
            return Err(DatabaseUrlError::InMemory);
        }
        if path.contains('?') {
            return Err(DatabaseUrlError::SqliteParameters);
        }
        if path.is_empty() || path.ends_with('/') || path.contains('\0') {
            return Err(DatabaseUrlError::NoFile);
        }
        // Without a folder in front, SQLite would read "file:…" as a URI.
        Ok(Self(Path::new(".").join(path)))
    }

    pub(super) fn as_path(&self) -> &Path {
        &self.0
    }
}

impl PostgresUrl {
    fn parse(rest: &str, ca: Option<CaFile>) -> Result<Self, DatabaseUrlError> {
        let (address, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = address.split_once('/').unwrap_or((address, ""));
        let hosts = match authority.split_once('@') {
            Some((_, hosts)) => hosts,
            None => authority,
        };
        if [hosts, database, parameters]
            .iter()
            .any(|part| part.contains(['@', '#']))
        {
            return Err(DatabaseUrlError::Unescaped);
        }
        let pairs = parameters
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let last = |name| {
            let mut values = pairs.clone().filter(|(key, _)| *key == name);
            values.next_back().map(|(_, value)| value)
        };
        if hosts.is_empty() && last("host").is_none() {
            return Err(DatabaseUrlError::NoHost);
        }
        hosts.split(',').try_for_each(check_port)?;
        let authorities = match (last("sslrootcert").map(parse_root_cert).transpose()?, ca) {
            (Some(_), Some(_)) => return Err(DatabaseUrlError::TwoCaFiles),
            (named, ca) => named.or(ca.map(Authorities::CaFile)),
        };
        let encryption = Encryption::from_parameters(last("sslmode"), authorities)?;

        // The driver does not give these two the meaning that libpq does.
        let others: Vec<String> = pairs
            .filter(|(key, _)| !key.is_empty() && !["sslmode", "sslrootcert"].contains(key))
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let config: Config = format!("postgres://{address}?{}", others.join("&"))
            .parse()
            .map_err(|_may_repeat_it| DatabaseUrlError::Parameter)?;
        Self::new(config, encryption)
    }

    fn new(mut config: Config, encryption: Encryption) -> Result<Self, DatabaseUrlError> {
        let is_direct = config.get_ssl_negotiation() == SslNegotiation::Direct;
        if is_direct && !encryption.is_required() {
            return Err(DatabaseUrlError::SslNegotiation);
        }
        let is_local = |host: &Host| matches!(host, Host::Unix(_));
        // As in libpq: Postgres does not encrypt Unix sockets.
        let stays_here =
            config.get_hosts().iter().all(is_local) && config.get_hostaddrs().is_empty();
        let encryption = match encryption {
            _ if stays_here => Encryption::Disabled,
            asked => asked,
        };
        config.ssl_mode(match &encryption {
            Encryption::Disabled => SslMode::Disable,
            Encryption::Preferred => SslMode::Prefer,
            Encryption::Unverified | Encryption::Verified { .. } => SslMode::Require,
        });
        Ok(Self {
            config: Box::new(config),
            encryption,
        })
    }

    /// The driver's configuration, with the password.
    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn encryption(&self) -> &Encryption {
        &self.encryption
    }

    fn database(&self) -> &str {
        self.config.get_dbname().unwrap_or_default()
    }
}

fn parse_root_cert(value: &str) -> Result<Authorities, DatabaseUrlError> {
    let path = percent_decode_str(value)
        .decode_utf8()
        .map_err(|_may_repeat_it| DatabaseUrlError::Parameter)?;
    match path.as_ref() {
        "" => Err(DatabaseUrlError::Parameter),
        "system" => Ok(Authorities::System),
        path => Ok(Authorities::File(PathBuf::from(path))),
    }
}

fn check_port(host: &str) -> Result<(), DatabaseUrlError> {
    let after_brackets = host.rsplit_once(']').map_or(host, |(_, rest)| rest);
    match after_brackets.split_once(':') {
        None => Ok(()),
        Some((_, port)) => match port.parse::<u16>() {
            Ok(1..) => Ok(()),
            _ => Err(DatabaseUrlError::Port),
        },
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(f, "SQLite file {}", file.0.display()),
            Self::Postgres(url) => write!(f, "Postgres database {:?}", url.database()),
        }
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({:?})", self.database())
    }
}
