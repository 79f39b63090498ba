//! One invoice or draft: every line down to its days, payments, what happened, and recording a payment.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use eis::access::ClientSummary;
use eis::access::Permission;
use eis::parties::clients;
use eis::receivables::invoices::{self, Invoice};
use eis::receivables::payments::{self, METHODS, Paid, PaymentError, Received};
use eis::values::figures::Unit;
use eis::values::ids::{ClientId, InvoiceId, PaymentId};
use eis::values::money::Money;
use leptos::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::components::{
    Checkbox, Choice, ConfirmPanel, DateField, ErrorSummary, Event, Field, Kind, Notice, PageHeader, Section,
    SelectField, Status, Timeline, Tone,
};
use crate::format::{self, Locale};
use crate::forms::{FieldErrors, Figure, Reader, Typed, days};
use crate::pages::frame::page;
use crate::pages::invoice_view;
use crate::pages::parts::{AtClient, field_errors};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, require_client};

/// Earlier bills that one is compared with.
const EARLIER: i64 = 40;

/// `GET /clients/:client/invoices/:invoice`
pub async fn show(ctx: Ctx, Path((client, id)): Path<(String, String)>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ViewClient, &client).await?;
    let id: InvoiceId = id.parse().map_err(|_| AppError::NotFound)?;
    let (seller, invoice, lines, billed, paid) = tokio::try_join!(
        clients::find(tx.shared(), at.organization, at.client.id),
        invoices::find(&tx, id),
        invoices::lines(&tx, id),
        invoices::billed(&tx, id),
        payments::of_invoice(&tx, id),
    )?;
    let seller = seller.ok_or(AppError::Forbidden)?;
    let invoice = invoice.ok_or(AppError::NotFound)?;
    let others = invoices::of_customer(&tx, invoice.customer_id, EARLIER).await?;
    drop(tx);
    let typed = ctx.take_typed().await;
    let draft = invoice.status == "draft";
    let today = at.client.today();
    let status = if invoice.overdue(today) { "overdue".to_owned() } else { invoice.status.clone() };
    let title =
        if draft { format!("Draft for {}", invoice.customer_name) } else { format!("Invoice {}", invoice.label) };
    let place = if draft {
        at.place(&[("Billing runs", "billing-runs")], "Draft")
    } else {
        at.place(&[("Invoices", "invoices")], &invoice.label)
    };
    let locale = at.locale();
    let base = at.base();
    let may_record =
        at.actor.may(Permission::RecordPayments) && matches!(invoice.status.as_str(), "issued" | "part_paid");
    let form = may_record.then(|| PaymentPanel {
        context: at.actor.context_token(),
        page: format!("{base}/invoices/{}", invoice.id),
        client: at.client.id,
        today,
        typed: typed.clone(),
    });
    let client = at.client.clone();
    let html = page(&ctx, &at.actor, place, title.clone(), move || {
        let earlier: Vec<Invoice> = before(&invoice, others);
        let compared = invoice_view::compared(&invoice, &earlier, locale)
            .map(|view| view! { <Section title="Compared with earlier bills">{view}</Section> });
        let received = invoice_view::received(&paid, &invoice.currency, locale)
            .map(|view| view! { <Section title="Payments">{view}</Section> });
        let subtitle = subtitle(&invoice, locale);
        let run = invoice.billing_run_id.filter(|_| draft).map(|id| format!("{base}/billing-runs/{id}"));
        let note = run.map(|href| {
            view! {
                <Notice tone=Tone::Info title="This is a draft: it has no number, and the customer does not see it.">
                    <p>"It is issued with its "<a href=href>"billing run"</a>"."</p>
                </Notice>
            }
        });
        let happened = events(&invoice, &paid, &client, locale);
        let customer = format!("{base}/customers/{}", invoice.customer_id);
        view! {
            <ErrorSummary errors=field_errors(&typed)/>
            <PageHeader title=title subtitle=subtitle><Status value=status/></PageHeader>
            {note}
            <div class="columns">
                <div>
                    {invoice_view::account(&invoice, &lines, &billed, locale)}
                    {received}
                    {compared}
                    {invoice_view::explained(&billed, &invoice.currency, locale)}
                </div>
                <div class="stack">
                    {invoice_view::facts(&invoice, &billed, &seller, &customer)}
                    {form.map(|form| form.view(&invoice, locale))}
                    <Section title="What happened"><Timeline events=happened/></Section>
                </div>
            </div>
        }
    })
    .await;
    Ok(html.into_response())
}

