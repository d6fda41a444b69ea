//! A cache of vectors, by the hash of their text.

use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

/// The capacity. With 1536 numbers each, this is about 25 MB.
const MAX_VECTORS: usize = 4096;

/// The SHA-256 of a text.
pub(super) type TextHash = [u8; 32];

/// An LRU cache.
#[derive(Debug)]
pub(super) struct VectorCache {
    capacity: usize,
    state: Mutex<CacheState>,
}

#[derive(Debug, Default)]
struct CacheState {
    clock: u64,
    vectors: HashMap<TextHash, (u64, Arc<[f32]>)>,
    by_last_use: BTreeMap<u64, TextHash>,
}

impl Default for VectorCache {
    fn default() -> Self {
        Self::with_capacity(MAX_VECTORS)
    }
}

impl VectorCache {
    fn with_capacity(capacity: usize) -> Self {
        Self {
            capacity,
            state: Mutex::default(),
        }
    }

    pub(super) fn key(text: &str) -> TextHash {
        Sha256::digest(text.as_bytes()).into()
    }

    pub(super) fn get(&self, key: &TextHash) -> Option<Arc<[f32]>> {
        let mut kept = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clock += 1;
        let now = kept.clock;
        let (used, vector) = kept.vectors.get_mut(key)?;
        let before = std::mem::replace(used, now);
        let vector = Arc::clone(vector);
        kept.by_last_use.remove(&before);
        kept.by_last_use.insert(now, *key);
        Some(vector)
    }

    pub(super) fn put(&self, key: TextHash, vector: Arc<[f32]>) {
        let mut kept = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clock += 1;
        let now = kept.clock;
        if let Some((used, _)) = kept.vectors.insert(key, (now, vector)) {
            kept.by_last_use.remove(&used);
        }
        kept.by_last_use.insert(now, key);
        while kept.vectors.len() > self.capacity {
            let Some((_, oldest)) = kept.by_last_use.pop_first() else {
                return;
            };
            kept.vectors.remove(&oldest);
        }
    }

    pub(super) fn clear(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = CacheState::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn least_recently_used_vector_is_evicted() {
        let vectors = VectorCache::with_capacity(2);
        let [a, b, c] = ["a", "b", "c"].map(VectorCache::key);
        vectors.put(a, Arc::from([1.0]));
        vectors.put(b, Arc::from([2.0]));
        assert!(vectors.get(&a).is_some());
        vectors.put(c, Arc::from([3.0]));
        assert!(vectors.get(&b).is_none());
        assert_eq!(vectors.get(&a).as_deref(), Some([1.0].as_slice()));
        assert_eq!(vectors.get(&c).as_deref(), Some([3.0].as_slice()));
    }
}
