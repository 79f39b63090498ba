//! The list of invoices: one round trip, and no work that grows with their number.

use chrono::NaiveDate;
use diesel::sql_types::{BigInt, Date, Nullable, Numeric, Text, Uuid as SqlUuid};
use diesel::{QueryResult, Queryable, QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use futures_util::future::OptionFuture;
use rust_decimal::Decimal;

use crate::db::{Cached, Figure, Tenant};
use crate::values::ids::InvoiceId;

/// Rows of a search are counted up to here.
const COUNTED: i64 = 1_000;

/// An invoice as the list shows it.
#[derive(Debug, Clone, Queryable)]
pub struct Listed {
    /// Its id.
    pub id: InvoiceId,
    /// The number as printed.
    pub label: String,
    /// The buyer.
    pub customer_name: String,
    /// The buyer's account.
    pub account_number: String,
    /// Issued.
    pub issued_on: NaiveDate,
    /// Due.
    pub due_on: NaiveDate,
    /// `issued`, `part_paid`, `paid`, `credited`.
    pub status: String,
    /// Energy.
    #[diesel(deserialize_as = Figure)]
    pub kwh: Decimal,
    /// To be paid.
    #[diesel(deserialize_as = Figure)]
    pub total: Decimal,
    /// Paid.
    #[diesel(deserialize_as = Figure)]
    pub paid: Decimal,
}

/// The columns of [`Listed`], in order.
type ListedColumns = (SqlUuid, Text, Text, Text, Date, Date, Text, Numeric, Numeric, Numeric);

impl Listed {
    /// The status, or `overdue`.
    #[must_use]
    pub fn shown_status(&self, today: NaiveDate) -> &str {
        if super::overdue(&self.status, Some(self.due_on), today) { "overdue" } else { &self.status }
    }
}

/// A place in the list, as it stands in addresses: day and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(pub NaiveDate, pub InvoiceId);

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}_{}", self.0, self.1)
    }
}

impl std::str::FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (day, id) = text.split_once('_').ok_or(())?;
        Ok(Self(day.parse().map_err(|_| ())?, id.parse().map_err(|_| ())?))
    }
}

/// Which way the list is turned from a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Turn {
    /// The first rows.
    #[default]
    First,
    /// The rows after a place.
    After(Cursor),
    /// The rows before a place.
    Before(Cursor),
}

/// What is searched for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    /// An invoice's number, given alone or at the end of a label.
    number: Option<i64>,
    /// The label's series; `None`: the client's own.
    series: Option<String>,
    /// An account number, or the beginning of a customer's name.
    text: String,
}

impl Search {
    /// `NW-2026-000412`, `412`, an account number, or the beginning of a name; `None` for nothing.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        let text = typed.trim();
        let mut parts = text.rsplitn(3, '-');
        let number = parts.next().and_then(|last| last.parse().ok()).filter(|number| *number > 0);
        let year = parts.next().is_some_and(|year| year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit()));
        let series = parts.next().filter(|_| year).map(str::to_owned);
        let number = number.filter(|_| series.is_some() || !text.contains('-'));
        (!text.is_empty()).then(|| Self { number, series, text: text.to_owned() })
    }

    fn prefix(&self) -> String {
        format!("{}%", crate::db::literal(&self.text.to_lowercase()))
    }
}

/// Which invoices to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// A status, or `overdue`; empty: all that were issued.
    pub status: String,
    /// What is searched for.
    pub search: Option<Search>,
    /// Where in the list.
    pub turn: Turn,
    /// Today where the client is, for what is overdue.
    pub today: NaiveDate,
}

/// How many invoices match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// So many.
    Exactly(i64),
    /// More than counted.
    MoreThan(i64),
}

/// One page of the list.
#[derive(Debug, Clone)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Listed>,
    /// The place before which there are more rows.
    pub previous: Option<Cursor>,
    /// The place after which there are more rows.
    pub next: Option<Cursor>,
    /// How many match in all.
    pub total: Total,
    /// What all issued invoices together have left to pay.
    pub open_amount: Decimal,
}

