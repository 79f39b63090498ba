//! One contract in a period: a draft invoice, or the reasons why there is none. Pure.

use chrono::{Datelike, NaiveDate};
use diesel::QueryResult;
use rust_decimal::Decimal;
use serde::Serialize;

use super::digest::hash;
use super::draft::{Draft, Found, Party};
use super::inputs::Inputs;
use super::load::{AgreementRow, ContractRow, DayRow, LaterRow, MeterRow, PastRow, ReadRow};
use super::tariffs::{self, Tariffs, Version};
use super::usage::{Counted, Lacking, Measured, apart, measure};
use crate::rating::{self, Bill, Carried, CompiledTariff, History, RatingError, Register, UsageInput};
use crate::receivables::invoices::UsageSource;
use crate::usage::Direction;
use crate::values::ids::{BillingPeriodId, CustomerId};
use crate::values::money::Money;
use crate::values::period::Period;

/// What is known about one contract.
pub(super) struct Account<'a> {
    pub contract: &'a ContractRow,
    pub meters: Vec<&'a MeterRow>,
    pub agreements: Vec<&'a AgreementRow>,
    pub reads: Vec<&'a ReadRow>,
    pub days: Vec<&'a DayRow>,
    pub past: Vec<&'a PastRow>,
    pub later: Vec<&'a LaterRow>,
}

/// What was found about a contract.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    pub customer_id: CustomerId,
    pub billing_period_id: BillingPeriodId,
    pub kind: &'static str,
    pub severity: &'static str,
    pub message: String,
}

/// What rating a customer came to.
#[derive(Default)]
pub(super) struct Verdict {
    pub draft: Option<Draft>,
    pub findings: Vec<Finding>,
}

