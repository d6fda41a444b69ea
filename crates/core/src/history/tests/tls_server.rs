//! A Postgres server on the network with a certificate of a test authority.

use super::postgres_server::PostgresServer;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use std::net::TcpListener;
use std::path::PathBuf;
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// Encrypted connections need a password and are refused to the user `plain`; unencrypted ones are
/// open.
const RULES: &str = "\
local all all trust
hostssl all plain 127.0.0.1/32 reject
hostssl all all 127.0.0.1/32 scram-sha-256
hostnossl all all 127.0.0.1/32 trust
";

pub(super) struct TlsServer {
    server: PostgresServer,
    port: u16,
    folder: TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

/// The server that all tests share, with a certificate for `localhost`.
pub(super) async fn shared() -> &'static TlsServer {
    static SERVER: OnceCell<TlsServer> = OnceCell::const_new();
    let made = SERVER.get_or_init(|| async {
        let mut server = TlsServer::new();
        server.certify(&localhost());
        server.start();
        server.create_users().await;
        server
    });
    made.await
}

pub(super) fn localhost() -> CertificateParams {
    CertificateParams::new(["localhost".to_owned()]).unwrap()
}

pub(super) fn expired() -> CertificateParams {
    let mut params = localhost();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2021, 1, 1);
    params
}

pub(super) fn an_authority() -> CertificateParams {
    let mut params = localhost();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

impl TlsServer {
    /// Creates the server without a certificate; does not start it.
    pub(super) fn new() -> Self {
        let mut server = PostgresServer::new();
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .unwrap()
            .port();
        server.write("pg_hba.conf", RULES);
        server.listen(port, "-c ssl=off");
        let folder = tempfile::tempdir().unwrap();
        let authority = authority("ours");
        std::fs::write(folder.path().join("ours.pem"), authority.pem()).unwrap();
        let other = self::authority("another");
        std::fs::write(folder.path().join("other.pem"), other.pem()).unwrap();
        Self {
            server,
            port,
            folder,
            authority,
        }
    }

    /// Turns encryption on, from the next start.
    pub(super) fn certify(&mut self, params: &CertificateParams) {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.authority).unwrap();
        self.server.write("server.crt", &certificate.pem());
        self.server.write("server.key", &key.serialize_pem());
        self.server.listen(self.port, "-c ssl=on");
    }

    /// Signs later certificates by another authority.
    pub(super) fn change_authority(&mut self) {
        self.authority = authority("a third");
    }

    pub(super) fn start(&mut self) {
        self.server.start();
    }

    pub(super) fn stop(&mut self) {
        self.server.stop();
    }

    /// Creates the user `plain` and sets the password of `tester`.
    pub(super) async fn create_users(&self) {
        let sql = "CREATE ROLE plain SUPERUSER LOGIN; ALTER ROLE tester PASSWORD 'hunter2'";
        self.server.execute("postgres", sql).await;
    }

    /// Creates an empty database; returns its name.
    pub(super) async fn database(&self) -> String {
        let address = self.server.database().await;
        address.rsplit_once('/').unwrap().1.to_owned()
    }

    /// The URL over the network; `hostaddr` avoids a name lookup.
    pub(super) fn url(&self, user: &str, host: &str, database: &str, parameters: &str) -> String {
        format!(
            "postgres://{user}:hunter2@{host}:{}/{database}?hostaddr=127.0.0.1&{parameters}",
            self.port
        )
    }

    /// The URL over the Unix socket.
    pub(super) fn socket_url(&self, database: &str) -> String {
        self.server.url(database)
    }

    /// The file with the certificate of the first authority.
    pub(super) fn ca_file(&self) -> String {
        self.file("ours.pem").display().to_string()
    }

    /// The file with the certificate of an authority that has signed nothing.
    pub(super) fn other_ca_file(&self) -> String {
        self.file("other.pem").display().to_string()
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}
