//! Asking for a what-if: which tariffs, which customers, which months.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use chrono::Months;
use eis::access::Permission;
use eis::billing::what_ifs::{self, ACCOUNTS, Asking, CANDIDATES, Chosen, WhatIf, WhatIfViolation};
use eis::tariffs::{self, TariffRow};
use eis::values::ids::{TariffRateId, WhatIfId};
use eis::values::period::Period;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::components::{
    Button, ButtonLink, Choice, EmptyState, ErrorSummary, Kind, PageHeader, PostForm, Radios, SelectField, TextArea,
};
use crate::format::{self, Locale};
use crate::forms::{self, FieldErrors, Typed};
use crate::messages::what_ifs as messages;
use crate::pages::frame::page;
use crate::pages::parts::{AtClient, field_errors};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, require_client};
use crate::server::query::Query;

/// Versions offered.
const VERSIONS: i64 = 500;
/// Months offered.
const OFFERED: u32 = 36;

/// A version to try, or a what-if to run again.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct NewQuery {
    tariff: String,
    again: String,
}

/// What the form begins with.
struct Start {
    candidates: Vec<String>,
    chosen: &'static str,
    code: String,
    accounts: String,
    months: Period,
}

/// `2026-03`.
fn month_value(month: Period) -> String {
    month.from().format("%Y-%m").to_string()
}

/// The twelve months up to one.
fn year_to(last: Period) -> Period {
    let first = last.from().checked_sub_months(Months::new(11)).unwrap_or(last.from());
    Period::new(first, last.to()).unwrap_or(last)
}

impl Start {
    fn new(query: &NewQuery, again: Option<WhatIf>, latest: Period) -> Self {
        let Some(again) = again else {
            let candidates = vec![query.tariff.clone()];
            return Self {
                candidates,
                chosen: "all",
                code: String::new(),
                accounts: String::new(),
                months: year_to(latest),
            };
        };
        let (chosen, code, accounts) = match again.chosen {
            Chosen::All => ("all", String::new(), String::new()),
            Chosen::Tariff(code) => ("tariff", code, String::new()),
            Chosen::Accounts(accounts) => ("accounts", String::new(), accounts.join("\n")),
        };
        let candidates = again.candidates.iter().map(|candidate| candidate.id.to_string()).collect();
        Self { candidates, chosen, code, accounts, months: again.months }
    }
}

/// `GET /clients/:client/what-ifs/new`
pub async fn new(ctx: Ctx, Path(client): Path<String>, Query(query): Query<NewQuery>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ManageTariffs, &client).await?;
    let (versions, _) = tariffs::list(&tx, &tariffs::Filter::default(), 0, VERSIONS).await?;
    let again = match query.again.parse::<WhatIfId>() {
        Ok(id) => what_ifs::find(&tx, id).await?,
        Err(_) => None,
    };
    let today = Period::month_of(at.client.today());
    let before = Period::month_of(today.from().pred_opt().unwrap_or(today.from()));
    let latest = what_ifs::latest_month(tx.shared(), &eis::db::AtClient::at(&tx)?).await?.unwrap_or(before);
    drop(tx);
    let typed = ctx.take_typed().await;
    let list = format!("{}/what-ifs", at.base());
    let hidden = vec![("client".to_owned(), at.client.id.to_string()), ("page".to_owned(), format!("{list}/new"))];
    let (context, locale) = (at.actor.context_token(), at.locale());
    let tariffs_path = format!("{}/tariffs/new", at.base());
    let start = Start::new(&query, again, latest);
    let html = page(&ctx, &at.actor, at.place(&[("What-if", "what-ifs")], "New what-if"), "New what-if", move || {
        let body = if versions.is_empty() {
            view! { <EmptyState title="There is no tariff to try" text="Make a tariff first; a draft is enough." action="New tariff" href=tariffs_path/> }.into_any()
        } else {
            form(&typed, &start, &versions, latest.max(before), context, hidden, list, locale).into_any()
        };
        view! {
            <PageHeader title="New what-if" subtitle="What would your customers have paid? Nothing is billed and no customer sees it."/>
            {body}
        }
    })
    .await;
    Ok(html.into_response())
}

