//! Servers whose certificates come from the operator's own authority.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Output;
use std::sync::Arc;

use privachat_tests::fixtures::gather_results;
use privachat_tests::process::isolated;
use privachat_tests::proxy::free_port;
use privachat_tests::redis::{Options, RedisServer};
use privachat_tests::upstream::searxng;
use privachat_tests::{Stack, Upstream, binaries};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

/// An authority, and the files of its certificates.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "ours");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Writes a certificate and its key.
    fn sign(&self, params: &CertificateParams) -> [String; 2] {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let files = ["server.crt", "server.key"].map(|name| self.path(name));
        fs::write(&files[0], certificate.pem()).unwrap();
        fs::write(&files[1], key.serialize_pem()).unwrap();
        files
    }

    /// A Redis with such a certificate, and its address.
    async fn redis(&self, params: &CertificateParams) -> (RedisServer, String) {
        let port = free_port().to_string();
        let [certificate, key] = self.sign(params);
        let arguments = [
            ["--tls-port", &port],
            ["--tls-cert-file", &certificate],
            ["--tls-key-file", &key],
            ["--tls-ca-cert-file", &self.path("ca.pem")],
            ["--tls-auth-clients", "no"],
        ];
        let redis = RedisServer::with(Options {
            aof: true,
            tcp: true,
            arguments: arguments
                .concat()
                .iter()
                .map(|it| (*it).to_owned())
                .collect(),
        })
        .await;
        (redis, format!("rediss://localhost:{port}/0"))
    }

    /// The address of `inner` behind TLS, for the duration of the test.
    fn before(&self, inner: &Upstream, params: &CertificateParams) -> String {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let inner = inner.url().replace("http://", "");
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, inner) = (acceptor.clone(), inner.clone());
                tokio::spawn(async move {
                    let mut outside = acceptor.accept(stream).await?;
                    let mut inside = tokio::net::TcpStream::connect(inner).await?;
                    tokio::io::copy_bidirectional(&mut outside, &mut inside).await
                });
            }
        });
        format!("https://localhost:{port}")
    }
}

fn localhost() -> CertificateParams {
    CertificateParams::new(["localhost".to_owned()]).unwrap()
}

fn elsewhere() -> CertificateParams {
    CertificateParams::new(["redis.example.org".to_owned()]).unwrap()
}

fn expired() -> CertificateParams {
    let mut params = localhost();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2021, 1, 1);
    params
}

