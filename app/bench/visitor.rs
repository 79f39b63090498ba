//! A visitor with one kept-alive connection and one session: pages, forms and files on loopback.

use std::net::SocketAddr;

use crate::text;
use eis::demo::Login;
use http::header::{CONTENT_TYPE, COOKIE, HOST, SET_COOKIE};
use http::request::Builder;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// What came back.
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The page.
    pub body: String,
}

/// A visitor of the portal.
pub struct Visitor {
    at: SocketAddr,
    cookie: String,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl Visitor {
    /// With the session of a cookie, `session=…`.
    pub const fn with(at: SocketAddr, cookie: String) -> Self {
        Self { at, cookie, connection: None }
    }

    /// Somebody who signs in.
    ///
    /// # Errors
    /// A sentence when the portal does not take them.
    pub async fn signed_in(at: SocketAddr, login: &Login) -> Result<Self, String> {
        let mut visitor = Self::with(at, String::new());
        let pairs = [("page", "/login"), ("email", login.email.as_str()), ("password", login.password)];
        visitor.post("/api/sign_in", &serde_urlencoded::to_string(pairs).map_err(text)?).await?;
        let home = visitor.get(&login.home).await?;
        if home.status == StatusCode::OK { Ok(visitor) } else { Err(format!("{} cannot sign in", login.email)) }
    }

    /// The session's cookie.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    /// Asks for a page.
    ///
    /// # Errors
    /// A sentence when the connection breaks.
    pub async fn get(&mut self, path: &str) -> Result<Answer, String> {
        self.send(Request::get(path), Bytes::new()).await
    }

    /// Sends a form.
    ///
    /// # Errors
    /// A sentence when the connection breaks.
    pub async fn post(&mut self, path: &str, form: &str) -> Result<Answer, String> {
        let request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request, Bytes::from(form.to_owned())).await
    }

    /// Sends a form with a file, its parts set off by `edge`.
    ///
    /// # Errors
    /// A sentence when the connection breaks.
    pub async fn upload(&mut self, path: &str, body: String) -> Result<Answer, String> {
        let request = Request::post(path).header(CONTENT_TYPE, "multipart/form-data; boundary=edge");
        self.send(request, Bytes::from(body)).await
    }

    async fn send(&mut self, request: Builder, body: Bytes) -> Result<Answer, String> {
        let host = self.at.to_string();
        let request = request.header(HOST, host).header(COOKIE, &self.cookie).header("sec-fetch-site", "same-origin");
        let request = request.body(Full::new(body)).map_err(text)?;
        let mut connection = match self.connection.take().filter(|connection| !connection.is_closed()) {
            Some(connection) => connection,
            None => connect(self.at).await?,
        };
        connection.ready().await.map_err(text)?;
        let (parts, body) = connection.send_request(request).await.map_err(text)?.into_parts();
        let body = body.collect().await.map_err(text)?.to_bytes();
        for set in parts.headers.get_all(SET_COOKIE) {
            let pair = set.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
            pair.clone_into(&mut self.cookie);
        }
        self.connection = Some(connection);
        Ok(Answer { status: parts.status, body: String::from_utf8_lossy(&body).into_owned() })
    }
}

async fn connect(at: SocketAddr) -> Result<SendRequest<Full<Bytes>>, String> {
    let stream = TcpStream::connect(at).await.map_err(text)?;
    stream.set_nodelay(true).map_err(text)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(text)?;
    tokio::spawn(connection);
    Ok(sender)
}

/// The value of the first hidden field of this name on a page.
pub fn field(page: &str, name: &str) -> Option<String> {
    let rest = page.split_once(&format!("name=\"{name}\" value=\""))?.1;
    rest.split_once('"').map(|(value, _)| value.to_owned())
}