impl Account<'_> {
    /// Rates the contract's days of the period `id`.
    pub fn judge(&self, tariffs: &Tariffs, id: BillingPeriodId, days: Period) -> Verdict {
        match self.bill(tariffs, id, days) {
            Ok(None) => {
                let why = "The contract has none of these days any more. Rate again.".to_owned();
                Verdict { draft: None, findings: vec![self.finding(id, "no_days", "blocks", why)] }
            }
            Ok(Some(draft)) => Verdict { findings: self.warnings(id, &draft), draft: Some(draft) },
            Err(Lacking(kind, message)) => {
                Verdict { draft: None, findings: vec![self.finding(id, kind, "blocks", message)] }
            }
        }
    }

    fn finding(&self, id: BillingPeriodId, kind: &'static str, severity: &'static str, message: String) -> Finding {
        Finding { customer_id: self.contract.customer_id, billing_period_id: id, kind, severity, message }
    }

    /// The days of the period in which the customer is supplied.
    pub fn span(&self, period: Period) -> Option<Period> {
        let supplied = Period::new(self.contract.from_on, self.contract.to_on.unwrap_or(period.to()));
        supplied.ok()?.intersect(&period)
    }

    /// What a bill of the period is rated from; nothing when the customer has no day in it.
    pub fn basis<'t>(&self, tariffs: &'t Tariffs, period: Period) -> Result<Option<Basis<'t>>, Lacking> {
        let Some(span) = self.span(period) else { return Ok(None) };
        let versions = tariffs.during(&self.agreements, span).map_err(|text| Lacking("no_tariff", text))?;
        let usage = self.usage(span)?;
        Ok(Some(Basis { span, versions, usage, history: self.history(span) }))
    }

    /// The usage of some days of supply.
    pub fn usage(&self, span: Period) -> Result<Usage, Lacking> {
        let (import, export): (Vec<&MeterRow>, Vec<&MeterRow>) =
            self.meters.iter().partition(|meter| meter.direction == "import");
        if import.is_empty() {
            return Err(Lacking(
                "no_meter",
                format!("No meter is in place between {span}.").replace(" between ", " from "),
            ));
        }
        let import_usage = self.measured(&import, span)?;
        let export_usage = if export.is_empty() { None } else { Some(self.measured(&export, span)?) };
        let mut source = UsageSource {
            meters: import.iter().chain(&export).map(|meter| meter.serial.clone()).collect(),
            ..UsageSource::default()
        };
        source.meters.dedup();
        import_usage.count_into(&mut source);
        let mut counted = self.apart(&import, Direction::Import, span)?;
        counted.extend(self.apart(&export, Direction::Export, span)?);
        Ok(Usage { import: import_usage, export: export_usage, counted, source })
    }

    /// The draft; nothing when the customer has no day in the period.
    fn bill(&self, tariffs: &Tariffs, id: BillingPeriodId, period: Period) -> Result<Option<Draft>, Lacking> {
        let Some(basis) = self.basis(tariffs, period)? else { return Ok(None) };
        let bill = basis.rate()?;
        self.carries_once(&basis.history, &bill)?;
        let inputs = self.inputs(tariffs, period).map_err(|fault| Lacking("rating_failed", format!("{fault}.")))?;
        Ok(Some(self.draft(id, &basis, bill, inputs)))
    }

    /// The fingerprint of everything that rating reads about this customer.
    ///
    /// # Errors
    /// When something of it cannot be written as JSON: what has no fingerprint is not taken as unchanged.
    pub fn inputs(&self, tariffs: &Tariffs, period: Period) -> QueryResult<Inputs> {
        let held = tariffs.during(&self.agreements, self.span(period).unwrap_or(period));
        let held = held.map(|held| held.iter().map(|(from, version)| (*from, &version.hash)).collect::<Vec<_>>());
        Ok(Inputs {
            customer: hash(self.contract)?,
            meters: hash(&self.meters)?,
            usage: hash(&(&self.reads, &self.days))?,
            tariff: hash(&held)?,
            earlier_bills: hash(&(&self.past, &self.later))?,
        })
    }

    fn measured(&self, meters: &[&MeterRow], span: Period) -> Result<Measured, Lacking> {
        let (days, reads) = self.rows_of(meters, span);
        measure(meters, &days, &reads, span)
    }

    /// The registers of some meters of a direction.
    fn apart(&self, meters: &[&MeterRow], direction: Direction, span: Period) -> Result<Vec<Counted>, Lacking> {
        let (days, reads) = self.rows_of(meters, span);
        apart(meters, direction, &days, &reads, span)
    }

    /// What some meters measured in some days.
    fn rows_of(&self, meters: &[&MeterRow], span: Period) -> (Vec<&DayRow>, Vec<&ReadRow>) {
        let ours = |id| meters.iter().any(|meter| meter.id == id);
        let days: Vec<&DayRow> = self.days.iter().filter(|row| ours(row.meter_id)).copied().collect();
        let reads: Vec<&ReadRow> = self
            .reads
            .iter()
            .filter(|row| ours(row.meter_id) && row.from_on < span.to() && row.to_on > span.from())
            .copied()
            .collect();
        (days, reads)
    }

    /// What earlier bills leave goes to the bill issued next, once: where that one was for later days, this bill can
    /// neither take it nor leave anything.
    fn carries_once(&self, history: &History, bill: &Bill) -> Result<(), Lacking> {
        let carries = |carried: &Carried| *carried != Carried::default();
        match self.later.first() {
            Some(later) if carries(&history.carried) || carries(&bill.carried) => {
                let label = &later.label;
                Err(Lacking(
                    "carried_over",
                    format!("Invoice {label} for later days took over what earlier bills left. Credit {label} first."),
                ))
            }
            _ => Ok(()),
        }
    }

    /// What the earlier invoices left behind.
    fn history(&self, span: Period) -> History {
        let mut carried = self.past.last().map(|row| row.carried()).unwrap_or_default();
        // The charges that count towards a minimum per year begin anew with the year.
        if self.past.last().is_some_and(|row| row.period_from.year() != span.from().year()) {
            carried.year_to_date = Money::ZERO;
        }
        History { peaks: self.past.iter().filter_map(|row| row.peak()).collect(), carried }
    }

    fn draft(&self, id: BillingPeriodId, basis: &Basis<'_>, bill: Bill, inputs: Inputs) -> Draft {
        let (contract, versions) = (self.contract, &basis.versions);
        let address = if contract.billing_address.is_empty() { &contract.address } else { &contract.billing_address };
        let mut names: Vec<&str> = versions.iter().map(|(_, version)| version.name.as_str()).collect();
        names.dedup();
        let (peak_names, peak_kws) = bill.peaks.into_iter().unzip();
        let (banked_periods, banked_kwh) = bill.carried.bank_kwh.into_iter().unzip();
        Draft {
            party: Party {
                customer_id: contract.customer_id,
                account_id: contract.account_id,
                customer_name: contract.name.clone(),
                account_number: contract.account_number.clone(),
                billing_address: address.clone(),
                currency: bill.currency,
            },
            collective: contract.collective,
            contract_id: contract.id,
            payable_rounding: bill.payable_rounding,
            found: Found {
                id,
                customer_id: contract.customer_id,
                invoice_id: None,
                from_on: bill.period.from(),
                to_on: bill.period.to(),
                tariff_name: names.join(", then "),
                tariff_rate_ids: versions.iter().map(|(_, version)| version.id).collect(),
                kwh: bill.kwh,
                exported_kwh: bill.exported_kwh,
                peak_kw: bill.peak_kw,
                peak_names,
                peak_kws,
                estimated: bill.estimated,
                net: bill.net.amount(),
                tax: bill.tax.amount(),
                total: bill.payable.amount(),
                carried_before: basis.history.carried.credit,
                carried_credit: bill.carried.credit,
                carried_year_to_date: bill.carried.year_to_date,
                banked_periods,
                banked_kwh,
                usage_source: UsageSource { added: bill.added, ..basis.usage.source.clone() },
                inputs,
                explained: vec![],
            },
            lines: bill.lines,
        }
    }

    fn warnings(&self, id: BillingPeriodId, draft: &Draft) -> Vec<Finding> {
        let mut found = vec![];
        let mut warn = |kind, message: String| found.push(self.finding(id, kind, "warns", message));
        let draft = &draft.found;
        if draft.estimated {
            warn("estimated", "Some of the usage is estimated.".to_owned());
        }
        if draft.kwh.is_zero() {
            warn("zero_usage", "No energy was used in the period.".to_owned());
        }
        if let Some(last) = self.past.last() {
            let per_day = |total: Decimal, days: i64| total / Decimal::from(days.max(1));
            let before = per_day(last.total, (last.period_to - last.period_from).num_days());
            let now = per_day(draft.total, (draft.to_on - draft.from_on).num_days());
            let three = Decimal::from(3);
            let told = || format!("{:.2} a day; the last bill was {:.2} a day.", now, before);
            if before > Decimal::ZERO && now > before * three {
                warn("much_higher", told());
            } else if now > Decimal::ZERO && before > now * three {
                warn("much_lower", told());
            }
        }
        found
    }
}

