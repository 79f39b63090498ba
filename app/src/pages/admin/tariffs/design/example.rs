//! The example beside the form: a bill of the draft, of a sample profile or of a customer's own usage, beside what the
//! active version makes of the same.

use chrono::{Months, NaiveDate};
use eis::billing::shadow::{self, Candidate};
use eis::db::AtClient;
use eis::db::{DbError, Tenant};
use eis::parties::clients::Client;
use eis::parties::customers;
use eis::rating::{Bill, History, Register, Supply, UsageInput, sample};
use eis::tariff_document::{Change, TariffDocument, same_register};
use eis::usage::{self, Direction, Profile};
use eis::values::money::Money;
use eis::values::period::Period;
use leptos::prelude::*;

use super::ask::Ask;
use super::fields::Fields;
use crate::components::{Column, DataTable, Notice, Rows};
use crate::format::{self, Locale};
use crate::forms::{self, FieldErrors};

/// Interval of the sample profiles, in minutes.
const MINUTES: u16 = 15;

/// What the form comes to.
pub struct Example {
    /// The bill, or why there is none.
    bill: Result<Bill, String>,
    /// The same usage under the version that is active, where there is one.
    active: Option<Result<Bill, String>>,
}

/// The month that a form asks for; the last whole one unless it says otherwise.
pub fn month(fields: &Fields, today: NaiveDate) -> Period {
    let typed = forms::day(&format!("{}-01", fields.get("example.month")));
    let this = Period::month_of(today);
    let last = this.from().checked_sub_months(Months::new(1)).unwrap_or(this.from());
    Period::month_of(typed.unwrap_or(last))
}

/// Rates the example.
pub async fn example(
    tx: &mut Tenant,
    here: &AtClient,
    client: &Client,
    fields: &Fields,
    document: &TariffDocument,
    active: Option<&TariffDocument>,
) -> Result<Example, DbError> {
    let month = month(fields, client.today());
    let ready = |document: &TariffDocument| Candidate::new("", document, client);
    let account = fields.get("example.account");
    let of_customer = fields.get("example.usage") == "customer";
    let customer = if of_customer {
        customers::find_by_account(tx, here.client, account).await?.map(|customer| customer.id)
    } else {
        None
    };
    let mut bills = vec![];
    for document in [Some(document), active].into_iter().flatten() {
        let bill = match (ready(document), of_customer, customer) {
            (Err(fault), ..) => Err(fault),
            (Ok(_), true, None) if account.is_empty() => Err("Enter the customer's account number.".to_owned()),
            (Ok(_), true, None) => Err(format!("There is no customer with account number {account}.")),
            (Ok(candidate), true, Some(customer)) => shadow::bill(tx, here, customer, month, &candidate)
                .await?
                .unwrap_or_else(|| Err(format!("The customer has no supply in {month}."))),
            (Ok(candidate), false, _) => {
                of_sample(&candidate, document, fields.get("example.usage") == "business", month)
            }
        };
        bills.push(bill);
    }
    let mut bills = bills.into_iter();
    let bill = bills.next().unwrap_or_else(|| Err(String::new()));
    Ok(Example { bill, active: bills.next() })
}

/// The bill of a sample; where the tariff prices registers, each of them has one.
fn of_sample(candidate: &Candidate, document: &TariffDocument, business: bool, month: Period) -> Result<Bill, String> {
    let made = if business { sample::profile } else { sample::household };
    let names = registers(document);
    let profiles: Vec<Profile> = (1..).zip(&names).map(|(seed, _)| made(document.zone, MINUTES, month, seed)).collect();
    if profiles.is_empty() {
        return candidate.bill(
            &UsageInput::profile(&made(document.zone, MINUTES, month, 1)),
            month,
            &History::default(),
        );
    }
    let all = usage::merge(&profiles.iter().collect::<Vec<_>>()).map_err(|fault| fault.to_string())?;
    let registers: Vec<Register<'_>> = names
        .iter()
        .zip(&profiles)
        .map(|(name, profile)| Register {
            names: std::slice::from_ref(name),
            meter: "",
            direction: Direction::Import,
            supply: Supply::Profile(profile),
        })
        .collect();
    let input = UsageInput { registers: &registers, ..UsageInput::profile(&all) };
    candidate.bill(&input, month, &History::default())
}

/// The registers that a tariff prices, each once.
fn registers(document: &TariffDocument) -> Vec<String> {
    let energy = document.energy.iter().filter_map(|charge| charge.register.as_ref());
    let demand = document.demand.iter().filter_map(|charge| charge.register.as_ref());
    let mut names: Vec<String> = vec![];
    for name in energy.chain(demand) {
        if !names.iter().any(|known| same_register(known, name)) {
            names.push(name.clone());
        }
    }
    names
}