#[derive(Queryable)]
struct Counted {
    status: String,
    invoices: i64,
    #[diesel(deserialize_as = Figure)]
    open_amount: Decimal,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

/// What is overdue is listed by due date, everything else by day of issue.
fn is_overdue(filter: &Filter) -> bool {
    filter.status == "overdue"
}

/// $1 organization, $2 client, $3 status, $4 today, $5 name prefix, $6 account number, $7 number, $8 series.
fn matching(filter: &Filter) -> String {
    let mut sql = String::from("organization_id = $1 AND client_id = $2 AND status <> 'draft'");
    if is_overdue(filter) {
        sql.push_str(" AND status IN ('issued', 'part_paid') AND due_on < $4");
    } else if !filter.status.is_empty() {
        sql.push_str(" AND status = $3");
    }
    if filter.search.is_some() {
        // Names are looked up among the customers: functions such as lower() may not run on rows that row-level
        // security has not passed yet, so no index on lower(customer_name) could serve here.
        sql.push_str(
            " AND (customer_id = ANY(ARRAY(SELECT c.id FROM public.customers c WHERE c.organization_id = $1 \
             AND c.client_id = $2 AND lower(c.name) LIKE $5 LIMIT 5000) || ARRAY(SELECT n.customer_id FROM public.accounts n \
             WHERE n.organization_id = $1 AND n.client_id = $2 AND lower(n.account_number) = lower($6))) \
             OR (number = $7 AND series = coalesce($8, (SELECT l.invoice_series FROM public.clients l \
             WHERE l.organization_id = $1 AND l.id = $2))))",
        );
    }
    sql
}

fn page_sql(filter: &Filter, rows: i64) -> String {
    let (day, down) = if is_overdue(filter) { ("due_on", false) } else { ("issued_on", true) };
    let (turned, backwards) = match filter.turn {
        Turn::First => (false, false),
        Turn::After(_) => (true, false),
        Turn::Before(_) => (true, true),
    };
    let descending = down != backwards;
    let place = match (turned, descending) {
        (false, _) => String::new(),
        (true, true) => format!(" AND ({day}, id) < ($9, $10)"),
        (true, false) => format!(" AND ({day}, id) > ($9, $10)"),
    };
    let order = if descending { "DESC" } else { "ASC" };
    // OFFSET 0 keeps a search from walking the whole list in its order: the few matches are found, then sorted.
    let fence = if filter.search.is_some() { " OFFSET 0" } else { "" };
    format!(
        "SELECT id, label, customer_name, account_number, issued_on, due_on, status, kwh, total, paid \
         FROM (SELECT * FROM public.invoices WHERE {}{place}{fence}) found ORDER BY {day} {order}, id {order} LIMIT {}",
        matching(filter),
        rows + 1
    )
}

/// Binds what [`matching`] names, the same for every text, so that a statement is known by its text alone.
macro_rules! bound {
    ($sql:expr, $organization:expr, $client:expr, $filter:expr) => {{
        let search = $filter.search.clone().unwrap_or_default();
        sql_query($sql)
            .bind::<SqlUuid, _>($organization)
            .bind::<SqlUuid, _>($client)
            .bind::<Text, _>($filter.status.clone())
            .bind::<Date, _>($filter.today)
            .bind::<Text, _>(search.prefix())
            .bind::<Text, _>(search.text)
            .bind::<Nullable<BigInt>, _>(search.number)
            .bind::<Nullable<Text>, _>(search.series)
    }};
}

/// One page of the invoices of a client that were issued, the latest first (overdue ones: the longest due
/// first), with their number. All queries go out together.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &Tenant, filter: &Filter, rows: i64) -> QueryResult<Page> {
    let (organization, client) = tx.here()?;
    let (mut first, mut second, mut third) = (tx.shared(), tx.shared(), tx.shared());
    let place = match filter.turn {
        Turn::First => None,
        Turn::After(cursor) | Turn::Before(cursor) => Some(cursor),
    };
    let page = Cached(
        bound!(page_sql(filter, rows), organization, client, filter)
            .bind::<Nullable<Date>, _>(place.map(|cursor| cursor.0))
            .bind::<Nullable<SqlUuid>, _>(place.map(|cursor| cursor.1)),
    )
    .columns::<ListedColumns>()
    .load::<Listed>(&mut first);
    let counts = Cached(
        sql_query(
            "SELECT status, invoices, open_amount FROM public.invoice_counts \
             WHERE organization_id = $1 AND client_id = $2 AND status <> 'draft'",
        )
        .bind::<SqlUuid, _>(organization)
        .bind::<SqlUuid, _>(client),
    )
    .columns::<(Text, BigInt, Numeric)>()
    .load::<Counted>(&mut second);
    // Only what is not counted beforehand is counted now, and not beyond a thousand.
    let counted = (filter.search.is_some() || is_overdue(filter)).then(|| {
        let sql = format!(
            "SELECT count(*) AS value FROM (SELECT 1 FROM public.invoices WHERE {} LIMIT {}) matching",
            matching(filter),
            COUNTED + 1
        );
        Cached(bound!(sql, organization, client, filter)).get_result::<Count>(&mut third)
    });
    let counted = async { OptionFuture::from(counted).await.transpose() };
    let (mut found, counts, counted) = tokio::try_join!(page, counts, counted)?;
    let more = i64::try_from(found.len()).unwrap_or(i64::MAX) > rows;
    found.truncate(usize::try_from(rows).unwrap_or_default());
    let total = match counted {
        Some(Count { value }) if value > COUNTED => Total::MoreThan(COUNTED),
        Some(Count { value }) => Total::Exactly(value),
        None => {
            let of = |row: &&Counted| filter.status.is_empty() || row.status == filter.status;
            Total::Exactly(counts.iter().filter(of).map(|row| row.invoices).sum())
        }
    };
    let open = |row: &&Counted| matches!(row.status.as_str(), "issued" | "part_paid");
    let open_amount = counts.iter().filter(open).map(|row| row.open_amount).sum();
    let (before, after) = match filter.turn {
        Turn::First => (false, more),
        Turn::After(_) => (true, more),
        Turn::Before(_) => {
            found.reverse();
            (more, true)
        }
    };
    let cursor = |row: &Listed| Cursor(if is_overdue(filter) { row.due_on } else { row.issued_on }, row.id);
    let previous = found.as_slice().first().filter(|_| before).map(cursor);
    let next = found.as_slice().last().filter(|_| after).map(cursor);
    Ok(Page { rows: found, previous, next, total, open_amount })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_tells_numbers_from_names() {
        let parse = |text| Search::parse(text).unwrap();
        assert_eq!(Search::parse("  "), None);
        assert_eq!((parse("412").number, parse("412").series), (Some(412), None));
        let label = parse("NW-2026-000412");
        assert_eq!((label.number, label.series.as_deref()), (Some(412), Some("NW")));
        assert_eq!((parse("4410-2291").number, parse("Maria").number), (None, None));
        assert_eq!(parse("A_b%").prefix(), r"a\_b\%%");
    }

    #[test]
    fn a_place_is_read_back_from_its_address() {
        let cursor = Cursor("2026-12-01".parse().unwrap(), InvoiceId::fresh());
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        assert!("2026-12-01".parse::<Cursor>().is_err());
    }

    #[test]
    fn the_list_is_read_in_the_order_of_its_index() {
        let mut filter = Filter::default();
        assert!(page_sql(&filter, 25).ends_with("status <> 'draft') found ORDER BY issued_on DESC, id DESC LIMIT 26"));
        filter.turn = Turn::Before(Cursor(NaiveDate::MIN, InvoiceId::fresh()));
        assert!(page_sql(&filter, 25).contains("(issued_on, id) > ($9, $10)) found ORDER BY issued_on ASC, id ASC"));
        filter.status = "overdue".into();
        assert!(page_sql(&filter, 25).contains("(due_on, id) < ($9, $10)) found ORDER BY due_on DESC, id DESC"));
    }
}
