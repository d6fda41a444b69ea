//! Detects pages without the requested content: bot checks, cookie walls, logins, and error pages
//! with status 200. All of them are short, so a long page on these subjects passes.

use crate::pipeline::Document;
use url::Url;

/// Longer pages, in characters, always count as content.
const MAX_BLOCK_PAGE_CHARS: usize = 1_500;

const BOT_CHECK_TITLES: [&str; 14] = [
    "just a moment",
    "attention required",
    "access denied",
    "are you a robot",
    "robot check",
    "security check",
    "pardon our interruption",
    "ddos-guard",
    "checking your browser",
    "one moment, please",
    "human verification",
    "verifying your browser",
    "not a bot",
    "client challenge",
];
const BOT_CHECK_PHRASES: [&str; 14] = [
    "verify you are human",
    "verify you are a human",
    "verify that you are human",
    "verify that you're not a robot",
    "you are not a robot",
    "unusual traffic from your",
    "complete the security check",
    "checking your browser before",
    "enable javascript and cookies to continue",
    "complete the captcha",
    "solve the captcha",
    "press & hold to confirm",
    "needs to review the security of your connection",
    "not a bot",
];
const BOT_CHECK_MARKERS: [&str; 6] = [
    "_cf_chl_opt",
    "cdn-cgi/challenge-platform/h/",
    "px-captcha",
    "captcha-delivery.com",
    "awswafcookiedomainlist",
    "/.within.website/x/cmd/anubis",
];
const COOKIE_WALL_PHRASES: [&str; 8] = [
    "accept cookies to continue",
    "accept all cookies to continue",
    "before you continue to",
    "we value your privacy",
    "consent to the use of cookies",
    "we and our partners store",
    "manage your cookie preferences",
    "enable cookies to continue",
];
const LOGIN_TITLES: [&str; 7] = [
    "log in", "login", "sign in", "signin", "log into", "sign up", "anmelden",
];
const ERROR_CODES: [&str; 6] = ["403", "404", "410", "500", "502", "503"];
const ERROR_TITLES: [&str; 12] = [
    "not found",
    "page not found",
    "page unavailable",
    "page doesn't exist",
    "page does not exist",
    "forbidden",
    "internal server error",
    "bad gateway",
    "service unavailable",
    "service temporarily unavailable",
    "gone",
    "error",
];
const NEEDS_SCRIPT_PHRASES: [&str; 5] = [
    "enable javascript",
    "requires javascript",
    "javascript is disabled",
    "javascript is required",
    "turn on javascript",
];

/// Why the page has no content, or `None`.
pub(crate) fn block_reason(
    document: &Document,
    html: &str,
    url: &Url,
    was_redirected: bool,
) -> Option<&'static str> {
    let length = document.len();
    if length > MAX_BLOCK_PAGE_CHARS {
        return None;
    }
    let title = document.title.to_lowercase();
    let text = document.text().to_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| text.contains(phrase));
    if is_bot_check(&title, &text, html) {
        return Some("a bot check");
    }
    if says(&COOKIE_WALL_PHRASES)
        || url
            .host_str()
            .is_some_and(|host| host.starts_with("consent."))
    {
        return Some("a cookie wall");
    }
    if is_login_page(&title, html, url, was_redirected) {
        return Some("a login page");
    }
    if length < 600 && is_error_title(&title) {
        return Some("an error page");
    }
    if length < 400 && html.contains("http-equiv=\"refresh\"") {
        return Some("a redirect page");
    }
    if length < 400 && says(&NEEDS_SCRIPT_PHRASES) {
        return Some("a page that needs JavaScript");
    }
    document.is_empty().then_some("an empty page")
}

/// Whether a page with an error status is a bot check.
pub(super) fn is_bot_check_page(html: &str) -> bool {
    let html = html.to_lowercase();
    let title = html
        .split_once("<title")
        .and_then(|(_, rest)| rest.split_once("</title"))
        .map_or("", |(title, _)| title);
    // An ordinary 403 says "access denied" too.
    let title = title.replace("access denied", "");
    is_bot_check(&title, &html, &html)
}

fn is_bot_check(title: &str, text: &str, html: &str) -> bool {
    BOT_CHECK_TITLES.iter().any(|check| title.contains(check))
        || BOT_CHECK_PHRASES.iter().any(|phrase| text.contains(phrase))
        || BOT_CHECK_MARKERS.iter().any(|mark| html.contains(mark))
}

fn is_login_page(title: &str, html: &str, url: &Url, was_redirected: bool) -> bool {
    let asks_password = ["type=\"password\"", "type='password'", "type=password"]
        .iter()
        .any(|mark| html.contains(mark));
    let is_login_address = url.path_segments().into_iter().flatten().any(|segment| {
        matches!(
            segment.to_ascii_lowercase().as_str(),
            "login" | "signin" | "sign-in" | "log-in" | "sso" | "auth"
        )
    });
    let has_title = LOGIN_TITLES.iter().any(|login| title.starts_with(login));
    asks_password && (has_title || is_login_address) || was_redirected && is_login_address
}

/// Whether the title is an error, alone or before the site's name: "404 - Page not found | Pond".
fn is_error_title(title: &str) -> bool {
    let title = title
        .trim_start_matches("http ")
        .trim_start_matches("error ");
    let (code, rest) = ERROR_CODES
        .iter()
        .find_map(|code| Some((true, title.strip_prefix(code)?)))
        .unwrap_or((false, title));
    let rest = rest.trim_start_matches([' ', '-', ':', '|', '–', '—']);
    if rest.is_empty() {
        return code;
    }
    ERROR_TITLES.iter().any(|error| {
        rest.strip_prefix(error).is_some_and(|after| {
            let after = after.trim_start_matches(['!', '.', ' ']);
            after.is_empty() || after.starts_with(['-', '|', '·', '–', '—', ':', '('])
        })
    }) || code && rest.starts_with("error")
}

#[cfg(test)]
mod tests;