#[expect(clippy::too_many_arguments, reason = "one private helper; a struct would only rename them")]
fn form(
    typed: &Typed,
    start: &Start,
    versions: &[TariffRow],
    latest: Period,
    context: String,
    hidden: Vec<(String, String)>,
    list: String,
    locale: Locale,
) -> impl IntoView + use<> {
    let usable = |row: &&TariffRow| row.status != "retired" || row.effective_to.is_some();
    let version = |row: &TariffRow| {
        let state = if row.status == "active" { String::new() } else { format!(", {}", row.status) };
        Choice::new(row.id.to_string(), format!("{} version {}{state}: {}", row.code, row.version, row.name))
    };
    let tariffs: Vec<Choice> = versions.iter().filter(usable).map(version).collect();
    let mut codes: Vec<&str> = versions.iter().map(|row| row.code.as_str()).collect();
    codes.dedup();
    let none = [Choice::new("", "Choose a tariff")];
    let codes: Vec<Choice> = none.into_iter().chain(codes.into_iter().map(|code| Choice::new(code, code))).collect();
    let candidates = (0..CANDIDATES)
        .map(|at| {
            let name = format!("candidate_{}", at + 1);
            let (label, none) = if at == 0 { ("Tariff to try", "Choose a version") } else { ("And another", "None") };
            let choices: Vec<Choice> = [Choice::new("", none)].into_iter().chain(tariffs.iter().cloned()).collect();
            let value = typed.value(&name, start.candidates.get(at).cloned().unwrap_or_default());
            let error = typed.error(&name);
            let hint = if at == 0 { "Drafts too. Each is compared with what your customers are on." } else { "" };
            view! { <SelectField name=name label=label choices=choices value=value error=error hint=hint optional={at > 0}/> }
        })
        .collect_view();
    let chosen = vec![
        Choice::new("all", "All who were supplied in these months"),
        Choice::new("tariff", "Those on a tariff"),
        Choice::new("accounts", "These accounts"),
    ];
    let months = month_choices(latest, start.months, locale);
    let answer = |name: &str, start: String| (typed.value(name, start), typed.error(name));
    let (customers, customers_error) = answer("customers", start.chosen.to_owned());
    let (code, code_error) = answer("tariff_code", start.code.clone());
    let (accounts, accounts_error) = answer("accounts", start.accounts.clone());
    let (first, first_error) = answer("first_month", month_value(Period::month_of(start.months.from())));
    let (last, last_error) = answer("last_month", month_value(Period::month_of(start.months.last())));
    view! {
        <ErrorSummary errors=field_errors(typed)/>
        <PostForm action="/api/create_what_if" context=context hidden=hidden class="form">
            {candidates}
            <Radios name="customers" label="Customers" choices=chosen value=customers error=customers_error/>
            <div class="when-tariff">
                <SelectField name="tariff_code" label="The tariff they were on" hint="At some time in these months." choices=codes value=code error=code_error/>
            </div>
            <div class="when-accounts">
                <TextArea name="accounts" label="Account numbers" hint="One a line, or with commas between them." rows=4 value=accounts error=accounts_error/>
            </div>
            <SelectField name="first_month" label="First month" choices=months.clone() value=first error=first_error/>
            <SelectField name="last_month" label="Last month" hint="Whole months of usage that is there already." choices=months value=last error=last_error/>
            <div class="actions"><Button label="Run what-if"/><ButtonLink label="Cancel" href=list kind=Kind::Secondary/></div>
        </PostForm>
    }
}

/// The months to choose from, the latest first; those of `start` are among them.
fn month_choices(latest: Period, start: Period, locale: Locale) -> Vec<Choice> {
    let back = |months: u32| latest.from().checked_sub_months(Months::new(months)).map(Period::month_of);
    let mut months: Vec<Period> = (0..OFFERED).filter_map(back).chain(start.months()).collect();
    months.sort_unstable();
    months.dedup();
    months.into_iter().rev().map(|month| Choice::new(month_value(month), format::month(month.from(), locale))).collect()
}

/// What was typed to ask for a what-if.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct WhatIfForm {
    candidate_1: String,
    candidate_2: String,
    candidate_3: String,
    candidate_4: String,
    customers: String,
    tariff_code: String,
    accounts: String,
    first_month: String,
    last_month: String,
}

/// The same, read: ids with the fields that they stand in.
#[derive(Debug)]
struct Asked {
    candidates: Vec<(String, TariffRateId)>,
    chosen: Chosen,
    months: Period,
}

fn month(typed: &str) -> Option<Period> {
    forms::day(&format!("{}-01", typed.trim())).map(Period::month_of)
}

impl WhatIfForm {
    fn read(&self) -> Result<Asked, FieldErrors> {
        let mut errors = FieldErrors::default();
        let candidates = self.candidates(&mut errors);
        let chosen = self.chosen(&mut errors);
        let (first, last) = (month(&self.first_month), month(&self.last_month));
        if first.is_none() {
            errors.add("first_month", "Choose the first month.");
        }
        if last.is_none() {
            errors.add("last_month", "Choose the last month.");
        }
        let months = match first.zip(last) {
            Some((first, last)) if last < first => {
                errors.add("last_month", "The last month must not lie before the first.");
                None
            }
            Some((first, last)) => {
                let months = what_ifs::span(first, last);
                if months.is_none() {
                    errors.add("last_month", messages::words(&WhatIfViolation::TooManyMonths));
                }
                months
            }
            None => None,
        };
        let Some(months) = months else { return Err(errors) };
        errors.or(Asked { candidates, chosen, months })
    }

