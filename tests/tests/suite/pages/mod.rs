//! The web pages, as they are served and in a real browser.

mod page_assets;
mod queue_page;
mod search_page;
