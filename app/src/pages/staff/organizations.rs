//! All organizations, for EIS staff: search, and open one.

use axum::response::{IntoResponse, Response};
use eis::access::Permission;
use eis::parties::organizations;
use leptos::prelude::*;
use serde::Deserialize;

use crate::components::{
    Column, DataTable, EmptyState, FilterBar, PageHeader, Pagination, PostForm, Status, Tag, Tone,
};
use crate::format;
use crate::pages::frame::{Place, page};
use crate::pages::parts::{PAGE_ROWS, address, rows_text, turns};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::see_other;
use crate::server::query::Query;

/// Search and page of the list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    q: String,
    offset: i32,
}

const PATH: &str = "/staff/organizations";

/// `GET /staff/organizations`
pub async fn list(ctx: Ctx, Query(query): Query<ListQuery>) -> Result<Response, AppError> {
    let actor = ctx.require(Permission::OpenOrganizations)?;
    let offset = query.offset.max(0);
    let limit = i32::try_from(PAGE_ROWS).unwrap_or(25);
    let mut tx = ctx.read(&actor).await?;
    let (rows, total) = organizations::staff_list(&mut tx, query.q.trim(), offset, limit).await?;
    drop(tx);
    if rows.is_empty() && offset > 0 {
        return Ok(see_other(&address(PATH, &[("q", &query.q)])));
    }
    let context = actor.context_token();
    let open = actor.organization.as_ref().map(|organization| organization.id);
    let html = page(&ctx, &actor, Place::default(), "Organisations", move || {
        let (from, locale) = (i64::from(offset), format::Locale::default());
        let summary = rows_text(from, rows.len(), total, "organisations", locale);
        let [first, previous, next] =
            turns(from, PAGE_ROWS, total, |to| address(PATH, &[("q", &query.q), ("offset", to)]));
        let filtered = !query.q.is_empty();
        let shown = !rows.is_empty();
        let body = rows
            .into_iter()
            .map(|row| {
                let current = open == Some(row.id);
                let hidden = vec![("organization".to_owned(), row.id.to_string())];
                view! {
                    <tr>
                        <th scope="row">
                            {row.name.clone()} " " {current.then(|| view! { <Tag text="Open now" tone=Tone::Good/> })}
                            <span class="sub">{row.slug}</span>
                        </th>
                        <td class="num">{format::count(row.clients, locale)}</td>
                        <td><Status value=row.status/></td>
                        <td>
                            {if current {
                                view! { <a href="/organization">"Go to overview"</a> }.into_any()
                            } else {
                                view! {
                                    <PostForm action="/api/switch" context=context.clone() hidden=hidden>
                                        <button r#type="submit" class="button">"Open" <span class="visually-hidden">" " {row.name}</span></button>
                                    </PostForm>
                                }.into_any()
                            }}
                        </td>
                    </tr>
                }
            })
            .collect_view();
        let columns = vec![
            Column::text("Organisation"),
            Column::number("Clients", ""),
            Column::text("Status"),
            Column::text("Open"),
        ];
        view! {
            <PageHeader title="Organisations" subtitle="One is open at a time. Opening one is on record in its audit log."/>
            <FilterBar action=PATH search="Name or short name" q=query.q clear={if filtered { PATH } else { "" }}/>
            {if shown {
                view! {
                    <DataTable caption="Organisations" columns=columns>{body}</DataTable>
                    <Pagination summary=summary first=first previous=previous next=next/>
                }.into_any()
            } else if filtered {
                view! { <EmptyState title="No organisation matches" text="Try fewer letters, or clear the search." action="Clear the search" href=PATH/> }.into_any()
            } else {
                view! { <EmptyState title="No organisation yet" text="Whoever runs this server makes one at the terminal: portal organization create."/> }.into_any()
            }}
        }
    })
    .await;
    Ok(html.into_response())
}
