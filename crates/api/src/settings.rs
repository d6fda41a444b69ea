//! Settings of the API, read from the environment.

use crate::{access::ApiKeys, limits::TrustedProxies};
use privachat_core::{
    schema::SearchEngine,
    settings::{InvalidSettings, Lookup, SettingsReader, SharedSettings},
};
use std::{num::NonZeroU32, path::PathBuf, time::Duration};

/// Requests a minute; a higher limit would never apply.
const MAX_REQUESTS_PER_MINUTE: u64 = 1_000_000;

/// The settings of the API and those it shares with the workers.
#[derive(Clone)]
pub(crate) struct ApiSettings {
    pub(crate) shared: SharedSettings,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The API writes its address to this file once it listens.
    pub(crate) addr_file: Option<PathBuf>,
    pub(crate) cors_origins: Vec<String>,
    pub(crate) api_keys: ApiKeys,
    /// Requests a minute for each key or address; no limit when `None`.
    pub(crate) rate_limit: Option<NonZeroU32>,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) environment: String,
    pub(crate) capabilities: Capabilities,
    pub(crate) max_queue_length: u64,
    /// How long new requests are served after the first signal.
    pub(crate) shutdown_delay: Duration,
}

/// What the workers can do, by the settings they need: both binaries read the same environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Capabilities {
    unavailable_engines: Vec<(SearchEngine, &'static str)>,
    has_webhook_secret: bool,
}

impl ApiSettings {
    pub(crate) fn read(lookup: Lookup<'_>) -> Result<Self, InvalidSettings> {
        let mut reader = SettingsReader::new(lookup);
        let shared = SharedSettings::read(&mut reader);
        let port = reader.number("API_PORT", 8001, 0..=65_535);
        let max_queue_length = reader.number("MAX_QUEUE_LENGTH", 10_000, 1..=100_000_000);
        let delay = reader.number("SHUTDOWN_DELAY_SECONDS", 5, 0..=300);
        let origins = reader.list("CORS_ORIGINS");
        let keys = read_keys(&mut reader);
        let rate_limit = reader.number("API_RATE_LIMIT", 0, 0..=MAX_REQUESTS_PER_MINUTE);
        let proxies = read_proxies(&mut reader);
        let settings = shared.map(|shared| Self {
            shared,
            host: reader
                .text("API_HOST")
                .unwrap_or_else(|| "127.0.0.1".to_owned()),
            port: u16::try_from(port).unwrap_or(8001),
            addr_file: reader.text("API_ADDR_FILE").map(PathBuf::from),
            cors_origins: origins,
            api_keys: keys,
            rate_limit: u32::try_from(rate_limit).ok().and_then(NonZeroU32::new),
            trusted_proxies: proxies,
            environment: reader
                .text("ENVIRONMENT")
                .unwrap_or_else(|| "production".to_owned()),
            capabilities: Capabilities::read(&reader),
            max_queue_length,
            shutdown_delay: Duration::from_secs(delay),
        });
        match settings {
            Some(settings) => reader.finish(settings),
            None => Err(reader
                .finish(())
                .err()
                .unwrap_or(InvalidSettings(Vec::new()))),
        }
    }
}

/// Refuses a list without a key: it would leave the service open by mistake.
fn read_keys(reader: &mut SettingsReader<'_>) -> ApiKeys {
    let mut keys = ApiKeys::default();
    for (setting, is_admin) in [("API_KEYS", false), ("API_ADMIN_KEYS", true)] {
        let entries = reader.list(setting);
        if entries.is_empty() && reader.text(setting).is_some() {
            reader.add_error(
                setting,
                "has no key: leave it out to run the service without keys",
            );
        } else if let Err(complaint) = keys.add(&entries, is_admin) {
            reader.add_error(setting, complaint);
        }
    }
    keys
}

fn read_proxies(reader: &mut SettingsReader<'_>) -> TrustedProxies {
    let entries = reader.list("API_TRUSTED_PROXIES");
    TrustedProxies::parse(&entries).unwrap_or_else(|place| {
        let problem =
            format!("entry {place} must be an address, a network or a name, such as ::1, 10.0.0.0/8 or proxy");
        reader.add_error("API_TRUSTED_PROXIES", problem);
        TrustedProxies::default()
    })
}

