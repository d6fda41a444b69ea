//! How many documents that cost much may be parsed at once.

use crate::{pipeline::processors, web::pdf};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A small PDF can unpack to a large one, and parsing it takes a core.
const PDFS_AT_ONCE: usize = 2;

/// Bytes. A page of the largest size may take 160 MB while it is parsed, one of this size 40.
const LARGE: usize = 128 * 1024;

/// Documents take their turn here before they are parsed.
#[derive(Debug)]
pub(super) struct Turns {
    pdfs: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

impl Turns {
    /// Two PDF files, and as many large pages as there are processors: more would only make all of
    /// them late.
    pub(super) fn new() -> Self {
        Self::of(processors())
    }

    fn of(large: usize) -> Self {
        Self {
            pdfs: Arc::new(Semaphore::new(PDFS_AT_ONCE)),
            large: Arc::new(Semaphore::new(large)),
        }
    }

    /// Waits for the turn of this document; it ends when what is returned is dropped. A small page
    /// waits for nobody.
    pub(super) async fn take(&self, document: &[u8]) -> Option<OwnedSemaphorePermit> {
        let turns = if document.starts_with(pdf::MAGIC) {
            &self.pdfs
        } else if document.len() > LARGE {
            &self.large
        } else {
            return None;
        };
        // Never closed: there is always a permit in the end.
        Arc::clone(turns).acquire_owned().await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn large_pages_wait_for_each_other_and_small_ones_and_pdf_files_for_neither() {
        let turns = Turns::of(2);
        let (large, small) = (vec![b'x'; LARGE + 1], vec![b'x'; LARGE]);
        let first = turns.take(&large).now_or_never().unwrap();
        let second = turns.take(&large).now_or_never().unwrap();
        assert!(turns.take(&large).now_or_never().is_none());
        assert!(turns.take(&small).now_or_never().unwrap().is_none());
        let files = [(); PDFS_AT_ONCE].map(|()| turns.take(pdf::MAGIC).now_or_never().unwrap());
        assert!(turns.take(pdf::MAGIC).now_or_never().is_none());
        drop(first);
        assert!(turns.take(&large).now_or_never().is_some());
        drop((second, files));
    }
}