/// What the side of the designer shows.
pub struct Side {
    /// The bill; nothing while the form has faults.
    pub example: Option<Example>,
    /// Faults that keep the form from being a tariff.
    pub faults: FieldErrors,
    /// What is no fault and is to be seen to.
    pub warnings: Vec<String>,
    /// What differs from the active version, and which that is.
    pub changes: Option<(String, Vec<Change>)>,
    /// How the client writes numbers.
    pub locale: Locale,
    /// The month of the example.
    pub month: Period,
}

/// The side: example, faults, changes.
pub fn side(ask: &Ask<'_>, side: Side) -> AnyView {
    let Side { example, faults, warnings, changes, locale, month } = side;
    let warnings = warnings.into_iter().map(|text| view! { <Notice title=text/> }).collect_view();
    let usages = [
        ("household", "A household (sample)"),
        ("business", "A small business (sample)"),
        ("customer", "A customer's own usage"),
    ];
    let account = (ask.fields.get("example.usage") == "customer")
        .then(|| ask.text("example.account", "Account number", "", "w10"));
    let month_field = format!("{}", month.from().format("%Y-%m"));
    let shown = match example {
        Some(example) => bill(example, ask.currency, locale),
        None => {
            let items = faults
                .0
                .into_iter()
                .map(|(field, message)| view! { <li>{view! { <a href=format!("#{field}")>{message}</a> }}</li> })
                .collect_view();
            view! { <p class="hint">"The bill appears when these are mended:"</p><ul>{items}</ul> }.into_any()
        }
    };
    let changes = changes.map(|(version, changes)| {
        view! { <h2>{format!("Changes from {version}")}</h2> {change_table(changes)} }
    });
    view! {
        <aside class="design-side" aria-label="Example bill">
            <h2>"Example bill"</h2>
            <div class="fields">
                {ask.choice("example.usage", "Usage of", &usages)}
                {account}
                <div class="field"><label r#for="example.month">"Month"</label>
                <input class="input w10" r#type="month" id="example.month" name="example.month" value=month_field/></div>
                <button r#type="submit" class="button" name="do" value="refresh">"Show the bill"</button>
            </div>
            {warnings}
            <div aria-live="polite">{shown}</div>
            {changes}
        </aside>
    }
    .into_any()
}

fn bill(example: Example, currency: &str, locale: Locale) -> AnyView {
    let bill = match example.bill {
        Ok(bill) => bill,
        Err(why) => return view! { <p class="hint">{why}</p> }.into_any(),
    };
    let mut rows = Rows::new();
    for line in &bill.lines {
        let places = line.quantity.normalize().scale().min(3);
        let how = format!(
            "{} {} × {}",
            format::number(line.quantity, places, locale),
            line.item.unit,
            format::rate(line.item.price, locale)
        );
        rows.row(|row| {
            row.text_with(&line.item.description, &how).money(line.amount.amount(), locale);
        });
    }
    let mut foot = Rows::new();
    foot.row(|row| {
        row.name("To pay").money(bill.payable.amount(), locale);
    });
    if let Some(Ok(active)) = &example.active {
        foot.row(|row| {
            row.name("Under the active version").money(active.payable.amount(), locale);
        });
        foot.row(|row| {
            row.name("Difference").number(&signed(bill.payable - active.payable, locale));
        });
    }
    let columns = vec![Column::text("Line"), Column::number("Amount", currency)];
    let told = format!(
        "{} kWh, {}",
        format::number(bill.kwh, 1, locale),
        format::date_range(bill.period.from(), bill.period.last(), locale)
    );
    view! { <p class="hint">{told}</p><DataTable caption="Example bill" columns=columns rows=rows foot=foot/> }
        .into_any()
}

/// With its sign, where it is more.
fn signed(amount: Money, locale: Locale) -> String {
    let plus = if amount > Money::ZERO { "+" } else { "" };
    format!("{plus}{}", format::money(amount.amount(), locale))
}

/// What differs between two versions, as a table.
pub fn change_table(changes: Vec<Change>) -> AnyView {
    if changes.is_empty() {
        return view! { <p class="hint">"Nothing differs."</p> }.into_any();
    }
    let mut rows = Rows::new();
    for change in changes {
        let or_none = |text: &str| if text.is_empty() { "–".to_owned() } else { text.to_owned() };
        rows.row(|row| {
            row.name(&change.what).prose(&or_none(&change.before)).prose(&or_none(&change.after));
        });
    }
    let columns = vec![Column::text("What"), Column::text("Before"), Column::text("Now")];
    view! { <DataTable caption="What changed" columns=columns rows=rows/> }.into_any()
}
