//! The tariff of a customer: the section on the customer's page, and putting the customer on a tariff.

use chrono::{Datelike, Months, NaiveDate};
use eis::access::Permission;
use eis::db::Tenant;
use eis::parties::contracts::Contract;
use eis::parties::customers::Customer;
use eis::tariffs::agreements::{self, Agreement};
use eis::tariffs::{self, Filter, TariffRow};
use eis::values::ids::CustomerId;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::contracts as contract_pages;
use crate::components::{
    Button, Choice, Column, DataTable, DateField, PostForm, Section, SelectField, changed_meanwhile,
};
use crate::format::{self, Locale};
use crate::forms::seen::{self, Shown};
use crate::forms::{FieldErrors, Reader, Typed};
use crate::messages;
use crate::pages::parts::AtClient;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, require_client};

/// What the section shows.
#[derive(Debug)]
pub struct CustomerTariff {
    agreements: Vec<Agreement>,
    contracts: Vec<Contract>,
    choices: Vec<TariffRow>,
    starts: NaiveDate,
    today: NaiveDate,
}

/// Loads a customer's agreements and the tariffs to choose from.
///
/// # Errors
/// When the database fails.
pub async fn load(
    tx: &Tenant,
    at: &AtClient,
    customer: &Customer,
    contracts: &[Contract],
) -> Result<CustomerTariff, AppError> {
    let agreements = agreements::list(tx, customer.id).await?;
    let active = Filter { status: "active".into(), ..Filter::default() };
    let (mut choices, _) = tariffs::list(tx, &active, 0, 500).await?;
    choices.dedup_by(|one, other| one.code == other.code);
    let today = at.client.today();
    let next = today.with_day(1).and_then(|day| day.checked_add_months(Months::new(1))).unwrap_or(today);
    // Those withdrawn need no tariff.
    let contracts: Vec<Contract> = contracts.iter().filter(|one| one.status != "withdrawn").cloned().collect();
    let first = contracts.first().map(|contract| contract.from_on).filter(|_| agreements.is_empty());
    let starts = first.unwrap_or(next);
    Ok(CustomerTariff { agreements, contracts, choices, starts, today })
}

/// The tariff on the customer's page; the form only for those who may write.
pub fn section(
    tariff: CustomerTariff,
    typed: Typed,
    form: Option<(String, Vec<(String, String)>)>,
    tariffs_path: &str,
    locale: Locale,
) -> impl IntoView + use<> {
    let CustomerTariff { agreements, contracts, choices, starts, today } = tariff;
    let none = agreements.is_empty();
    let shown = shown(&agreements);
    let path = tariffs_path.to_owned();
    // Who has one contract need not be told which it is.
    let several = contracts.len() > 1;
    let places: Vec<_> = contracts.iter().map(|contract| (contract.id, contract.address.clone())).collect();
    let names: Vec<(String, String)> = choices.iter().map(|row| (row.code.clone(), row.name.clone())).collect();
    let rows = agreements
        .into_iter()
        .map(|agreement| {
            let name = names.iter().find(|(code, _)| *code == agreement.tariff_code).map(|(_, name)| name.clone());
            let href = crate::pages::parts::address(&path, &[("q", &agreement.tariff_code)]);
            let last = agreement.valid_to.map(|to| to.pred_opt().unwrap_or(to));
            let place = places.iter().find(|(id, _)| *id == agreement.contract_id).map(|(_, address)| address.clone());
            let now = if agreement.covers(today) {
                "Now"
            } else if agreement.valid_from > today {
                "Later"
            } else {
                "Earlier"
            };
            view! {
                <tr>
                    <th scope="row"><a href=href>{agreement.tariff_code}</a></th>
                    <td>{name}</td>
                    {several.then(|| view! { <td>{place}</td> })}
                    <td class="nowrap">{format::date(agreement.valid_from, locale)}</td>
                    <td class="nowrap">{last.map_or_else(|| "–".to_owned(), |last| format::date(last, locale))}</td>
                    <td>{now}</td>
                </tr>
            }
        })
        .collect_view();
    let columns = ["Tariff", "Name"].into_iter().chain(several.then_some("Service address"));
    let columns = columns.chain(["From", "Last day", "Holds"]).map(Column::text).collect::<Vec<_>>();
    let (empty, alone) = (choices.is_empty(), contracts.is_empty());
    let contracts = contract_pages::choices(&contracts, "Choose a contract", locale);
    view! {
        <Section title="Tariff">
            <div class="stack">
            {if none {
                view! { <p>"On no tariff yet: nothing can be billed until there is one."</p> }.into_any()
            } else {
                view! { <DataTable caption="Tariff agreements" columns=columns>{rows}</DataTable> }.into_any()
            }}
            {match form {
                Some(_) if alone => view! { <p>"Make a contract first: a tariff is agreed for one."</p> }.into_any(),
                Some(_) if empty => view! { <p>"There is no active tariff to choose. "<a href=path>"Go to tariffs"</a></p> }.into_any(),
                Some((context, hidden)) => choose(typed, &shown, contracts, choices, starts, context, hidden).into_any(),
                None => ().into_any(),
            }}
            </div>
        </Section>
    }
}

