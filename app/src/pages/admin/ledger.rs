//! The ledger of a client: its entries with their lines, as CSV too, and the account statement of one customer.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use eis::access::Permission;
use eis::db::Tenant;
use eis::receivables::ledger::{self, Cursor, Entry, Filter};
use eis::receivables::owed;
use leptos::prelude::*;
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::components::{Column, DataTable, EmptyState, FilterBar, FilterText, PageHeader, Pagination};
use crate::format::{self, Locale};
use crate::forms;
use crate::pages::frame::page;
use crate::pages::ledger_view::{self, STATEMENT_ROWS, Statement};
use crate::pages::parts::{AtClient, EXPORT_ROWS, PAGE_ROWS, address, csv_file};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::query::Query;

/// A place in a list that an address names.
pub fn place(typed: &str) -> Option<Cursor> {
    typed.parse().ok().filter(|Cursor(day, _)| forms::is_meant(*day))
}

/// Filters and place in the list, all in the address.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    q: String,
    from: String,
    to: String,
    after: String,
}

impl ListQuery {
    fn filter(&self) -> Filter {
        Filter {
            customer: self.q.trim().to_owned(),
            from: forms::day(&self.from),
            to: forms::day(&self.to),
            after: place(&self.after),
        }
    }

    fn filtered(&self) -> bool {
        [&self.q, &self.from, &self.to].into_iter().any(|typed| !typed.is_empty())
    }

    fn href(&self, path: &str, after: &str) -> String {
        address(path, &[("q", &self.q), ("from", &self.from), ("to", &self.to), ("after", after)])
    }
}

/// `GET /clients/:client/ledger`
pub async fn list(ctx: Ctx, Path(client): Path<String>, Query(query): Query<ListQuery>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ViewClient, &client).await?;
    let mut found = read(&tx, &query.filter(), PAGE_ROWS + 1).await?;
    drop(tx);
    let rows = usize::try_from(PAGE_ROWS).unwrap_or(usize::MAX);
    let more = found.len() > rows;
    found.truncate(rows);
    let (path, base, locale) = (format!("{}/ledger", at.base()), at.base(), at.locale());
    let currency = at.client.currency.clone();
    let last = found.last().filter(|_| more).map(|entry| Cursor(entry.booked_on, entry.id).to_string());
    let next = last.map(|after| query.href(&path, &after)).unwrap_or_default();
    let html = page(&ctx, &at.actor, at.place(&[], ""), "Ledger", move || {
        let first = if query.after.is_empty() { String::new() } else { query.href(&path, "") };
        let clear = if query.filtered() { path.clone() } else { String::new() };
        let body = if found.is_empty() {
            empty(query.filtered(), &path)
        } else {
            let summary = if found.len() == 1 { "1 entry".to_owned() } else { format!("{} entries", found.len()) };
            let table = entries(found, &base, &currency, locale);
            view! { {table} <Pagination summary=summary first=first next=next/> }.into_any()
        };
        view! {
            <PageHeader title="Ledger" subtitle="Every bill, payment and credit, booked once. The lines of an entry sum to zero; entries never change."/>
            <FilterBar
                action=path.clone()
                search="Account or beginning of a name"
                q=query.q.clone()
                clear=clear
                csv=query.href(&format!("{path}.csv"), "")
            >
                <FilterText name="from" label="From" kind="date" value=query.from.clone()/>
                <FilterText name="to" label="To" kind="date" value=query.to.clone()/>
            </FilterBar>
            {body}
        }
    })
    .await;
    Ok(html.into_response())
}

/// The list's SQL, all of it.
async fn read(tx: &Tenant, filter: &Filter, limit: i64) -> Result<Vec<Entry>, AppError> {
    Ok(ledger::list(tx, filter, limit).await?)
}

fn empty(filtered: bool, path: &str) -> AnyView {
    if filtered {
        let href = path.to_owned();
        view! { <EmptyState title="No entry matches" text="Search for an account number or the beginning of a customer's name, choose other days, or clear the search." action="Clear the search" href=href/> }.into_any()
    } else {
        view! { <EmptyState title="Nothing booked yet" text="Entries are made when bills are issued and payments are recorded."/> }.into_any()
    }
}

/// Entries as a table: a row a line, the entry's own cells beside all of them.
fn entries(found: Vec<Entry>, base: &str, currency: &str, locale: Locale) -> impl IntoView + use<> {
    let columns = vec![
        Column::text("Entry"),
        Column::text("Booked"),
        Column::text("Customer"),
        Column::text("Ledger account"),
        Column::number("Debit", currency),
        Column::number("Credit", currency),
    ];
    let rows = found.into_iter().map(|entry| rows_of(entry, base, locale)).collect_view();
    view! { <DataTable caption="Entries of the ledger, the latest first" columns=columns>{rows}</DataTable> }
}

