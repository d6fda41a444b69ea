//! Search providers, pages and models: what they return, and what happens when they fail.

mod http_proxies;
mod local_corpus;
mod model_faults;
mod page_faults;
mod perplexity;
mod rerank;
mod search_faults;
mod upstream_connections;