/// A customer's agreements as the form saw them.
fn shown(agreements: &[Agreement]) -> Shown {
    let told = |agreement: &Agreement| {
        let until = agreement.valid_to.map(|to| format!(" until {to}")).unwrap_or_default();
        format!("{} from {}{until}", agreement.tariff_code, agreement.valid_from)
    };
    let latest = agreements.first().map(|agreement| agreement.valid_from.to_string()).unwrap_or_default();
    Shown::default().field("tariff_code", "Tariffs", agreements.iter().map(told).collect::<Vec<_>>().join(", ")).field(
        "tariff_from",
        "From",
        latest,
    )
}

fn choose(
    typed: Typed,
    shown: &Shown,
    contracts: Vec<Choice>,
    tariffs: Vec<TariffRow>,
    starts: NaiveDate,
    context: String,
    mut hidden: Vec<(String, String)>,
) -> impl IntoView + use<> {
    hidden.push(shown.hidden(&typed));
    let changed = changed_meanwhile(&typed, shown);
    let choices = std::iter::once(Choice::new("", "Choose a tariff"))
        .chain(tariffs.into_iter().map(|row| Choice::new(row.code.clone(), format!("{} – {}", row.code, row.name))))
        .collect();
    // Who has one contract, besides the line above them, need not choose.
    let several = contracts.len() > 2;
    view! {
        <PostForm action="/api/put_on_tariff" context=context hidden=hidden class="form">
            {several.then(|| view! {
                <SelectField name="contract" label="Contract" choices=contracts value=typed.value("contract", "") error=typed.error("contract")/>
            })}
            <SelectField name="tariff_code" label="Put on tariff" choices=choices value=typed.value("tariff_code", "") error=typed.error("tariff_code")/>
            <DateField name="tariff_from" label="From" hint="The last day of the tariff before it is the day before." value=typed.value("tariff_from", starts.to_string()) error=typed.error("tariff_from")/>
            <div class="actions"><Button label="Put on tariff" kind=crate::components::Kind::Secondary/></div>
            {changed}
        </PostForm>
    }
}

/// What was typed to put a customer on a tariff.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AgreementForm {
    contract: String,
    tariff_code: String,
    tariff_from: String,
}

impl AgreementForm {
    fn read(&self) -> Result<(String, NaiveDate), FieldErrors> {
        let mut reader = Reader::default();
        let code = self.tariff_code.trim().to_owned();
        if code.is_empty() {
            reader.errors.add("tariff_code", "Choose a tariff.");
        }
        let from = reader.date("tariff_from", &self.tariff_from, "the first day on the tariff");
        reader.errors.or((code, from.unwrap_or_default()))
    }
}

/// Puts a contract of a customer on a tariff from a day on.
#[server(prefix = "/api", endpoint = "put_on_tariff")]
pub(crate) async fn put_on_tariff(
    client: String,
    customer: String,
    #[server(flatten)] form: AgreementForm,
) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::ManageCustomers, &client)?;
        let id: CustomerId = customer.parse().map_err(|_| AppError::NotFound)?;
        let (at, _) = actor.tenant()?;
        let mut tx = ctx.write(&actor).await?;
        // Locked: of two at once, one waits here and then finds the other's agreement.
        eis::parties::customers::locked(&mut tx, id).await?.ok_or(AppError::NotFound)?;
        let (code, from) = form.read()?;
        seen::unchanged(&ctx.sent, &shown(&agreements::list(&tx, id).await?))?;
        let contracts = contract_pages::standing(&tx, id).await?;
        let contract = contract_pages::one_of(&contracts, &form.contract)?.id;
        let agreed = agreements::create(&mut tx, id, contract, &code, from).await;
        agreed.map_err(|refused| messages::told(refused, messages::agreements::words))?;
        Done::to(format!("/clients/{at}/customers/{id}"))
            .saying(format!("On tariff {code} from {from}."))
            .commit(&ctx, tx)
            .await
    })
    .await
}