fn check_config(settings: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    isolated(binaries!().worker)
        .current_dir(folder.path())
        .env("WIKIPEDIA_BASE_URL", "off")
        .envs(settings.iter().copied())
        .arg("check-config")
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_uses_a_redis_and_an_engine_with_private_certificates() {
    let authority = Authority::new();
    let (redis, url) = authority.redis(&localhost()).await;
    let engine = searxng::finding(gather_results());
    let stack = Stack::builder(binaries!())
        .on_redis(redis)
        .env("REDIS_URL", &url)
        .env("REDIS_CA_FILE", authority.path("ca.pem"))
        .env("UPSTREAM_CA_FILE", authority.path("ca.pem"))
        .env("SEARXNG_BASE_URL", authority.before(&engine, &localhost()))
        .env("WIKIPEDIA_BASE_URL", "off")
        .start()
        .await;
    let request = json!({"query": "What is gather?", "mode": "speed"});
    let answer = stack.client().post_search(request).await.expect(200);
    assert_eq!(answer["status"], "completed", "{answer}");
    assert!(engine.calls() > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_redis_certificate_is_reported_with_advice() {
    let [authority, other] = [Authority::new(), Authority::new()];
    for (params, trusted, problem, remedy) in [
        (localhost(), None, "not signed by", "let REDIS_CA_FILE name"),
        (
            localhost(),
            Some(&other),
            "not signed by",
            "let REDIS_CA_FILE name",
        ),
        (
            elsewhere(),
            Some(&authority),
            "another host name",
            "use a name in REDIS_URL",
        ),
        (expired(), Some(&authority), "has expired", "renew it"),
    ] {
        let (redis, url) = authority.redis(&params).await;
        let ca = trusted.map(|it: &Authority| it.path("ca.pem"));
        let mut settings = vec![("REDIS_URL", url.as_str())];
        settings.extend(ca.as_deref().map(|ca| ("REDIS_CA_FILE", ca)));
        let shown = stdout(&check_config(&settings));
        assert!(
            shown.contains("FAIL  redis       Redis is not available: TLS: "),
            "{shown}"
        );
        assert!(shown.contains(problem) && shown.contains(remedy), "{shown}");
        assert!(!shown.contains("start Redis"), "{shown}");

        let mut stack = Stack::builder(binaries!()).workers(0).on_redis(redis);
        for (name, value) in settings {
            stack = stack.env(name, value);
        }
        let mut stack = stack.start_unready().await;
        assert_eq!(stack.client().status_of("/readyz").await, Some(503));
        let refused = stack
            .client()
            .post_search(json!({"query": "What is gather?"}))
            .await;
        assert_eq!(refused.status, 503);
        assert!(!refused.text.contains("TLS"), "{}", refused.text);
        let log = stack.api.process().output();
        assert!(log.contains(problem) && log.contains(remedy), "{log}");
    }
}

#[tokio::test]
async fn a_closed_port_is_not_reported_as_a_certificate_problem() {
    let authority = Authority::new();
    let ca = authority.path("ca.pem");
    let url = format!("rediss://localhost:{}/0", free_port());
    let shown = stdout(&check_config(&[
        ("REDIS_URL", &url),
        ("REDIS_CA_FILE", &ca),
    ]));
    assert!(
        shown.contains("start Redis") && !shown.contains("TLS"),
        "{shown}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_engine_certificate_is_reported() {
    let authority = Authority::new();
    let engine = searxng::finding(gather_results());
    let ca = authority.path("ca.pem");
    for (params, is_trusted, problem) in [
        (localhost(), false, "set UPSTREAM_CA_FILE"),
        (elsewhere(), true, "is for another host name"),
        (expired(), true, "has expired"),
    ] {
        let address = authority.before(&engine, &params);
        let mut settings = vec![("SEARXNG_BASE_URL", address.as_str())];
        settings.extend(is_trusted.then_some(("UPSTREAM_CA_FILE", ca.as_str())));
        // Its runtime has to serve the engine meanwhile.
        let shown = tokio::task::block_in_place(|| stdout(&check_config(&settings)));
        let mut lines = shown.lines();
        let line = lines.find(|line| line.contains("searxng")).unwrap();
        assert!(
            line.starts_with("FAIL") && line.contains(problem),
            "{shown}"
        );
    }
    assert_eq!(engine.calls(), 0);
}

#[tokio::test]
async fn an_unusable_file_of_authorities_fails_the_start_and_is_named() {
    let authority = Authority::new();
    let files: [(PathBuf, Option<String>, &str); 4] = [
        ("missing.pem".into(), None, "cannot be read"),
        (
            "empty.pem".into(),
            Some(String::new()),
            "without a certificate",
        ),
        (
            "key.pem".into(),
            Some(KeyPair::generate().unwrap().serialize_pem()),
            "without a certificate",
        ),
        (
            "cut.pem".into(),
            Some(authority.issuer.pem().split_at(200).0.to_owned()),
            "cannot be read",
        ),
    ];
    let settings = [
        ("REDIS_CA_FILE", "REDIS_URL", "rediss://localhost:1/0"),
        (
            "DATABASE_CA_FILE",
            "DATABASE_URL",
            "postgres://localhost:1/d",
        ),
        (
            "UPSTREAM_CA_FILE",
            "SEARXNG_BASE_URL",
            "https://localhost:1",
        ),
    ];
    for (file, text, problem) in files {
        let path = authority.path(&file.display().to_string());
        if let Some(text) = text {
            fs::write(&path, text).unwrap();
        }
        for (name, other, address) in settings {
            let output = check_config(&[(name, &path), (other, address)]);
            let message = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{output:?}");
            assert!(
                message.contains(&format!("{name} names a file")),
                "{message}"
            );
            assert!(message.contains(problem), "{message}");
        }
    }
    let ca = authority.path("ca.pem");
    let output = check_config(&[
        ("REDIS_CA_FILE", &ca),
        ("REDIS_URL", "redis://localhost:1/0"),
    ]);
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(
        message.contains("REDIS_CA_FILE needs a REDIS_URL that begins with rediss"),
        "{message}"
    );
}