impl Capabilities {
    fn read(reader: &SettingsReader<'_>) -> Self {
        let needs = [
            (SearchEngine::Searxng, "SEARXNG_BASE_URL"),
            (SearchEngine::Serperdev, "SERPER_API_KEY"),
            (SearchEngine::Perplexity, "PERPLEXITY_API_KEY"),
            (SearchEngine::Local, "CORPUS_PATHS"),
        ];
        let mut unavailable_engines: Vec<_> = needs
            .into_iter()
            .filter(|(_, setting)| reader.text(setting).is_none())
            .collect();
        if reader.text("WIKIPEDIA_BASE_URL").as_deref() == Some("off") {
            unavailable_engines.push((SearchEngine::Wikipedia, "WIKIPEDIA_BASE_URL"));
        }
        let has_webhook_secret = reader.text("WEBHOOK_SECRET").is_some();
        Self {
            unavailable_engines,
            has_webhook_secret,
        }
    }

    /// The setting that callbacks need and that is not set.
    pub(crate) fn missing_callback_setting(&self) -> Option<&'static str> {
        (!self.has_webhook_secret).then_some("WEBHOOK_SECRET")
    }

    /// The setting that `engine` needs and that is not set.
    pub(crate) fn missing_engine_setting(&self, engine: SearchEngine) -> Option<&'static str> {
        self.unavailable_engines
            .iter()
            .find(|(missing, _)| *missing == engine)
            .map(|(_, setting)| *setting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_work_on_one_machine() {
        let settings = ApiSettings::read(&|_name| None).unwrap();
        assert_eq!((settings.host.as_str(), settings.port), ("127.0.0.1", 8001));
        assert_eq!(
            settings
                .capabilities
                .missing_engine_setting(SearchEngine::Auto),
            None
        );
        assert_eq!(
            settings
                .capabilities
                .missing_engine_setting(SearchEngine::Wikipedia),
            None
        );
        assert_eq!(
            settings
                .capabilities
                .missing_engine_setting(SearchEngine::Serperdev),
            Some("SERPER_API_KEY")
        );
    }

    #[test]
    fn a_list_without_a_key_is_refused() {
        for setting in ["API_KEYS", "API_ADMIN_KEYS"] {
            let lookup = |name: &str| (name == setting).then(|| " , ".to_owned());
            let complaint = ApiSettings::read(&lookup).err().unwrap().to_string();
            assert!(complaint.contains(setting), "{complaint}");
        }
    }

    #[test]
    fn a_key_in_both_lists_is_reported_by_its_position_and_not_shown() {
        let lookup = |name: &str| match name {
            "API_KEYS" => Some("alice:0123456789abcdef".to_owned()),
            "API_ADMIN_KEYS" => Some("root:0123456789abcdef".to_owned()),
            _ => None,
        };
        let complaint = ApiSettings::read(&lookup).err().unwrap().to_string();
        assert!(complaint.contains("API_ADMIN_KEYS entry 1"), "{complaint}");
        assert!(!complaint.contains("0123456789abcdef"), "{complaint}");
    }

    #[test]
    fn one_error_names_all_bad_settings() {
        let lookup = |name: &str| match name {
            "REDIS_URL" => Some("http://secret@host".to_owned()),
            "DATABASE_URL" => Some("mysql://secret".to_owned()),
            "API_PORT" => Some("70000".to_owned()),
            "LOG_FORMAT" => Some("xml".to_owned()),
            "API_RATE_LIMIT" => Some("-1".to_owned()),
            "API_TRUSTED_PROXIES" => Some("10.0.0.1, secret:1".to_owned()),
            _ => None,
        };
        let complaint = ApiSettings::read(&lookup).err().unwrap().to_string();
        for name in [
            "REDIS_URL",
            "DATABASE_URL",
            "API_PORT",
            "LOG_FORMAT",
            "API_RATE_LIMIT",
            "API_TRUSTED_PROXIES",
        ] {
            assert!(
                complaint.contains(name),
                "{name} is missing from {complaint}"
            );
        }
        assert!(!complaint.contains("secret"), "{complaint}");
    }
}
