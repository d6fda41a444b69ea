//! Everything that can be searched over HTTP. One file per provider; what they share is in
//! `reply` (what a status means), `hits` (building the list), `text`, `markup` and `dates`.

mod dates;
mod hits;
mod markup;
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
