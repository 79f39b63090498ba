//! What a request asked for, as its route spells it: faults are named after it, in the log and on the page.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use eis::values::ids::{OrganizationId, UserId};

use super::redirect::encode;

tokio::task_local! {
    static ASKED: Asked;
}

/// A request, while it is answered.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Its route.
    route: String,
    /// The id that its answer and its lines in the log carry.
    id: String,
    /// The address of a page that was asked for, with its query; empty for anything else.
    page: String,
    /// Who asks; told by the task that looks the session up to the one that writes the log.
    who: Arc<Mutex<Option<Who>>>,
}

/// Who asks, by ids alone: names do not belong into a log.
#[derive(Debug, Clone, Copy)]
pub struct Who {
    /// The user.
    pub user: UserId,
    /// The organization open.
    pub organization: Option<OrganizationId>,
}

impl Asked {
    /// What a request asks for.
    #[must_use]
    pub fn of(request: &Request, id: &str) -> Self {
        let matched = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str);
        // Server functions share one route; the names of them are public.
        let function = matched.starts_with("/api/").then(|| request.uri().path());
        let page = request.uri().path_and_query().filter(|_| request.method() == Method::GET);
        Self {
            route: format!("{} {}", request.method(), function.unwrap_or(matched)),
            id: id.to_owned(),
            page: page.map_or_else(String::new, ToString::to_string),
            who: Arc::default(),
        }
    }

    /// The route, with the method.
    #[must_use]
    pub fn route(&self) -> &str {
        &self.route
    }

    /// The request that is being answered; none outside of one.
    #[must_use]
    pub fn here() -> Self {
        of_this(Self::clone)
    }

    /// Answers the request under its name.
    pub async fn answering<F: Future>(self, request: F) -> F::Output {
        ASKED.scope(self, request).await
    }

    /// Who asks, where the session said so.
    #[must_use]
    pub fn who(&self) -> Option<Who> {
        *self.who.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn of_this<T: Default>(what: impl FnOnce(&Asked) -> T) -> T {
    ASKED.try_with(what).unwrap_or_default()
}

/// The route of the request that is being answered, without the ids of its address: `GET /clients/{client}/invoices`,
/// `POST /api/issue_billing_run`; empty outside of one.
#[must_use]
pub fn asked() -> String {
    of_this(|asked| asked.route.clone())
}

/// The id of the request that is being answered; empty outside of one.
#[must_use]
pub fn id() -> String {
    of_this(|asked| asked.id.clone())
}

/// The address of the page that was asked for, with its query; empty for anything else.
#[must_use]
pub fn page() -> String {
    of_this(|asked| asked.page.clone())
}

/// Keeps who asks, once the session is looked up.
pub(super) fn is_asked_by(who: Who) {
    let _ = ASKED.try_with(|asked| *asked.who.lock().unwrap_or_else(PoisonError::into_inner) = Some(who));
}

/// Where one signs in and comes back to the page that was asked for.
#[must_use]
pub fn sign_in() -> String {
    back_from("/login")
}

/// An address of ours from which one comes back to the page that was asked for.
#[must_use]
pub fn back_from(path: &str) -> String {
    let page = page();
    if page.is_empty() || page == "/" { path.to_owned() } else { format!("{path}?next={}", encode(&page)) }
}