/// Of a customer's invoices, three that come before this one: the latest, and the one of a year ago if there.
fn before(invoice: &Invoice, others: Vec<Invoice>) -> Vec<Invoice> {
    let mut earlier: Vec<Invoice> =
        others.into_iter().filter(|other| other.id != invoice.id && other.period_to <= invoice.period_from).collect();
    earlier.sort_by_key(|other| std::cmp::Reverse(other.period_from));
    let year_ago = invoice.period_from.checked_sub_months(chrono::Months::new(12));
    let old = earlier.iter().skip(2).find(|other| Some(other.period_from) == year_ago).cloned();
    earlier.truncate(2);
    earlier.extend(old);
    earlier
}

fn subtitle(invoice: &Invoice, locale: Locale) -> String {
    let amount = |value| format::amount(value, &invoice.currency, locale);
    match (invoice.status.as_str(), invoice.due_on) {
        ("issued" | "part_paid", Some(due)) => {
            format!("{} to pay by {}", amount(invoice.open()), format::date(due, locale))
        }
        _ => amount(invoice.total),
    }
}

fn events(invoice: &Invoice, paid: &[Paid], client: &ClientSummary, locale: Locale) -> Vec<Event> {
    let payment = |paid: &Paid| Event {
        title: format!("{} received", format::amount(paid.amount, &invoice.currency, locale)),
        by: payments::method_label(&paid.payment.method).to_owned(),
        at: format::date(paid.payment.received_on, locale),
        datetime: paid.payment.received_on.to_string(),
        detail: paid.payment.reference.clone(),
        tone: Tone::Good,
    };
    let issued = invoice.issued_on.map(|day| Event {
        title: format!("Issued as {}", invoice.label),
        at: format::date(day, locale),
        datetime: day.to_string(),
        tone: Tone::Info,
        ..Event::default()
    });
    let rated = Event {
        title: format!("Rated on {}", invoice.tariff_name),
        at: format::date_time(invoice.created_at.with_timezone(&client.zone()).naive_local(), locale),
        datetime: invoice.created_at.to_rfc3339(),
        ..Event::default()
    };
    paid.iter().map(payment).chain(issued).chain([rated]).collect()
}

/// Where a payment is recorded.
struct PaymentPanel {
    context: String,
    page: String,
    client: ClientId,
    today: chrono::NaiveDate,
    typed: Typed,
}

impl PaymentPanel {
    fn view(self, invoice: &Invoice, locale: Locale) -> AnyView {
        let typed = self.typed;
        // Kept while the form goes back and forth, new with every page: sent twice, it is one payment.
        let key = typed.value("key", "").parse().unwrap_or_else(|_| PaymentId::fresh());
        let open = format::amount(invoice.open(), &invoice.currency, locale);
        let hidden = vec![
            ("client".to_owned(), self.client.to_string()),
            ("invoice".to_owned(), invoice.id.to_string()),
            ("key".to_owned(), key.to_string()),
            ("page".to_owned(), self.page),
        ];
        let methods = METHODS.iter().map(|(code, label)| Choice::new(*code, *label)).collect::<Vec<_>>();
        let (currency, left) = (invoice.currency.clone(), format::money(invoice.open(), locale));
        let shown = !typed.errors.0.is_empty();
        view! {
            <ConfirmPanel
                open="Record a payment…"
                title=format!("Record a payment by {}", invoice.customer_name)
                consequences=vec![
                    format!("It pays this invoice first, of which {open} is open, then the customer's oldest open ones."),
                    "What is left over is kept as the customer's credit and pays the next bill.".to_owned(),
                ]
                label="Record payment"
                action="/api/record_payment"
                context=self.context
                hidden=hidden
                kind=Kind::Secondary
                shown=shown
            >
                <Field name="amount" label="Amount" unit=currency inputmode="decimal" width="w10" value=typed.value("amount", left) error=typed.error("amount")/>
                <DateField name="received_on" label="Received on" value=typed.value("received_on", self.today.to_string()) error=typed.error("received_on")/>
                <SelectField name="method" label="How" choices=methods value=typed.value("method", "bank_transfer") error=typed.error("method")/>
                <Field name="reference" label="Reference" autocomplete="off" optional=true value=typed.value("reference", "") error=typed.error("reference")/>
                {(!typed.error("another").is_empty()).then(|| view! {
                    <Checkbox name="another" label="It is another payment of the same amount" error=typed.error("another")/>
                })}
            </ConfirmPanel>
        }
        .into_any()
    }
}

