//! Meanings compared by embeddings: `POST {base}/embeddings`.
