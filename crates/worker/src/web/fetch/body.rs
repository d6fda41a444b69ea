//! Reads a body in chunks, up to a limit.

use super::{
    client::FetchResponse,
    host_limit::RequestPermit,
    media_type::{SNIFF_BYTES, is_binary},
    transport_error,
};
use crate::pipeline::FetchError;

/// Reads the body. `limit` counts bytes after decompression, so it also stops decompression bombs.
/// The permit is returned too: it is held until the page is parsed.
pub(super) async fn read_body(
    response: FetchResponse,
    limit: usize,
) -> Result<(Vec<u8>, RequestPermit), FetchError> {
    let FetchResponse {
        mut inner,
        permit: slot,
        ..
    } = response;
    let too_large = || FetchError::TooLarge { limit_bytes: limit };
    if inner
        .content_length()
        .is_some_and(|length| length > limit as u64)
    {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    let mut is_known = false;
    while let Some(chunk) = inner
        .chunk()
        .await
        .map_err(|error| transport_error::from_reqwest(&error))?
    {
        if bytes.len() + chunk.len() > limit {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
        if !is_known && bytes.len() >= SNIFF_BYTES {
            is_known = true;
            refuse_binary(&bytes)?;
        }
    }
    refuse_binary(&bytes)?;
    Ok((bytes, slot))
}

fn refuse_binary(bytes: &[u8]) -> Result<(), FetchError> {
    if is_binary(bytes) {
        return Err(FetchError::UnsupportedType("binary data".to_owned()));
    }
    Ok(())
}
