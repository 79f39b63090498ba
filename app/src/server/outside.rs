//! What a browser keeps itself while nobody is signed in: the sentence for its next page, a form that was refused, and the
//! first half of a sign-in. It lies in a cookie for a quarter of an hour, two kilobytes at most, and never in the database:
//! whoever sends forms without signing in makes nobody but their own browser keep them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use eis::db::gate::Ticket;
use serde::{Deserialize, Serialize};

use super::cookie::SAME_SITE;
use super::flash::FlashMessage;
use crate::forms::Typed;

/// The most that a browser is given to keep, before it is encoded: a cookie holds four kilobytes.
pub const MOST_BYTES: usize = 2 * 1024;
/// How long it keeps it, in seconds.
const SECONDS: u32 = 15 * 60;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Kept {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    flash: Option<FlashMessage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    typed: Option<Typed>,
    /// The ticket that a right password earned; it opens nothing without a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    half: Option<String>,
}

impl Kept {
    fn bytes(&self) -> Option<Vec<u8>> {
        serde_json::to_vec(self).ok().filter(|bytes| bytes.len() <= MOST_BYTES)
    }
}

/// What the browser of one request keeps, as it came and as it will go back.
#[derive(Debug, Clone, Default)]
pub struct Outside(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    came: bool,
    before: Kept,
    now: Kept,
}

/// The cookie's name: `__Host-` binds it to this host and HTTPS; a browser refuses it without.
const fn cookie_name(https: bool) -> &'static str {
    if https { "__Host-kept" } else { "kept" }
}

fn read(headers: &HeaderMap, https: bool) -> Option<String> {
    let mut pairs =
        headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|all| all.split(';'));
    pairs.find_map(|pair| Some(pair.trim().strip_prefix(cookie_name(https))?.strip_prefix('=')?.to_owned()))
}

/// What a cookie holds. One that is not ours holds nothing: anybody may send any.
fn decoded(text: &str) -> Kept {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() <= MOST_BYTES);
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

impl Outside {
    /// What came with a request.
    #[must_use]
    pub fn of(headers: &HeaderMap, https: bool) -> Self {
        let cookie = read(headers, https);
        let before = cookie.as_deref().map(decoded).unwrap_or_default();
        Self(Arc::new(Mutex::new(State { came: cookie.is_some(), now: before.clone(), before })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the answer the cookie that its browser is to keep from now on, where that changed.
    pub fn answer(&self, headers: &mut HeaderMap, https: bool) {
        let state = self.state();
        let gone = state.came && state.now == Kept::default();
        if state.now == state.before && !gone {
            return;
        }
        let (value, seconds) = match state.now.bytes() {
            Some(bytes) if !gone => (URL_SAFE_NO_PAD.encode(bytes), SECONDS),
            _ => (String::new(), 0),
        };
        let secure = if https { "; Secure" } else { "" };
        let name = cookie_name(https);
        let cookie = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={SAME_SITE}{secure}");
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            headers.append(SET_COOKIE, cookie);
        }
    }

    /// Keeps a sentence for the next page; a long one is cut short.
    pub fn keep_flash(&self, message: FlashMessage) {
        let text = message.text.chars().take(300).collect();
        let mut state = self.state();
        state.now.flash = Some(FlashMessage { text, ..message });
        if state.now.bytes().is_none() {
            state.now.typed = None;
        }
    }

    /// The sentence that was kept; told once.
    #[must_use]
    pub fn take_flash(&self) -> Option<FlashMessage> {
        self.state().now.flash.take()
    }

    /// Keeps a form that was refused; whether what was typed into it is kept too. Where it is too much, what is wrong is told
    /// all the same, as far as it fits.
    pub fn keep_typed(&self, typed: Typed) -> bool {
        let mut state = self.state();
        let any = !typed.values.is_empty();
        let without = Typed { values: Vec::new(), ..typed.clone() };
        let fits = |state: &State, typed: Typed| Kept { typed: Some(typed), ..state.now.clone() }.bytes().is_some();
        let whole = fits(&state, typed.clone());
        state.now.typed =
            if whole { Some(typed) } else { Some(without).filter(|without| fits(&state, without.clone())) };
        whole && any
    }

    /// The form that was kept, if it is the one that is asked for; given back once.
    #[must_use]
    pub fn take_typed(&self, is_it: impl Fn(&Typed) -> bool) -> Option<Typed> {
        let mut state = self.state();
        if state.now.typed.as_ref().is_some_and(is_it) { state.now.typed.take() } else { None }
    }

    /// Keeps what a right password earned; it opens nothing without a code. `None`: no longer.
    pub fn keep_half(&self, half: Option<&Ticket>) {
        self.state().now.half = half.map(Ticket::hex);
    }

    /// What a right password earned.
    #[must_use]
    pub fn half(&self) -> Option<Ticket> {
        Ticket::of_hex(self.state().now.half.as_deref()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forms::FieldErrors;

    fn typed(bytes: usize) -> Typed {
        let values = vec![("email".to_owned(), "x".repeat(bytes))];
        Typed { page: "/login".to_owned(), values, errors: FieldErrors::one("email", "Wrong."), ..Typed::default() }
    }

    /// The cookie of an answer, as the browser sends it back.
    fn sent_back(outside: &Outside) -> Option<Outside> {
        let mut headers = HeaderMap::new();
        outside.answer(&mut headers, true);
        let cookie = headers.get(SET_COOKIE)?.to_str().ok()?.to_owned();
        assert!(cookie.len() < 4096 && cookie.starts_with("__Host-kept="), "{cookie}");
        let mut request = HeaderMap::new();
        request.insert(COOKIE, HeaderValue::from_str(cookie.split(';').next()?).ok()?);
        Some(Outside::of(&request, true))
    }

    #[test]
    fn what_fits_comes_back_once_and_what_does_not_is_told_without_what_was_typed() {
        let outside = Outside::default();
        assert!(outside.keep_typed(typed(1000)));
        let back = sent_back(&outside).expect("a cookie");
        assert_eq!(back.take_typed(|_| true).expect("the form").values[0].1.len(), 1000);
        assert_eq!(sent_back(&back).expect("its removal").take_typed(|_| true), None);
        let outside = Outside::default();
        assert!(!outside.keep_typed(typed(90_000)));
        let told = sent_back(&outside).and_then(|back| back.take_typed(|_| true)).expect("what is wrong");
        assert_eq!((told.values.len(), told.error("email").as_str()), (0, "Wrong."));
    }

    #[test]
    fn what_anybody_sends_holds_nothing_and_nothing_new_sets_no_cookie() {
        for sent in ["", "kept=", "__Host-kept=%%%", "__Host-kept=e30", "a=b; __Host-kept=bm8"] {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, HeaderValue::from_str(sent).expect("a header"));
            assert_eq!(Outside::of(&headers, true).take_flash().map(|flash| flash.text), None, "{sent}");
        }
        assert!(sent_back(&Outside::default()).is_none());
    }
}
