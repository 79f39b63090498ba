//! Filters and place in the log, all in the address.

use chrono::DateTime;
use chrono_tz::Tz;
use eis::audit::{Cursor, Filter, Record};
use eis::usage::days::{day_end, day_start};
use eis::values::clock::local_day;
use serde::Deserialize;

use crate::components::{Choice, FilterSelect};
use crate::forms;
use crate::pages::parts::address;
use crate::pages::scope::Scope;

/// The nouns that records are about, for the filter.
pub const ENTITIES: [(&str, &str); 18] = [
    ("allocation", "Allocation"),
    ("billing_run", "Billing run"),
    ("client", "Client"),
    ("customer", "Customer"),
    ("import", "Import"),
    ("invitation", "Invitation"),
    ("invoice", "Invoice"),
    ("isolation_run", "Isolation check"),
    ("meter", "Meter"),
    ("meter_reading", "Meter reading"),
    ("organization", "Organisation"),
    ("payment", "Payment"),
    ("role_assignment", "Role"),
    ("role_notice", "Notice of a role"),
    ("session", "Session"),
    ("tariff_agreement", "Tariff agreement"),
    ("tariff_rate", "Tariff"),
    ("user", "Person"),
];

/// The verbs, for the filter.
const ACTIONS: [(&str, &str); 27] = [
    ("accept", "Accepted"),
    ("activate", "Activated"),
    ("apply", "Applied"),
    ("approve", "Approved"),
    ("create", "Created"),
    ("update", "Changed"),
    ("change_password", "Changed the password"),
    ("delete", "Deleted"),
    ("discard", "Discarded"),
    ("grant", "Granted"),
    ("import", "Imported"),
    ("invite", "Invited"),
    ("issue", "Issued"),
    ("open", "Opened"),
    ("rate", "Rated"),
    ("record", "Recorded"),
    ("reopen", "Reopened"),
    ("retire", "Retired"),
    ("revoke", "Revoked"),
    ("run", "Ran"),
    ("see", "Saw a notice"),
    ("view_as", "Saw as a customer"),
    ("stop_viewing", "Stopped seeing as a customer"),
    ("end_sessions", "Signed out elsewhere"),
    ("step_down", "Staff: reading only again"),
    ("step_up", "Staff: allowed changes"),
    ("second_factor", "Second factor"),
];

/// What the address says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct LogQuery {
    q: String,
    who: String,
    entity: String,
    action: String,
    from: String,
    to: String,
    client: String,
    account: String,
    before: String,
}

impl LogQuery {
    /// The filter as the log takes it: days are those of the page's zone, the last one included.
    #[must_use]
    pub fn filter(&self, scope: &Scope) -> Filter {
        Filter {
            entity: self.entity.clone(),
            action: self.action.clone(),
            who: self.who.trim().to_owned(),
            search: self.q.trim().to_owned(),
            from: forms::day(&self.from).map(|from| day_start(scope.zone(), from)),
            to: forms::day(&self.to).map(|to| day_end(scope.zone(), to)),
            client: scope.client.as_ref().map(|client| client.id).or_else(|| self.client.parse().ok()),
            account: self.account.trim().to_owned(),
        }
    }

    /// `1764000000000000.0198…`: microseconds and id of the last record shown.
    #[must_use]
    pub fn cursor(&self) -> Option<Cursor> {
        let (at, id) = self.before.split_once('.')?;
        let at = DateTime::from_timestamp_micros(at.parse().ok()?)?;
        forms::is_meant(local_day(Tz::UTC, at)).then_some((at, id.parse().ok()?))
    }

    /// The cursor that a page after this record begins with.
    #[must_use]
    pub fn after(last: &Record) -> String {
        format!("{}.{}", last.at.timestamp_micros(), last.id)
    }

    /// These filters at another place of the log, or another address.
    #[must_use]
    pub fn href(&self, path: &str, before: &str) -> String {
        address(path, &[&self.pairs()[..], &[("before", before)]].concat())
    }

    fn pairs(&self) -> [(&'static str, &str); 8] {
        [
            ("q", &self.q),
            ("who", &self.who),
            ("entity", &self.entity),
            ("action", &self.action),
            ("from", &self.from),
            ("to", &self.to),
            ("client", &self.client),
            ("account", &self.account),
        ]
    }

    /// Whether anything is filtered.
    #[must_use]
    pub fn filtered(&self) -> bool {
        self.pairs().iter().any(|(_, value)| !value.is_empty())
    }

    /// Whether this is the latest page.
    #[must_use]
    pub const fn is_first(&self) -> bool {
        self.before.is_empty()
    }

    /// What is typed: words, person, first and last day, account.
    #[must_use]
    pub fn typed(&self) -> [String; 5] {
        [&self.q, &self.who, &self.from, &self.to, &self.account].map(Clone::clone)
    }

    /// What is chosen; `clients` where the page shows several.
    #[must_use]
    pub fn selects(&self, clients: &[(String, String)]) -> Vec<FilterSelect> {
        let pairs = |all: &[(&str, &str)]| all.iter().map(|(code, label)| Choice::new(*code, *label)).collect();
        let mut selects = vec![
            select("entity", "About", &self.entity, pairs(&ENTITIES)),
            select("action", "Action", &self.action, pairs(&ACTIONS)),
        ];
        if !clients.is_empty() {
            let choices = clients.iter().map(|(id, name)| Choice::new(id, name)).collect();
            selects.push(select("client", "Client", &self.client, choices));
        }
        selects
    }
}

fn select(name: &str, label: &str, value: &str, mut choices: Vec<Choice>) -> FilterSelect {
    choices.insert(0, Choice::new("", "All"));
    FilterSelect { name: name.to_owned(), label: label.to_owned(), value: value.to_owned(), choices }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_address() {
        let query =
            LogQuery { before: "1764000000000001.0198c0de-0000-7000-8000-000000000000".into(), ..LogQuery::default() };
        let (at, id) = query.cursor().unwrap();
        assert_eq!(format!("{}.{id}", at.timestamp_micros()), query.before);
        for before in ["x", "-300000000000000000.0198c0de-0000-7000-8000-000000000000"] {
            assert!(LogQuery { before: before.into(), ..LogQuery::default() }.cursor().is_none(), "{before}");
        }
    }
}
