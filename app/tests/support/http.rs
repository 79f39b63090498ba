//! The real portal on a loopback port, and a browser small enough to see everything it does.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use eis::db::Db;
use eis::operate::connect::Login;
use eis::operate::proof::Monitor;
use eis::values::clock::Clock;
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use portal::routes::router;
use portal::server::door::{self, limits::Limits};
use portal::server::shares::Shares;
use portal::server::state::{AppState, Options};

use super::database::Case;
use super::world::{PASSWORD, Who};

/// A running portal.
pub struct Portal {
    pub address: SocketAddr,
    /// The host of its public address, if it has one.
    host: Option<String>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Portal {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Case {
    /// The portal over this database.
    pub async fn portal(&self) -> Portal {
        self.portal_behind(false).await
    }

    /// The portal over this database; `proxy`: believing the address that a proxy before it tells.
    pub async fn portal_behind(&self, proxy: bool) -> Portal {
        self.portal_told(Options { public_url: None, trust_proxy: proxy, clock: Clock::System }).await
    }

    /// The portal over this database, by a clock that stands at a moment.
    pub async fn portal_at(&self, moment: &str) -> Portal {
        let clock = Clock::At(moment.parse().expect("a moment"));
        self.portal_told(Options { public_url: None, trust_proxy: false, clock }).await
    }

    /// The portal over this database, told how to behave.
    pub async fn portal_told(&self, options: Options) -> Portal {
        self.portal_behind_door(options, Limits::default()).await
    }

    /// The portal over this database with other limits at its door.
    pub async fn portal_limited(&self, limits: Limits) -> Portal {
        self.portal_behind_door(Options { public_url: None, trust_proxy: false, clock: Clock::System }, limits).await
    }

    async fn portal_behind_door(&self, options: Options, limits: Limits) -> Portal {
        self.serving(self.db(4), Arc::default(), options, limits)
    }

    /// The portal over these connections of this database, with these shares.
    pub async fn portal_sharing(&self, db: Db, shares: Arc<Shares>) -> Portal {
        let options = Options { public_url: None, trust_proxy: false, clock: Clock::System };
        self.serving(db, shares, options, Limits::default())
    }

    fn serving(&self, db: Db, shares: Arc<Shares>, options: Options, limits: Limits) -> Portal {
        let options = Arc::new(options);
        let monitor = Monitor::new(self.connected.url(Login::Monitor));
        let state = AppState { db, monitor, shares, options, readiness: Arc::default() };
        let host = state.options.public_url.as_ref().and_then(|url| Some(url.split_once("://")?.1.to_owned()));
        let listener = door::listen("127.0.0.1:0".parse().expect("an address")).expect("a port");
        let address = listener.local_addr().expect("its address");
        let server = tokio::spawn(door::serve(listener, router(state), limits, std::future::pending()));
        Portal { address, host, server }
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub fn location(&self) -> &str {
        self.header("location")
    }

    /// Status, every header but the request's own, and the body: what two answers are compared by.
    /// A cookie counts without its value, a form without its own id, a page without the address that it leads back to.
    pub fn bytes(&self) -> String {
        let back = self.body.contains(BACK);
        let headers: BTreeMap<String, String> = self
            .headers
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "x-request-id" | "date"))
            .filter(|(name, _)| !(back && *name == "content-length"))
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .map(|(name, value)| match value.split_once(';') {
                Some((_, rest)) if name == "set-cookie" => (name, rest.to_owned()),
                _ => (name, value),
            })
            .collect();
        format!("{}\n{headers:#?}\n{}", self.status, without_ids(&without_back(&self.body)))
    }
}

/// Where staff step up, with the address that was asked for behind it.
const BACK: &str = "/staff/step-up?next=";

/// A page without the address that it leads back to.
fn without_back(page: &str) -> String {
    let mut parts = page.split(BACK);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.trim_start_matches(|c: char| c != '"'))
}

/// A page without the ids of its forms, which are new with each.
fn without_ids(page: &str) -> String {
    let mut parts = page.split("name=\"form_id\" value=\"");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.trim_start_matches(|c: char| c.is_ascii_hexdigit() || c == '-'))
}

