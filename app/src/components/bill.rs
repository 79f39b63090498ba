//! The bill as an account one can follow like a sum: what, how much of it, what it comes to.

use super::{Tone, present};
use leptos::prelude::*;

/// The first thing a customer sees: how much, by when.
#[component]
pub fn AmountDue(
    /// What the figure is: `You owe`, `You are in credit by`, `Nothing to pay`.
    #[prop(into)]
    label: String,
    /// The figure with its currency: `$142.10`.
    #[prop(into)]
    amount: String,
    /// By when, in a sentence: `Due 14 December`; empty for none.
    #[prop(optional, into)]
    due: String,
    /// Bad when overdue, Good when nothing is owed.
    #[prop(optional)]
    tone: Tone,
    /// What to do about it: pay, see the bill.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <section class=format!("amount-due {}", tone.class()) aria-label="Balance">
            <p class="amount-due-label">{label}</p>
            <p class="amount-due-figure">{amount}</p>
            {present(due).map(|due| view! { <p class="amount-due-when">{due}</p> })}
            {children.map(|children| view! { <div class="actions">{children()}</div> })}
        </section>
    }
}

/// The account: [`BillLine`]s, then [`BillSum`]s.
#[component]
pub fn Bill(
    /// The currency of every amount, named once: `USD`.
    #[prop(into)]
    currency: String,
    /// Lines and sums.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="bill">
            <div class="bill-head">
                <span>"Charge"</span>
                <span>"Amount " <span class="unit">{currency}</span></span>
            </div>
            {children()}
        </div>
    }
}

/// One charge, which opens down to the days behind it.
#[component]
pub fn BillLine(
    /// What is charged: `Energy, tier 1 (first 500 kWh)`.
    #[prop(into)]
    label: String,
    /// Quantity x price with units: `500.000 kWh × $0.1182`; empty for a fixed amount.
    #[prop(optional, into)]
    how: String,
    /// What it comes to, without currency.
    #[prop(into)]
    amount: String,
    /// What is behind it: the days, the steps of the tariff. Without it the line does not open.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let parts = view! {
        <span class="bill-what">{label}</span>
        {present(how).map(|how| view! { <span class="bill-how">{how}</span> })}
        <span class="bill-amount">{amount}</span>
    };
    match children {
        Some(children) => view! {
            <details class="bill-line">
                <summary>{parts}</summary>
                <div class="bill-behind">{children()}</div>
            </details>
        }
        .into_any(),
        None => view! { <div class="bill-line"><div class="bill-row">{parts}</div></div> }.into_any(),
    }
}

/// A sum of what stands above it.
#[component]
pub fn BillSum(
    /// What is summed: `Total`, `VAT 19 % of 120.00`.
    #[prop(into)]
    label: String,
    /// What it comes to, without currency.
    #[prop(into)]
    amount: String,
    /// The figure to pay.
    #[prop(optional)]
    total: bool,
) -> impl IntoView {
    let class = if total { "bill-sum total" } else { "bill-sum" };
    view! { <div class=class><span class="bill-what">{label}</span><span class="bill-amount">{amount}</span></div> }
}