/// What was used.
pub(super) struct Usage {
    import: Measured,
    export: Option<Measured>,
    counted: Vec<Counted>,
    source: UsageSource,
}

impl Usage {
    /// Its registers, for [`Usage::input`].
    pub fn registers(&self) -> Vec<Register<'_>> {
        let imports = self.counted.iter().filter(|counted| counted.direction() == Direction::Import);
        let exports = self.counted.iter().filter(|counted| counted.direction() == Direction::Export);
        let imports = imports.map(|counted| counted.register(&self.import));
        let exports = self.export.iter().flat_map(|all| exports.clone().map(move |counted| counted.register(all)));
        imports.chain(exports).collect()
    }

    pub fn input<'u>(&'u self, registers: &'u [Register<'u>]) -> UsageInput<'u> {
        UsageInput { import: self.import.supply(), export: self.export.as_ref().map(Measured::supply), registers }
    }
}

/// What a bill is rated from.
pub(super) struct Basis<'t> {
    pub span: Period,
    pub versions: Vec<(NaiveDate, &'t Version)>,
    pub usage: Usage,
    pub history: History,
}

impl Basis<'_> {
    /// The versions made ready.
    pub fn compiled(&self) -> Result<Vec<(NaiveDate, &CompiledTariff)>, String> {
        tariffs::compiled(&self.versions)
    }

    fn rate(&self) -> Result<Bill, Lacking> {
        let versions = self.compiled().map_err(|text| Lacking("rating_failed", text))?;
        let registers = self.usage.registers();
        let bill = rating::rate_versions(&versions, &self.usage.input(&registers), self.span, &self.history);
        bill.map_err(|error| {
            let kind = if matches!(error, RatingError::Register(_)) { "registers" } else { "rating_failed" };
            Lacking(kind, format!("Rating failed: {error}."))
        })
    }
}