/// What was typed to record a payment.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PaymentForm {
    key: String,
    amount: String,
    received_on: String,
    method: String,
    reference: String,
    /// Ticked where the very same was recorded already.
    #[serde(default)]
    another: String,
}

impl PaymentForm {
    fn read(&self, invoice: &Invoice, today: chrono::NaiveDate, locale: Locale) -> Result<Received, FieldErrors> {
        let mut reader = Reader::default();
        let key: Option<PaymentId> = self.key.parse().ok();
        if key.is_none() {
            reader.errors.add("amount", "This form was not made by its page. Look at it again and send it from here.");
        }
        let asked = Figure {
            what: "the amount",
            unit: Unit::Currency(&invoice.currency),
            least: Decimal::new(1, 2),
            most: Decimal::from(9_999_999_999_i64),
            places: 2,
        };
        let amount = reader.figure("amount", &self.amount, locale, asked);
        let received_on = reader.date("received_on", &self.received_on, "the day the money came");
        days::received(&mut reader.errors, "received_on", received_on, today);
        let codes = METHODS.map(|(code, _)| code);
        let method = reader.choice("method", &self.method, "how the money came", &codes);
        let reference = reader.optional("reference", &self.reference, 140);
        reader.errors.or(Received {
            id: key.unwrap_or_else(PaymentId::fresh),
            amount: Money::new(amount.unwrap_or_default()),
            received_on: received_on.unwrap_or_default(),
            method: method.to_owned(),
            reference,
            another: !self.another.is_empty(),
        })
    }
}

/// Records a payment that pays an invoice first.
#[server(prefix = "/api", endpoint = "record_payment")]
pub(crate) async fn record_payment(
    client: String,
    invoice: String,
    #[server(flatten)] form: PaymentForm,
) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::RecordPayments, &client)?;
        let (at, _) = actor.tenant()?;
        let id: InvoiceId = invoice.parse().map_err(|_| AppError::NotFound)?;
        let mut tx = ctx.write(&actor).await?;
        let owner = clients::current(&tx).await?;
        let invoice = invoices::find(&tx, id).await?.ok_or(AppError::NotFound)?;
        let locale = Locale::from(&owner.locale);
        let received = form.read(&invoice, owner.today(), locale)?;
        let to = format!("/clients/{at}/invoices/{id}");
        let recorded = match payments::record(&mut tx, id, &received).await {
            Err(PaymentError::RecordedBefore(before)) => {
                let amount = format::amount(before.amount, &before.currency, locale);
                let say = format!("This payment of {amount} was already recorded; nothing was recorded again.");
                return Ok(Done::to(to).saying(say));
            }
            recorded => recorded?,
        };
        let money = |amount: Money| format::amount(amount.amount(), &invoice.currency, locale);
        let (amount, allocated) = (money(received.amount), recorded.allocated.len());
        let left = if recorded.left.is_zero() {
            String::new()
        } else {
            format!(" {} is left over as credit.", money(recorded.left))
        };
        let pays = format!("It pays {allocated} {}.", if allocated == 1 { "invoice" } else { "invoices" });
        Done::to(to).saying(format!("Payment of {amount} recorded. {pays}{left}")).commit(&ctx, tx).await
    })
    .await
}
