//! Where one is signed in: one's own sessions, and ending one of them or all others, with the password.

use eis::db::sessions::Ended;
use eis::parties::users::MySession;
use eis::values::ids::SessionId;
use leptos::prelude::*;

use super::Clock;
use crate::components::{Button, Choice, Column, DataTable, Field, Kind, PostForm, Section, SelectField, Tag};
use crate::forms::{FieldErrors, Typed};
use crate::server::auth::{network, too_many};
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, ctx};

/// What is sent to end all others.
const OTHERS: &str = "others";

/// One's sessions, and the form that ends others than this one.
pub fn section(sessions: Vec<MySession>, clock: Clock, typed: &Typed, context: String) -> impl IntoView + use<> {
    let others: Vec<&MySession> = sessions.iter().filter(|session| !session.current).collect();
    let form = (!others.is_empty()).then(|| end_form(&others, clock, typed, context));
    let rows = sessions.iter().map(|session| row(session, clock)).collect_view();
    let columns = ["Browser", "Address", "Signed in", "Last used"].map(Column::text).to_vec();
    view! {
        <Section title="Where you are signed in">
            <DataTable caption="Sessions" columns=columns cards=true>{rows}</DataTable>
            <p class="hint">"Ten places at most: signing in at another ends the oldest."</p>
            {form}
        </Section>
    }
}

fn end_form(others: &[&MySession], clock: Clock, typed: &Typed, context: String) -> impl IntoView + use<> {
    let all = match others.len() {
        1 => "The other one".to_owned(),
        several => format!("All {several} others"),
    };
    let one = |session: &&MySession| {
        let what =
            format!("{}, {}, since {}", browser(&session.agent), session.address, clock.moment(session.created_at));
        Choice::new(session.id.to_string(), what)
    };
    let single = others.iter().map(one).filter(|_| others.len() > 1);
    let choices: Vec<Choice> = std::iter::once(Choice::new(OTHERS, all)).chain(single).collect();
    let hidden = vec![("page".to_owned(), "/profile".to_owned())];
    let (which, error) = (typed.value("session", OTHERS), typed.error("password"));
    view! {
        <PostForm action="/api/end_session" context=context hidden=hidden class="form">
            <SelectField name="session" label="Sign out" choices=choices value=which/>
            <Field name="password" label="Your password" kind="password" autocomplete="current-password" error=error/>
            <div class="actions"><Button label="Sign out" kind=Kind::Secondary/></div>
        </PostForm>
    }
}

fn row(session: &MySession, clock: Clock) -> impl IntoView + use<> {
    view! {
        <tr>
            <th scope="row">{browser(&session.agent)} " " {session.current.then(|| view! { <Tag text="This one"/> })}</th>
            <td data-label="Address">{session.address.clone()}</td>
            <td class="nowrap" data-label="Signed in">{clock.moment(session.created_at)}</td>
            <td class="nowrap" data-label="Last used">{clock.moment(session.seen_at)}</td>
        </tr>
    }
}

/// A browser's name, roughly, from its user-agent string.
fn browser(agent: &str) -> String {
    let name = ["Edg", "Firefox", "Chrome", "Safari"].into_iter().find(|name| agent.contains(name));
    let system =
        ["Windows", "Android", "iPhone", "iPad", "Mac OS X", "Linux"].into_iter().find(|name| agent.contains(name));
    match (name, system) {
        (Some(name), Some(system)) => format!("{} on {system}", if name == "Edg" { "Edge" } else { name }),
        _ => "Unknown browser".to_owned(),
    }
}

/// What is told of sessions that have ended.
fn told(ended: i32, all: bool) -> String {
    match ended {
        0 if all => "You were signed in nowhere else.".to_owned(),
        0 => "That session had ended already.".to_owned(),
        1 => "That session is signed out.".to_owned(),
        several => format!("{several} other sessions signed out."),
    }
}

/// Ends one other session of one's own, or all others, with the password.
#[server(prefix = "/api", endpoint = "end_session")]
pub(crate) async fn end_session(
    #[server(default)] session: String,
    #[server(default)] password: String,
) -> Result<(), ServerFnError> {
    act(async {
        let ctx = ctx()?;
        let actor = ctx.require_user()?;
        let which: Option<SessionId> = match session.as_str() {
            OTHERS => None,
            id => Some(id.parse().map_err(|_| AppError::NotFound)?),
        };
        let digest = ctx.auth.backend.my_attempt(&actor, &password).await.map_err(|fault| fault.at("password"))?;
        let fault = |text: &str| Err(FieldErrors::one("password", text).into());
        match ctx.db().end_my_sessions(actor.secret, which, &digest, &network(&ctx.address)).await? {
            Ended::Sessions(ended) => Ok(Done::to("/profile").saying(told(ended, which.is_none()))),
            Ended::WrongPassword => fault("This is not your password."),
            Ended::Limited => fault(&too_many(15 * 60)),
        }
    })
    .await
}
