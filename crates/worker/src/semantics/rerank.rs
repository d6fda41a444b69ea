//! Meanings compared by a reranker: `POST {base}/rerank`.
