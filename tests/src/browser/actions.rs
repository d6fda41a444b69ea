//! Using a page: addresses, clicks, keys, and waiting for what it shows.

use std::time::Duration;

use serde_json::{Value, json};
use thirtyfour::prelude::*;

use super::Browser;
use crate::wait::Polling;

/// How long a page may take to show what a test waits for.
const TIMEOUT: Duration = Duration::from_secs(30);

impl Browser {
    pub async fn open(&self, address: &str) {
        let opened = self.driver.goto(address).await;
        opened.unwrap_or_else(|error| panic!("{address}: {error}"));
    }

    pub async fn reload(&self) {
        self.driver.refresh().await.expect("the page again");
    }

    pub async fn address(&self) -> String {
        let address = self.driver.current_url().await;
        address.expect("an address").into()
    }

    /// The return value of a JavaScript function body; `arguments[0]` is `argument`.
    pub async fn script(&self, body: &str, argument: impl Into<Value>) -> Value {
        let returned = self.driver.execute(body, vec![argument.into()]).await;
        returned
            .unwrap_or_else(|error| panic!("{body}: {error}"))
            .json()
            .clone()
    }

    /// Waits until the body's value is true.
    pub async fn until(&self, what: &str, body: &str, argument: impl Into<Value>) {
        let argument = argument.into();
        let polling = Polling::new(what, TIMEOUT);
        while self.script(body, argument.clone()).await != true {
            polling.pause().await;
        }
    }

    /// Waits for a state of the search page.
    pub async fn state(&self, state: &str) {
        let what = format!("the page is {state}");
        let body = "return document.body.dataset.state === arguments[0]";
        self.until(&what, body, state).await;
    }

    /// Waits until a visible element matches the selector.
    pub async fn sees(&self, selector: &str) {
        let what = format!("{selector} is seen");
        let body =
            "const it = document.querySelector(arguments[0]); return !!it && it.checkVisibility()";
        self.until(&what, body, selector).await;
    }

    /// Waits until an element that matches the selector shows the words.
    pub async fn reads(&self, selector: &str, words: &str) {
        let what = format!("{selector} shows: {words}");
        let body = "const [selector, words] = arguments[0];
            return [...document.querySelectorAll(selector)].some((it) => it.checkVisibility() && it.textContent.includes(words))";
        self.until(&what, body, json!([selector, words])).await;
    }

    /// The text of the first match; empty when there is none.
    pub async fn text(&self, selector: &str) -> String {
        let body = "return document.querySelector(arguments[0])?.textContent ?? ''";
        let text = self.script(body, selector).await;
        text.as_str().expect("a text").to_owned()
    }

    pub async fn count(&self, selector: &str) -> u64 {
        let body = "return document.querySelectorAll(arguments[0]).length";
        let count = self.script(body, selector).await;
        count.as_u64().expect("a number")
    }

    /// Clicks where a person would; panics when another element covers the place.
    pub async fn click(&self, selector: &str) {
        let clicked = self.element(selector).await.click().await;
        clicked.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Clicks as soon as the element is visible.
    pub async fn click_when_seen(&self, selector: &str) {
        self.sees(selector).await;
        self.click(selector).await;
    }

    /// Types into one element.
    pub async fn write(&self, selector: &str, text: &str) {
        let typed = self.element(selector).await.send_keys(text).await;
        typed.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Presses keys at the current focus.
    pub async fn press(&self, keys: impl Into<TypingData>) {
        let keys = self.driver.action_chain().send_keys(keys).perform().await;
        keys.expect("keys");
    }

    /// Presses Tab until an element that matches the selector has the focus.
    pub async fn tab_to(&self, selector: &str) {
        const MAX_TABS: usize = 60;
        for _ in 0..MAX_TABS {
            let body = "return document.activeElement.matches(arguments[0])";
            if self.script(body, selector).await == true {
                return;
            }
            self.press(Key::Tab).await;
        }
        panic!("{MAX_TABS} times Tab, and {selector} has no focus");
    }

    /// Opens a second window and switches to it; returns the first one's handle.
    pub async fn second_window(&self, address: &str) -> WindowHandle {
        let first = self.driver.window().await.expect("a window");
        let second = self.driver.new_window().await.expect("another window");
        self.to_window(second).await;
        self.open(address).await;
        first
    }

    pub async fn to_window(&self, window: WindowHandle) {
        let switched = self.driver.switch_to_window(window).await;
        switched.expect("the other window");
    }

    async fn element(&self, selector: &str) -> WebElement {
        let found = self.driver.find(By::Css(selector)).await;
        found.unwrap_or_else(|error| panic!("{selector}: {error}"))
    }
}
