//! The search providers, one module each. Providers over HTTP share `response` (status codes),
//! `hits` (builds the list of hits), `text`, `markup`, `dates` and `period` (filters by date).

mod dates;
mod hits;
pub mod local;
mod markup;
mod period;
mod perplexity;
mod response;
mod searxng;
mod serper;
mod text;
mod wikipedia;

pub use perplexity::Perplexity;
pub use searxng::Searxng;
pub use serper::Serper;
pub use wikipedia::Wikipedia;

#[cfg(test)]
mod tests;
