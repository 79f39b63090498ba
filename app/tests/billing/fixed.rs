//! An issued invoice never changes: not one column but its payment state, whoever tries.

use super::support::database::Case;
use super::support::world::client;
use super::{CLEO, bill, create, pay, the_missing_day, usage};

/// Another value for a column of a type.
fn other(column: &str, kind: &str) -> String {
    match kind {
        "text" => format!("{column} || 'x'"),
        "numeric" | "int8" | "date" => {
            format!("coalesce({column}, {}) + 1", if kind == "date" { "'2026-01-01'" } else { "0" })
        }
        "uuid" => "gen_random_uuid()".to_owned(),
        "bool" => format!("NOT {column}"),
        "jsonb" => "'[\"other\"]'".to_owned(),
        "timestamptz" => format!("{column} + interval '1 day'"),
        "_text" => "'{other}'".to_owned(),
        "_numeric" => "'{7}'".to_owned(),
        "_uuid" => "ARRAY[gen_random_uuid()]".to_owned(),
        other => panic!("a column of type {other}: how does it change?"),
    }
}

/// Every column of a table is refused another value where a condition holds.
async fn fixed(table: &str, condition: &str, least: usize) {
    let case = Case::world().await;
    let looker = case.superuser().await;
    let columns = looker
        .rows(&format!(
            "SELECT column_name, udt_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = '{table}'"
        ))
        .await
        .unwrap_or_else(|refused| panic!("{}", refused.message));
    assert!(columns.len() > least, "{}", columns.len());
    for column in columns {
        let [Some(name), Some(kind)] = column.as_slice() else { panic!("{column:?}") };
        let change = format!(
            "UPDATE {table} SET \"{name}\" = {} WHERE client_id = '{}' AND {condition}",
            if name == "status" { "'credited'".to_owned() } else { other(name, kind) },
            client(1, 1)
        );
        if name == "updated_at" {
            continue; // Told by a trigger of its own, whoever writes.
        }
        let Err(refused) = looker.run(&change).await else { panic!("{name} was changed") };
        assert_eq!(refused.code, "23514", "{name}: {}", refused.message);
    }
}

#[tokio::test]
async fn no_column_of_an_issued_invoice_changes_but_its_payment_state() {
    fixed("invoices", "number = 1", 30).await;
}

#[tokio::test]
async fn no_column_of_an_issued_billing_period_changes() {
    fixed("billing_periods", "status = 'issued'", 30).await;
}

#[tokio::test]
async fn billing_and_paying_by_the_portal_still_move_what_may_move() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    usage(&looker).await;
    the_missing_day(&looker).await;
    let run = create(&browser, &looker).await;
    bill(&browser, &run).await;
    let state = format!(
        "SELECT string_agg(concat_ws(' ', label, i.status, paid, p.status, cardinality(tariff_rate_ids), usage_source ->> 'intervals',
             (SELECT bool_and(l.issued AND l.billing_period_id = p.id) FROM invoice_lines l WHERE l.invoice_id = i.id)), ', ' ORDER BY number)
         FROM invoices i JOIN billing_periods p ON p.invoice_id = i.id WHERE i.billing_run_id = '{run}'"
    );
    let issued = looker.value(&state).await;
    assert!(issued.contains("-000003 issued 0.00 issued 1 240 t, "), "{issued}");
    assert!(issued.ends_with("-000004 issued 0.00 issued 1 240 t"), "{issued}");
    pay(&browser, &looker, "100", &uuid::Uuid::now_v7().to_string()).await;
    let first = format!(
        "SELECT string_agg(concat_ws(' ', status, paid), ', ' ORDER BY number) FROM invoices
        WHERE client_id = '{}' AND account_number = 'A-1' AND number IS NOT NULL",
        client(1, 1)
    );
    // 100.00 pays the 13.99 left of September's and the 79.97 of November's; 6.04 is left.
    assert_eq!(looker.value(&first).await, "paid 23.99, paid 79.97");
}
