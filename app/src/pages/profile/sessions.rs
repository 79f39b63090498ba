//! Where one is signed in: one's own sessions, and ending one of them or all others.

use eis::ids::SessionId;
use eis::users::{self, MySession};
use leptos::prelude::*;

use super::Clock;
use crate::components::{Button, Column, DataTable, Kind, PostForm, Section, Tag};
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, ctx};

/// The hidden fields of a form on the profile.
fn hidden() -> Vec<(String, String)> {
    vec![("page".into(), "/profile".into())]
}

/// One's sessions, each but this one with a button that ends it.
pub fn section(sessions: Vec<MySession>, clock: Clock, context: String) -> impl IntoView {
    let others = sessions.iter().filter(|session| !session.current).count();
    let rows = sessions.into_iter().map(|session| row(session, clock, context.clone())).collect_view();
    let columns = ["Browser", "Address", "Signed in", "Last used", "End"].map(Column::text).to_vec();
    view! {
        <Section title="Where you are signed in">
            <DataTable caption="Sessions" columns=columns cards=true>{rows}</DataTable>
            <p class="hint">"Ten places at most: signing in at another ends the oldest."</p>
            {(others > 0).then(|| view! {
                <PostForm action="/api/end_other_sessions" context=context hidden=hidden()>
                    <Button label=all_others(others) kind=Kind::Secondary/>
                </PostForm>
            })}
        </Section>
    }
}

/// The button that ends them.
fn all_others(others: usize) -> String {
    if others == 1 { "End the other session".to_owned() } else { format!("End the other {others} sessions") }
}

fn row(session: MySession, clock: Clock, context: String) -> impl IntoView {
    let mut fields = hidden();
    fields.push(("session".into(), session.id.to_string()));
    let end = (!session.current).then(|| {
        view! {
            <PostForm action="/api/end_session" context=context hidden=fields>
                <Button label="End session" kind=Kind::Secondary/>
            </PostForm>
        }
    });
    view! {
        <tr>
            <th scope="row">{browser(&session.agent)} " " {session.current.then(|| view! { <Tag text="This one"/> })}</th>
            <td data-label="Address">{session.address}</td>
            <td class="nowrap" data-label="Signed in">{clock.moment(session.created_at)}</td>
            <td class="nowrap" data-label="Last used">{clock.moment(session.seen_at)}</td>
            <td>{end}</td>
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

/// Ends one other session of one's own.
#[server(prefix = "/api", endpoint = "end_session")]
pub(crate) async fn end_session(#[server(default)] session: String) -> Result<(), ServerFnError> {
    act(async {
        let ctx = ctx()?;
        let actor = ctx.require_user()?;
        let session: SessionId = session.parse().map_err(|_| AppError::NotFound)?;
        let mut tx = ctx.write(&actor).await?;
        let ended = users::end_session(&mut tx, actor.secret, session, &ctx.address).await?;
        let text = if ended { "That session has ended." } else { "That session had ended already." };
        Done::to("/profile").saying(text).commit(&ctx, tx).await
    })
    .await
}

/// Ends one's other sessions.
#[server(prefix = "/api", endpoint = "end_other_sessions")]
pub(crate) async fn end_other_sessions() -> Result<(), ServerFnError> {
    act(async {
        let ctx = ctx()?;
        let actor = ctx.require_user()?;
        let mut tx = ctx.write(&actor).await?;
        let ended = users::end_other_sessions(&mut tx, actor.secret, &ctx.address).await?;
        let text = match ended {
            0 => "No other session was open.".to_owned(),
            1 => "Your other session has ended.".to_owned(),
            several => format!("Your {several} other sessions have ended."),
        };
        Done::to("/profile").saying(text).commit(&ctx, tx).await
    })
    .await
}
