//! The checks that `require` still makes, without a network.

use super::client_config;
use crate::history::encryption::Encryption;
use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{
    CertificateError, ClientConnection, Error, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
};
use std::sync::Arc;

/// A server with the certificate of the key `shown` that signs with the key `used`.
fn server(
    version: &'static SupportedProtocolVersion,
    shown: &KeyPair,
    used: &KeyPair,
) -> ServerConnection {
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(shown).unwrap().der().clone();
    let key = PrivateKeyDer::try_from(used.serialize_der()).unwrap();
    let key = ring::sign::any_supported_type(&key).unwrap();
    let resolver = SingleCertAndKey::from(CertifiedKey::new(vec![certificate], key));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    ServerConnection::new(Arc::new(config)).unwrap()
}

fn shake_hands(mut server: ServerConnection) -> Result<(), Error> {
    let config = client_config(&Encryption::Unverified).unwrap();
    let host = ServerName::try_from("db.example.org").unwrap();
    let mut client = ClientConnection::new(Arc::new(config), host)?;
    while client.is_handshaking() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets()?;
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        client.read_tls(&mut wire.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    Ok(())
}

#[test]
fn a_certificate_without_its_key_is_refused_by_every_sslmode() {
    let [ours, stolen] = [KeyPair::generate().unwrap(), KeyPair::generate().unwrap()];
    for version in [&TLS12, &TLS13] {
        shake_hands(server(version, &ours, &ours)).unwrap();
        assert_eq!(
            shake_hands(server(version, &stolen, &ours)),
            Err(Error::InvalidCertificate(CertificateError::BadSignature))
        );
    }
}
