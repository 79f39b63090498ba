//! `src/db/schema.rs`, which diesel's queries are checked against, is made from the database.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::support::database::Case;

/// Readable, and read with plain SQL only.
const WITHOUT_DIESEL: [&str; 13] = [
    "__diesel_schema_migrations",
    "document_chunks",
    "invitations",
    "isolation_runs",
    "jobs",
    "price_points",
    "role_assignments",
    "role_notices",
    "service_identities",
    "step_ups",
    "system_work",
    "what_if_results",
    "what_ifs",
];

/// Tables whose own key no login reads, with what tells their rows apart for diesel.
const OTHER_KEY: [(&str, &str); 1] = [("sign_ins", "user_id, at")];

/// Names that diesel or Rust keep for themselves: they get an underscore.
const RESERVED: [&str; 2] = ["column", "type"];

/// What diesel calls a type of PostgreSQL. An array's values may be NULL, but for texts: those are kept from it by a CHECK.
fn kind(udt: &str) -> &str {
    match udt {
        "uuid" => "Uuid",
        "text" | "varchar" => "Text",
        "timestamptz" => "Timestamptz",
        "date" => "Date",
        "numeric" => "Numeric",
        "int2" => "SmallInt",
        "int4" => "Integer",
        "int8" => "BigInt",
        "bool" => "Bool",
        "bytea" => "Binary",
        "jsonb" => "Jsonb",
        "_int4" => "Array<Nullable<Integer>>",
        "_int2" => "Array<Nullable<SmallInt>>",
        "_text" => "Array<Text>",
        "_numeric" => "Array<Nullable<Numeric>>",
        "_uuid" => "Array<Nullable<Uuid>>",
        other => panic!("schema.rs knows no {other}"),
    }
}

#[derive(Default)]
struct Table {
    comment: String,
    key: String,
    columns: String,
}

/// The file as the database has it: tables and columns that the portal's login may read, with their comments.
async fn made(case: &Case) -> String {
    let rows = case
        .superuser()
        .await
        .rows(
            "SELECT c.relname, coalesce(obj_description(c.oid), ''), a.attname, t.typname, NOT a.attnotnull,
                coalesce(col_description(c.oid, a.attnum), ''),
                (SELECT string_agg(k.attname, ', ' ORDER BY array_position(i.indkey::smallint[], k.attnum)) FROM pg_index i
                    JOIN pg_attribute k ON k.attrelid = c.oid AND k.attnum = ANY (i.indkey::smallint[])
                    WHERE i.indrelid = c.oid AND i.indisprimary)
             FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             JOIN pg_type t ON t.oid = a.atttypid
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                AND has_column_privilege('eis_app', c.oid, a.attnum, 'SELECT')
             ORDER BY c.relname COLLATE \"C\", a.attnum",
        )
        .await
        .unwrap();
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    for row in rows {
        let row: Vec<String> = row.into_iter().map(Option::unwrap_or_default).collect();
        let [table, comment, column, udt, nullable, about, key] = row.try_into().expect("seven columns");
        if WITHOUT_DIESEL.contains(&table.as_str()) {
            continue;
        }
        let other = OTHER_KEY.iter().find(|(of, _)| *of == table).map(|(_, key)| (*key).to_owned());
        let known = tables.entry(table).or_default();
        (known.comment, known.key) = (comment, other.unwrap_or(key));
        let about = if about.is_empty() { format!("`{column}`.") } else { about };
        let _ = writeln!(known.columns, "        /// {}", about.replace('\n', " "));
        let name = if RESERVED.contains(&column.as_str()) {
            let _ = writeln!(known.columns, "        #[sql_name = \"{column}\"]");
            format!("{column}_")
        } else {
            column
        };
        let kind = kind(&udt);
        let kind = if nullable == "t" { format!("Nullable<{kind}>") } else { kind.to_owned() };
        let _ = writeln!(known.columns, "        {name} -> {kind},");
    }
    let mut file = "//! The tables as diesel sees them: those that the portal's login may read. Made from the database, not by hand:\n\
         //! `UPDATE_EXPECTED_STATE=1 cargo nextest run schema_rs_is_what_the_database_has` writes it after a change of the\n\
         //! migrations.\n\nuse diesel::{allow_tables_to_appear_in_same_query, table};\n\n"
        .to_owned();
    for (name, table) in &tables {
        let comment = if table.comment.is_empty() { format!("`{name}`.") } else { table.comment.replace('\n', " ") };
        let _ = write!(
            file,
            "table! {{\n    /// {comment}\n    {name} ({}) {{\n{}    }}\n}}\n\n",
            table.key, table.columns
        );
    }
    file.push_str("allow_tables_to_appear_in_same_query!(\n");
    for name in tables.keys() {
        let _ = writeln!(file, "    {name},");
    }
    file + ");\n"
}

#[tokio::test]
async fn schema_rs_is_what_the_database_has() {
    let made = made(&Case::migrated().await).await;
    if std::env::var("UPDATE_EXPECTED_STATE").is_ok() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/db/schema.rs");
        std::fs::write(file, made).unwrap();
        return;
    }
    for (made, kept) in made.lines().zip(include_str!("../../../src/db/schema.rs").lines()) {
        assert_eq!(kept, made, "left: schema.rs, right: the database");
    }
    assert_eq!(made.lines().count(), include_str!("../../../src/db/schema.rs").lines().count());
}
