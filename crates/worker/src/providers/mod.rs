//! Everything that can be searched: one module per provider. What those over HTTP share is in
//! `reply` (what a status means), `hits` (building the list), `text`, `markup`, `dates` and `period` (filtering by date).

mod dates;
mod hits;
pub mod local;
mod markup;
mod period;
mod perplexity;
mod reply;
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
