//! A server with random delays and faults that are the same in each run: what happens to a request
//! follows from the seed and from its content, not from its time.

use std::time::Duration;

use bytes::Bytes;

use super::{Reply, Request, Step};

/// What can happen to a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No fault, after this delay.
    Sound(Duration),
    /// The reply, far too late.
    Late(Duration),
    Hang,
    Cut,
    /// A head, a part of the body, then a cut connection.
    CutInBody,
    Nonsense,
    /// This status, with an unhelpful body.
    Status(u16),
    /// 429 or 503 with a Retry-After.
    RetryAfter(u16, u64),
    /// 200 with a body that is not the expected document.
    Malformed,
    /// 64 MB.
    Huge,
    /// A redirect to itself.
    Loop,
}

impl Fault {
    /// Whether the client gets its reply within `limit`.
    pub fn is_sound_within(self, limit: Duration) -> bool {
        matches!(self, Self::Sound(delay) if delay <= limit)
    }
}

/// The fault of this request under `seed`. `soundness`: of 100 requests this many get their reply
/// soon.
pub fn fault(seed: u64, soundness: u64, request: &Request) -> Fault {
    let mut dice = Dice::new(seed, request);
    if dice.below(100) < soundness {
        return Fault::Sound(Duration::from_millis(dice.below(150)));
    }
    match dice.below(12) {
        0 | 1 => Fault::Late(Duration::from_millis(1000 + dice.below(4000))),
        2 | 3 => Fault::Hang,
        4 => Fault::Cut,
        5 => Fault::CutInBody,
        6 => Fault::Nonsense,
        7 => Fault::Status([400, 401, 403, 404, 500, 502][dice.index(6)]),
        8 => Fault::RetryAfter([429, 503][dice.index(2)], dice.below(4)),
        9 => Fault::Malformed,
        10 => Fault::Huge,
        _ => Fault::Loop,
    }
}

/// The handler `sound` with the [`fault`] of each request.
pub fn wrap(
    seed: u64,
    soundness: u64,
    sound: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    move |request| match fault(seed, soundness, request) {
        Fault::Sound(delay) | Fault::Late(delay) => sound(request).late(delay),
        Fault::Hang => Reply::hang(),
        Fault::Cut => Reply::cut(),
        Fault::CutInBody => {
            let part = Step::Send(Bytes::from_static(b"{\"results\": [{\"title\": \"Half"));
            Reply::steps(200, "application/json", vec![part, Step::Cut])
        }
        Fault::Nonsense => Reply::nonsense(),
        Fault::Status(status) => Reply::new(status, "text/plain", "no"),
        Fault::RetryAfter(status, seconds) => {
            Reply::new(status, "text/plain", "later").header("Retry-After", seconds)
        }
        Fault::Malformed => Reply::json(200, r#"{"results": {"not": "a list"}, "choices": 7"#),
        Fault::Huge => {
            let block = Bytes::from("<p>Words and more words.</p>\n".repeat(36_000));
            Reply::steps(200, "text/html", vec![Step::Repeat(block, 64)])
        }
        Fault::Loop => Reply::redirect(&request.path),
    }
}

/// Numbers derived from a seed and a request (FNV-1a, then SplitMix64).
struct Dice(u64);

impl Dice {
    fn new(seed: u64, request: &Request) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ seed;
        let query = request.query.iter().flat_map(|(name, value)| [name, value]);
        let texts = [&request.method, &request.path].into_iter().chain(query);
        let bytes = texts.flat_map(|text| text.bytes());
        for byte in bytes.chain(request.body.iter().copied()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Self(hash)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn index(&mut self, bound: u64) -> usize {
        usize::try_from(self.below(bound)).unwrap_or_default()
    }
}
