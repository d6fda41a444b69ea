//! DATABASE_URL, read once. Nothing here repeats the value: it may hold a password.

use std::fmt;
use std::path::{Path, PathBuf};

/// Which database keeps the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file on this machine.
    Sqlite(SqliteFile),
    /// A server.
    Postgres(PostgresUrl),
}

/// The path of a SQLite file; never one of SQLite's special names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteFile(PathBuf);

/// The address of a Postgres server, password included; shown only as the database's name.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

/// Why DATABASE_URL cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// No scheme, or one that is not known.
    #[error("DATABASE_URL must start with sqlite:// or postgres://")]
    Scheme,
    /// A database that every process would have for itself.
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
    /// No server in a Postgres address.
    #[error("DATABASE_URL must name a server: postgres://user:password@host/database")]
    NoHost,
    /// A character that ends the password early.
    #[error("DATABASE_URL must write @ / ? # in its user or password as %40 %2F %3F %23")]
    Unescaped,
    /// A port outside 1–65535.
    #[error("DATABASE_URL has a port that is not a number from 1 to 65535")]
    Port,
    /// An sslmode that asks for more than the driver gives.
    #[error(
        "DATABASE_URL asks for an sslmode that is not available: use sslmode=prefer or disable, and a private network or a tunnel to the server"
    )]
    SslMode,
}

const POSTGRES_SCHEMES: [&str; 3] = ["postgres", "postgresql", "postgresql+asyncpg"];

impl DatabaseUrl {
    /// Reads DATABASE_URL.
    ///
    /// # Errors
    /// Names the fault, never the value.
    pub fn parse(text: &str) -> Result<Self, DatabaseUrlError> {
        let text = text.trim();
        if text == "sqlite::memory:" {
            return Err(DatabaseUrlError::InMemory);
        }
        let (scheme, rest) = text.split_once("://").ok_or(DatabaseUrlError::Scheme)?;
        if scheme == "sqlite" {
            return SqliteFile::parse(rest).map(Self::Sqlite);
        }
        if POSTGRES_SCHEMES.contains(&scheme) {
            return PostgresUrl::parse(rest).map(Self::Postgres);
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
        // "file:…" would be read as SQLite's own kind of address.
        Ok(Self(Path::new(".").join(path)))
    }

    pub(super) fn as_path(&self) -> &Path {
        &self.0
    }
}

impl PostgresUrl {
    fn parse(rest: &str) -> Result<Self, DatabaseUrlError> {
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
        let parameter = |name| {
            let mut pairs = parameters
                .split('&')
                .filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        if hosts.is_empty() && parameter("host").is_none() {
            return Err(DatabaseUrlError::NoHost);
        }
        hosts.split(',').try_for_each(check_port)?;
        if !matches!(parameter("sslmode"), None | Some("disable" | "prefer")) {
            return Err(DatabaseUrlError::SslMode);
        }
        Ok(Self(format!("postgres://{rest}")))
    }

    /// The whole address with its password, for the driver alone.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    fn database(&self) -> &str {
        let address = self.0.split('?').next().unwrap_or_default();
        address.splitn(4, '/').nth(3).unwrap_or_default()
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