    fn candidates(&self, errors: &mut FieldErrors) -> Vec<(String, TariffRateId)> {
        let mut found: Vec<(String, TariffRateId)> = vec![];
        let typed = [&self.candidate_1, &self.candidate_2, &self.candidate_3, &self.candidate_4];
        for (at, typed) in typed.into_iter().enumerate().filter(|(_, typed)| !typed.trim().is_empty()) {
            let field = format!("candidate_{}", at + 1);
            match typed.parse() {
                Ok(id) if found.iter().any(|(_, other)| *other == id) => {
                    errors.add(field, messages::words(&WhatIfViolation::Twice(at)));
                }
                Ok(id) => found.push((field, id)),
                Err(_) => errors.add(field, "Choose a version."),
            }
        }
        if found.is_empty() && errors.0.is_empty() {
            errors.add("candidate_1", messages::words(&WhatIfViolation::NoCandidate));
        }
        found
    }

    fn chosen(&self, errors: &mut FieldErrors) -> Chosen {
        match self.customers.as_str() {
            "all" => {}
            "tariff" if self.tariff_code.is_empty() => errors.add("tariff_code", "Choose the tariff they were on."),
            "tariff" => return Chosen::Tariff(self.tariff_code.clone()),
            "accounts" => {
                let mut accounts: Vec<String> =
                    self.accounts.split(['\n', ',', ';']).map(|one| one.trim().to_owned()).collect();
                accounts.retain(|one| !one.is_empty());
                accounts.sort_unstable();
                accounts.dedup();
                if accounts.is_empty() {
                    errors.add("accounts", messages::words(&WhatIfViolation::NoAccounts));
                } else if accounts.len() > ACCOUNTS {
                    errors.add("accounts", messages::words(&WhatIfViolation::TooManyAccounts));
                }
                return Chosen::Accounts(accounts);
            }
            _ => errors.add("customers", "Choose the customers."),
        }
        Chosen::All
    }
}

/// Asks for a what-if.
#[server(prefix = "/api", endpoint = "create_what_if")]
pub(crate) async fn create_what_if(client: String, #[server(flatten)] form: WhatIfForm) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::ManageTariffs, &client)?;
        let Asked { candidates, chosen, months } = form.read()?;
        let (at, _) = actor.tenant()?;
        let mut tx = ctx.write(&actor).await?;
        let customers = if matches!(chosen, Chosen::Tariff(_)) { "tariff_code" } else { "customers" };
        let (fields, candidates): (Vec<_>, Vec<_>) = candidates.into_iter().unzip();
        let asking = Asking { candidates, chosen, months };
        let refused = |refused| messages::of_form(refused, &fields, customers);
        let id = what_ifs::create(&mut tx, asking).await.map_err(refused)?;
        Done::to(format!("/clients/{at}/what-ifs/{id}")).commit(&ctx, tx).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "00000005-0001-7001-8000-000000000001";

    fn form() -> WhatIfForm {
        WhatIfForm {
            candidate_2: ONE.into(),
            customers: "all".into(),
            first_month: "2025-11".into(),
            last_month: "2026-10".into(),
            ..WhatIfForm::default()
        }
    }

    #[test]
    fn twelve_whole_months_are_read_and_proposed() {
        let asked = form().read().unwrap();
        assert_eq!((asked.months.months().count(), asked.candidates.len()), (12, 1));
        let october = Period::month(2026, 10).unwrap();
        assert_eq!(year_to(october), asked.months);
        let offered = month_choices(october, Period::month(2020, 2).unwrap(), Locale::EnUs);
        assert_eq!((offered.len(), offered[0].value.as_str()), (37, "2026-10"));
        assert_eq!(offered[36].label, "February 2020");
    }

    #[test]
    fn every_fault_is_told_beside_its_field() {
        let wrong = WhatIfForm {
            candidate_1: ONE.into(),
            customers: "accounts".into(),
            accounts: " , ;\n".into(),
            first_month: "2026-11".into(),
            ..form()
        };
        let errors = wrong.read().unwrap_err();
        let fields: Vec<&str> = errors.0.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, ["candidate_2", "accounts", "last_month"]);
        assert!(WhatIfForm { last_month: "2028-01".into(), ..form() }.read().is_err());
        assert!(!WhatIfForm::default().read().unwrap_err().of("candidate_1").is_empty());
    }

    #[test]
    fn account_numbers_are_taken_in_any_list() {
        let typed = WhatIfForm { customers: "accounts".into(), accounts: "A-2, A-1;A-3\r\nA-1\n".into(), ..form() };
        let accounts = ["A-1", "A-2", "A-3"].map(str::to_owned).to_vec();
        assert_eq!(typed.read().unwrap().chosen, Chosen::Accounts(accounts));
    }
}
