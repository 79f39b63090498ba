//! The next step of a run and the way back, each with what it does in numbers.

use eis::access::Permission;
use eis::billing::{AT_ONCE, BillingRun, Progress};
use eis::parties::clients::Client;
use leptos::prelude::*;

use crate::components::{ConfirmPanel, Kind, Section};
use crate::format::{self, Locale, many};
use crate::pages::parts::AtClient;

/// The next step, and the way back, for those who may.
pub(super) struct Panels {
    runs: bool,
    issues: bool,
    context: String,
    hidden: Vec<(String, String)>,
    name: String,
    terms: i16,
    series: String,
    /// What blocks and what warns.
    exceptions: (i64, i64),
    progress: Progress,
    stale: bool,
    currency: String,
    locale: Locale,
}

impl Panels {
    pub fn new(
        at: &AtClient,
        client: &Client,
        run: &BillingRun,
        name: &str,
        exceptions: (i64, i64),
        progress: Progress,
        stale: bool,
    ) -> Self {
        let pair = |name: &str, value: String| (name.to_owned(), value);
        Self {
            runs: at.actor.may(Permission::RunBilling),
            issues: at.actor.may(Permission::IssueInvoices),
            context: at.actor.context_token(),
            hidden: vec![
                pair("client", at.client.id.to_string()),
                pair("run", run.id.to_string()),
                pair("page", format!("{}/billing-runs/{}", at.base(), run.id)),
            ],
            name: format!("the billing run {name}"),
            terms: client.payment_terms_days,
            series: client.invoice_series.clone(),
            exceptions,
            progress,
            stale,
            currency: at.client.currency.clone(),
            locale: at.locale(),
        }
    }

    pub fn view(&self, run: &BillingRun) -> AnyView {
        // Once an invoice is issued there is no way back: what has changed meanwhile is held when its turn comes.
        let begun = self.progress.issued > 0;
        let mut panels: Vec<AnyView> = match run.status.as_str() {
            "open" if self.runs => vec![self.rate("Rate…", Kind::Primary)],
            "rated" if self.runs && run.invoices > 0 && !self.stale => {
                vec![self.approve(run), self.rate("Rate again…", Kind::Secondary), self.reopen()]
            }
            "rated" if self.runs => vec![self.rate("Rate again…", Kind::Primary), self.reopen()],
            "approved" if self.issues && begun => vec![self.issue(run, "Issue again…")],
            "approved" if self.issues && !self.stale => vec![self.issue(run, "Issue…")],
            _ => vec![],
        };
        if self.runs && run.status == "approved" && !begun {
            panels.push(self.reopen());
        }
        if self.runs && !run.is_issued() && !begun {
            panels.push(self.delete(run));
        }
        if panels.is_empty() {
            return ().into_any();
        }
        view! { <Section title="Next step"><div class="stack">{panels}</div></Section> }.into_any()
    }

    fn panel(
        &self,
        open: &str,
        title: String,
        consequences: Vec<String>,
        label: String,
        action: &str,
        kind: Kind,
    ) -> AnyView {
        let shown = kind == Kind::Primary;
        view! {
            <ConfirmPanel open=open title=title consequences=consequences label=label action=format!("/api/{action}")
                context=self.context.clone() hidden=self.hidden.clone() kind=kind shown=shown/>
        }
        .into_any()
    }

    fn rate(&self, open: &str, kind: Kind) -> AnyView {
        let title = format!("Rate {}?", self.name);
        let consequences = vec![
            "Every contract of the run gets a draft invoice, or an exception that says why not and holds it.".to_owned(),
            "What is due of each is worked out anew. Drafts of an earlier rating are replaced; nothing is sent, and customers see nothing."
                .to_owned(),
            "You can rate again as often as you like until you approve.".to_owned(),
        ];
        self.panel(open, title, consequences, "Rate now".to_owned(), "rate_billing_run", kind)
    }

    /// That contracts stay without a bill, where some do.
    fn held(&self, run: &BillingRun) -> Option<String> {
        let one = run.exceptions == 1;
        let held =
            many(run.exceptions.into(), "contract is held and stays", "contracts are held and stay", self.locale);
        let them = if one { "it" } else { "them" };
        (run.exceptions > 0)
            .then(|| format!("{held} without a bill, as the exceptions say. The next run takes {them} over."))
    }

    fn approve(&self, run: &BillingRun) -> AnyView {
        let invoices = many(run.invoices.into(), "invoice", "invoices", self.locale);
        let total = format::amount(run.total, &self.currency, self.locale);
        let mut consequences = vec![format!("{invoices} over {total} can then be issued.")];
        consequences.extend(self.held(run));
        if self.exceptions.1 > 0 {
            consequences.push(format!(
                "{} with something to look at.",
                many(self.exceptions.1, "bill goes out", "bills go out", self.locale)
            ));
        }
        consequences.push("Rating again needs the run to be reopened.".to_owned());
        self.panel(
            "Approve…",
            format!("Approve {invoices} of {}?", self.name),
            consequences,
            format!("Approve {invoices}"),
            "approve_billing_run",
            Kind::Primary,
        )
    }

    fn issue(&self, run: &BillingRun, open: &str) -> AnyView {
        let invoices = many(self.progress.left, "invoice", "invoices", self.locale);
        let total = format::amount(self.progress.left_total, &self.currency, self.locale);
        let mut consequences = vec![
            format!("{invoices} totalling {total} get their numbers in series {} and today's date.", self.series),
            format!("They are due in {} days, and customers see them at once.", self.terms),
        ];
        if self.progress.left > AT_ONCE {
            consequences.push(format!(
                "They are issued {} at a time. If that is interrupted, what is issued stays, and issuing again goes on.",
                format::count(AT_ONCE, self.locale)
            ));
        }
        consequences.extend(self.held(run));
        consequences.push("This cannot be taken back: an issued invoice is corrected by a credit note.".to_owned());
        self.panel(
            open,
            format!("Issue {invoices} of {}?", self.name),
            consequences,
            format!("Issue {invoices} totalling {total}"),
            "issue_billing_run",
            Kind::Primary,
        )
    }

    fn reopen(&self) -> AnyView {
        let drafts = many(self.progress.left, "draft", "drafts", self.locale);
        let consequences = vec![
            format!("{drafts} and all exceptions of this rating are dropped."),
            "Usage, tariffs and customers stay as they are.".to_owned(),
        ];
        self.panel(
            "Reopen…",
            format!("Reopen {}?", self.name),
            consequences,
            format!("Drop {drafts} and reopen"),
            "reopen_billing_run",
            Kind::Danger,
        )
    }

    fn delete(&self, run: &BillingRun) -> AnyView {
        let goes = if run.status == "open" {
            "It has no draft invoices.".to_owned()
        } else {
            let drafts = many(self.progress.left, "draft invoice", "draft invoices", self.locale);
            let exceptions = many(self.exceptions.0 + self.exceptions.1, "exception", "exceptions", self.locale);
            format!("{drafts} with all lines and {exceptions} go with it.")
        };
        let contracts = many(run.contracts.into(), "contract", "contracts", self.locale);
        let consequences = vec![
            goes,
            format!("What it has of {contracts} is due again: another run takes it on."),
            "Usage, tariffs and customers stay as they are.".to_owned(),
        ];
        self.panel(
            "Delete…",
            format!("Delete {}?", self.name),
            consequences,
            "Delete billing run".to_owned(),
            "delete_billing_run",
            Kind::Danger,
        )
    }
}
