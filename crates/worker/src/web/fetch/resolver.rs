//! Resolves names to public addresses only. The client connects to exactly these addresses, so a
//! name cannot change its address between check and connection (DNS rebinding).

use super::address::is_public;
use futures_util::{FutureExt, future::BoxFuture};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{io, net::SocketAddr, sync::Arc};

/// Looks up the addresses of a name.
pub(super) type DnsLookup =
    Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// The system's resolver.
pub(super) fn system_lookup() -> DnsLookup {
    Arc::new(|name| {
        let found = async move { tokio::net::lookup_host((name, 0)).await.map(Vec::from_iter) };
        found.boxed()
    })
}

/// A resolver that drops all addresses that are not public.
#[derive(Clone)]
pub(super) struct PublicResolver(pub(super) DnsLookup);

/// The name has no public address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no public address")]
pub(super) struct NoPublicAddress;

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let found = (self.0)(name.as_str().to_owned());
        Box::pin(async move {
            let mut public = found.await?;
            public.retain(|address| is_public(address.ip()));
            if public.is_empty() {
                return Err(NoPublicAddress.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// A resolver that returns these answers in turn.
    fn scripted(answers: &[&[&str]]) -> PublicResolver {
        let parsed = |answer: &&[&str]| -> Vec<SocketAddr> {
            let address = |ip: &&str| SocketAddr::new(ip.parse().unwrap(), 0);
            answer.iter().map(address).collect()
        };
        let answers: Vec<Vec<SocketAddr>> = answers.iter().rev().map(parsed).collect();
        let answers = Mutex::new(answers);
        PublicResolver(Arc::new(move |_| {
            let answer = answers.lock().unwrap().pop().unwrap();
            std::future::ready(Ok(answer)).boxed()
        }))
    }

    async fn resolve(resolver: &PublicResolver) -> Option<Vec<String>> {
        let name = "rebinding.example".parse().unwrap();
        let found = resolver.resolve(name).await.ok()?;
        Some(found.map(|address| address.ip().to_string()).collect())
    }

    #[tokio::test]
    async fn every_lookup_of_a_name_is_checked() {
        let resolver = scripted(&[&["9.9.9.9"], &["127.0.0.1"], &["169.254.169.254", "::1"]]);
        assert_eq!(resolve(&resolver).await.unwrap(), ["9.9.9.9"]);
        assert_eq!(resolve(&resolver).await, None);
        assert_eq!(resolve(&resolver).await, None);
    }

    #[tokio::test]
    async fn private_addresses_among_public_ones_are_dropped() {
        let mixed: &[&str] = &["10.0.0.1", "9.9.9.9", "::ffff:127.0.0.1", "2620:fe::fe"];
        let resolver = scripted(&[mixed]);
        assert_eq!(
            resolve(&resolver).await.unwrap(),
            ["9.9.9.9", "2620:fe::fe"]
        );
    }
}
