//! Similarity by embeddings: `POST {base}/embeddings`.

use super::{
    MAX_CONCURRENT_REQUESTS, SimilarityServer, malformed, parse_usage,
    request::{self, EMBEDDING},
    vector_cache::{TextHash, VectorCache},
};
use crate::{
    pipeline::{Deadline, SemanticsError, Similarities},
    upstream,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use privachat_core::schema::Usage;
use reqwest::Client;
use serde_json::{Value, json};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// The number of texts per request: the lowest default limit of known servers
/// (text-embeddings-inference's `--max-client-batch-size`).
const MAX_BATCH_SIZE: usize = 32;

/// An OpenAI-compatible server and its cached vectors.
pub(super) struct EmbeddingsEndpoint<'a> {
    pub(super) server: &'a SimilarityServer,
    pub(super) client: &'a Client,
    pub(super) vectors: &'a VectorCache,
}

impl EmbeddingsEndpoint<'_> {
    /// The cosine of each query with each text; negative ones count as 0.
    pub(super) async fn compare(
        &self,
        queries: &[&str],
        texts: &[&str],
        deadline: Deadline,
    ) -> Result<Similarities, SemanticsError> {
        let all: Vec<(TextHash, &str)> = queries
            .iter()
            .chain(texts)
            .map(|text| (VectorCache::key(text), *text))
            .collect();
        let (found, usage) = self.load_vectors(&all, deadline).await?;
        let vector = |text: &&str| {
            found
                .get(&VectorCache::key(text))
                .map_or(&[][..], |found| found)
        };
        let says_nothing = |text: &&str| vector(text).iter().all(|number| *number == 0.0);
        if queries.iter().any(says_nothing) {
            return Err(malformed("a query vector that is not numbers"));
        }
        let rows = queries
            .iter()
            .map(|query| {
                let query = vector(query);
                texts
                    .iter()
                    .map(|text| cosine(query, vector(text)))
                    .collect()
            })
            .collect();
        Ok(Similarities { rows, usage })
    }

    /// The vectors of `all`; requests those that are not cached.
    async fn load_vectors(
        &self,
        all: &[(TextHash, &str)],
        deadline: Deadline,
    ) -> Result<(HashMap<TextHash, Arc<[f32]>>, Option<Usage>), SemanticsError> {
        let mut found = HashMap::new();
        let mut wanted = Vec::new();
        let mut seen = HashSet::new();
        for (key, text) in all {
            if !seen.insert(*key) {
                continue;
            }
            match self.vectors.get(key) {
                Some(vector) => {
                    found.insert(*key, vector);
                }
                None => wanted.push((*key, *text)),
            }
        }
        let batches: Vec<_> = wanted
            .chunks(MAX_BATCH_SIZE)
            .map(|batch| self.request_batch(batch, deadline))
            .collect();
        let mut answers = stream::iter(batches).buffer_unordered(MAX_CONCURRENT_REQUESTS);
        let mut spent: Option<Usage> = None;
        while let Some((vectors, usage)) = answers.try_next().await? {
            for (key, vector) in vectors {
                self.vectors.put(key, Arc::clone(&vector));
                found.insert(key, vector);
            }
            if let Some(usage) = usage {
                *spent.get_or_insert_default() += usage;
            }
        }
        let mut lengths = found.values().map(|vector| vector.len());
        let first = lengths.next();
        if lengths.any(|length| Some(length) != first) {
            // The server may run another model under the same name now, so the cache is useless.
            self.vectors.clear();
            return Err(malformed("vectors of different lengths"));
        }
        Ok((found, spent))
    }

    async fn request_batch(
        &self,
        batch: &[(TextHash, &str)],
        deadline: Deadline,
    ) -> Result<(Vec<(TextHash, Arc<[f32]>)>, Option<Usage>), SemanticsError> {
        let texts: Vec<&str> = batch.iter().map(|(_, text)| *text).collect();
        let url = upstream::endpoint(&self.server.base_url, "embeddings");
        let body = json!({"model": self.server.model, "input": texts});
        let request = self.server.authorised(self.client.post(url)).json(&body);
        let body = request::send_with_retry(request, deadline, &EMBEDDING).await?;
        let vectors = parse_vectors(&body, batch.len())?;
        let keys = batch.iter().map(|(key, _)| *key);
        Ok((keys.zip(vectors).collect(), parse_usage(&body)))
    }
}

/// Reads the vectors, in the order of the `count` texts that were sent.
pub(super) fn parse_vectors(body: &Value, count: usize) -> Result<Vec<Arc<[f32]>>, SemanticsError> {
    let entries = body.get("data").and_then(Value::as_array);
    let entries = entries.ok_or_else(|| malformed("no list of vectors"))?;
    let mut vectors: Vec<Option<Arc<[f32]>>> = vec![None; count];
    for (place, entry) in entries.iter().enumerate() {
        let index = match entry.get("index") {
            Some(index) => index.as_u64().and_then(|index| usize::try_from(index).ok()),
            None => Some(place),
        };
        let slot = index.and_then(|index| vectors.get_mut(index));
        let slot = slot.ok_or_else(|| malformed("a vector for a text that was not sent"))?;
        if slot.is_some() {
            return Err(malformed("two vectors for one text"));
        }
        *slot = Some(parse_vector(entry).ok_or_else(|| malformed("a vector that is not numbers"))?);
    }
    let vectors: Option<Vec<Arc<[f32]>>> = vectors.into_iter().collect();
    vectors.ok_or_else(|| malformed("fewer vectors than texts"))
}

fn parse_vector(entry: &Value) -> Option<Arc<[f32]>> {
    let numbers = entry.get("embedding")?.as_array()?;
    let vector: Option<Vec<f32>> = numbers.iter().map(parse_number).collect();
    vector.filter(|vector| !vector.is_empty()).map(Arc::from)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "models compute in 32 bits or fewer"
)]
fn parse_number(value: &Value) -> Option<f32> {
    // Null stands for an invalid number, such as NaN; it counts as 0.
    let number = value.as_f64().or(value.is_null().then_some(0.0))? as f32;
    number.is_finite().then_some(number)
}

/// Cosine similarity, clamped to 0–1.
pub(super) fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let (mut dot, mut of_a, mut of_b) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (f64::from(*x), f64::from(*y));
        dot += x * y;
        of_a += x * x;
        of_b += y * y;
    }
    let lengths = (of_a * of_b).sqrt();
    if lengths > 0.0 {
        (dot / lengths).clamp(0.0, 1.0)
    } else {
        0.0
    }
}
