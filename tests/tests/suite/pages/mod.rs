//! The web pages, as files and in a real browser.

mod page_assets;
mod queue_page;
mod search_page;