/// A browser with its cookies.
pub struct Browser {
    base: String,
    host: Option<String>,
    client: Client<HttpConnector, Body>,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl Portal {
    /// A portal that another process serves.
    pub fn elsewhere(address: SocketAddr) -> Self {
        Self { address, host: None, server: tokio::spawn(async {}) }
    }

    /// A browser with no cookie.
    pub fn browser(&self) -> Browser {
        Browser {
            base: format!("http://{}", self.address),
            host: self.host.clone(),
            client: Client::builder(TokioExecutor::new()).build_http(),
            cookies: Mutex::default(),
        }
    }

    /// A browser holding the session that the world keeps for somebody.
    pub fn browser_of(&self, who: Who) -> Browser {
        let browser = self.browser();
        browser.set_cookie(&format!("session={}", tower_sessions::session::Id(who.secret().0)));
        browser
    }
}

impl Browser {
    /// All of its cookies, as it sends them.
    pub fn cookie(&self) -> String {
        let cookies = self.cookies.lock().expect("the cookies");
        cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    /// This one in place of all.
    pub fn set_cookie(&self, cookie: &str) {
        self.cookies.lock().expect("the cookies").clear();
        self.take_cookie(cookie);
    }

    /// One more, or in place of its own name's; an empty one goes.
    fn take_cookie(&self, cookie: &str) {
        let Some((name, value)) = cookie.split_once('=') else { return };
        let mut cookies = self.cookies.lock().expect("the cookies");
        cookies.remove(name);
        if !value.is_empty() {
            cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: String) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if let Some(host) = &self.host {
            request = request.header("host", host);
        }
        let cookie = self.cookie();
        if !cookie.is_empty() {
            request = request.header("cookie", cookie);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response =
            self.client.request(request.body(Body::from(body)).expect("a request")).await.expect("an answer");
        let (parts, body) = response.into_parts();
        for set in parts.headers.get_all("set-cookie") {
            let pair = set.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
            self.take_cookie(pair);
        }
        let bytes = body.collect().await.expect("the body").to_bytes();
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&bytes).into_owned() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], String::new()).await
    }

    /// Posts a form as one of the portal's own pages does.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        let headers = [("sec-fetch-site", "same-origin"), ("content-type", "application/x-www-form-urlencoded")];
        self.send(Method::POST, path, &headers, serde_urlencoded::to_string(form).expect("a form")).await
    }

    /// What the form on a page that posts to an address says it saw.
    pub async fn seen(&self, page: &str, action: &str) -> String {
        let pairs = hidden(&self.get(page).await.body, action);
        pairs.into_iter().find(|(name, _)| name == "seen").map(|(_, value)| value).unwrap_or_default()
    }

    /// Sends a file of usage for a meter as the portal's own page does.
    pub async fn upload(&self, path: &str, context: &str, serial: &str, file: &str) -> Answer {
        self.upload_saying(path, context, serial, &[], file).await
    }

    /// The same with what a person says of the file: `values`, `decimal`.
    pub async fn upload_saying(
        &self,
        path: &str,
        context: &str,
        serial: &str,
        said: &[(&str, &str)],
        file: &str,
    ) -> Answer {
        let form = file_form(context, serial, file);
        let fields: String = said.iter().map(|(name, value)| part(name, value)).collect();
        let (head, rest) = form.split_at(form.find("--edge\r\ncontent-disposition: form-data; name=\"file\"").unwrap());
        self.upload_from("same-origin", path, format!("{head}{fields}{rest}")).await
    }

    /// Sends a [`file_form`] from a page of a site.
    pub async fn upload_from(&self, site: &str, path: &str, form: String) -> Answer {
        let headers = [("sec-fetch-site", site), ("content-type", FILE_FORM)];
        self.send(Method::POST, path, &headers, form).await
    }

    /// Signs in through the sign-in form.
    pub async fn sign_in(&self, email: &str) -> Answer {
        self.post("/api/sign_in", &[("page", "/login"), ("email", email), ("password", PASSWORD)]).await
    }
}

/// The content type of a [`file_form`].
pub const FILE_FORM: &str = "multipart/form-data; boundary=edge";

/// The form of the page that imports usage, with a file.
pub fn file_form(context: &str, serial: &str, file: &str) -> String {
    let mut form = String::with_capacity(file.len() + 1000);
    for (name, value) in [("context", context), ("serial", serial)] {
        form += &part(name, value);
    }
    form += "--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"new.csv\"\r\ncontent-type: text/csv\r\n\r\n";
    form + file + "\r\n--edge--\r\n"
}

/// A field of a [`file_form`].
fn part(name: &str, value: &str) -> String {
    format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

/// A text without the entities that stand in an attribute.
fn plain(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&#x27;", "'").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// The value of an attribute of a tag.
fn attribute(tag: &str, name: &str) -> Option<String> {
    tag.split(&format!(" {name}=\"")).nth(1).and_then(|rest| rest.split('"').next()).map(plain)
}

/// The hidden pairs of the form on a page that posts to an address.
pub fn hidden(page: &str, action: &str) -> Vec<(String, String)> {
    let Some(form) =
        page.split("<form ").skip(1).find(|form| attribute(&format!(" {form}"), "action").as_deref() == Some(action))
    else {
        return vec![];
    };
    let form = form.split("</form>").next().unwrap_or_default();
    let inputs = form.split("<input").skip(1).map(|rest| rest.split('>').next().unwrap_or_default());
    let hidden = inputs.filter(|tag| tag.contains("type=\"hidden\""));
    hidden.filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default()))).collect()
}