fn rows_of(entry: Entry, base: &str, locale: Locale) -> AnyView {
    let span = entry.lines.len().to_string();
    let (text, beneath) = (ledger_view::words(&entry.what), ledger_view::beneath(&entry.what));
    let name = match entry.what.invoice_id {
        Some(id) => view! { <a href=id.below(&format!("{base}/invoices"))>{text}</a> }.into_any(),
        None => text.into_any(),
    };
    let beneath = (!beneath.is_empty()).then(|| view! { <span class="sub">{beneath}</span> });
    let customer = format!("{}/statement", entry.customer_id.below(&format!("{base}/customers")));
    let mut head = Some(view! {
        <th scope="row" rowspan=span.clone()>{name}{beneath}</th>
        <td class="nowrap" rowspan=span.clone()>{format::date(entry.booked_on, locale)}</td>
        <td rowspan=span><a href=customer>{entry.customer_name}</a><span class="sub">{entry.account_number}</span></td>
    });
    let lines = entry.lines.into_iter().map(move |line| {
        let figure = format::money(line.amount.abs(), locale);
        let (debit, credit) =
            if line.amount > Decimal::ZERO { (figure, String::new()) } else { (String::new(), figure) };
        view! {
            <tr>
                {head.take()}
                <td class="nowrap goes-on">{ledger_view::account(line.account)}</td>
                <td class="num">{debit}</td>
                <td class="num">{credit}</td>
            </tr>
        }
    });
    lines.collect_view().into_any()
}

/// `GET /clients/:client/ledger.csv`: a row a line.
pub async fn csv(ctx: Ctx, Path(client): Path<String>, Query(query): Query<ListQuery>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ViewClient, &client).await?;
    let filter = Filter { after: None, ..query.filter() };
    let found = read(&tx, &filter, EXPORT_ROWS).await?;
    drop(tx);
    let head = [
        "entry",
        "booked_on",
        "value_on",
        "cause",
        "number",
        "method",
        "reference",
        "account_number",
        "customer",
        "ledger_account",
        "amount",
        "currency",
    ];
    let rows = found.into_iter().flat_map(|entry| {
        let before = [
            entry.id.to_string(),
            entry.booked_on.to_string(),
            entry.value_on.to_string(),
            entry.what.cause.code().to_owned(),
            entry.what.label,
            entry.what.method,
            entry.what.reference,
            entry.account_number,
            entry.customer_name,
        ];
        let currency = entry.currency;
        entry.lines.into_iter().map(move |line| {
            let mut row = before.to_vec();
            row.extend([line.account.code().to_owned(), line.amount.to_string(), currency.clone()]);
            row
        })
    });
    csv_file(&format!("{}-ledger", at.client.slug), &head, rows)
}

/// Where a statement begins.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct StatementQuery {
    /// The last entry shown before.
    pub after: String,
}

/// `GET /clients/:client/customers/:customer/statement`
pub async fn statement(
    ctx: Ctx,
    Path((client, id)): Path<(String, String)>,
    Query(query): Query<StatementQuery>,
) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ViewClient, &client).await?;
    let customer = super::records::customer(&tx, &id).await?;
    let owed = owed::owed(&tx, customer.id, at.client.today()).await?;
    let rows = ledger::statement(&tx, customer.id, place(&query.after), STATEMENT_ROWS + 1).await?;
    drop(tx);
    let own = format!("customers/{}", customer.id);
    let place = at.place(&[("Customers", "customers"), (customer.name.as_str(), own.as_str())], "Account statement");
    let (locale, currency) = (at.locale(), at.client.currency.clone());
    let shown = Statement {
        rows,
        path: format!("{}/{own}/statement", at.base()),
        invoices: format!("{}/invoices", at.base()),
        turned: !query.after.is_empty(),
        currency: currency.clone(),
        locale,
    };
    let subtitle =
        format!("Account {}: {}", customer.account_number, ledger_view::balance(owed.amount, &currency, locale));
    let title = format!("Account statement of {}", customer.name);
    let html = page(&ctx, &at.actor, place, title.clone(), move || {
        view! {
            <PageHeader title=title subtitle=subtitle/>
            {ledger_view::statement(shown)}
        }
    })
    .await;
    Ok(html.into_response())
}
