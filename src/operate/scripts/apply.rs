//! Applying a program's scripts over whatever another program's have left, and taking them back. Each stage is one
//! transaction: nobody sees half of one.

use diesel::sql_types::{Array, Text};
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};

use super::record::{self, Record};
use super::{Script, Scripts, made_by};
use crate::db::DbError;

/// Bodies may name tables that come later.
const BEGIN: &str = "BEGIN; SET LOCAL check_function_bodies = off";

#[derive(QueryableByName)]
struct Statement {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Drops what scripts made, the last of it first. A function goes by its name, whatever its arguments were.
async fn drop_made(connection: &mut AsyncPgConnection, made: &[String]) -> Result<(), DbError> {
    let statements: Vec<Statement> = sql_query(
        "SELECT CASE WHEN p.oid IS NOT NULL THEN format('DROP ROUTINE %s', p.oid::regprocedure)
                     ELSE format('DROP %s IF EXISTS %s', split_part(m.made, ' ', 1), split_part(m.made, ' ', 2)) END AS line
         FROM unnest($1) WITH ORDINALITY m (made, place)
         LEFT JOIN (pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace)
             ON m.made ~ '^(FUNCTION|PROCEDURE) ' AND n.nspname || '.' || p.proname = split_part(m.made, ' ', 2)
         ORDER BY m.place DESC",
    )
    .bind::<Array<Text>, _>(made)
    .load(connection)
    .await?;
    let lines: Vec<String> = statements.into_iter().map(|statement| statement.line).collect();
    if !lines.is_empty() {
        connection.batch_execute(&lines.join(";\n")).await?;
    }
    Ok(())
}

fn differs(record: &Record, script: &Script) -> bool {
    !record.get(script.name.as_ref()).is_some_and(|applied| script.is(applied))
}

async fn run(connection: &mut AsyncPgConnection, script: &Script) -> Result<(), DbError> {
    connection.batch_execute(&script.text).await?;
    connection.batch_execute("SET LOCAL ROLE eis_owner").await?;
    Ok(())
}

/// Applies those scripts before the migrations whose text the database has not; their names. What another text made
/// stays until [`after`]: policies that a migration is about to change may ask it.
///
/// # Errors
/// When a script fails: nothing was done.
pub async fn before(connection: &mut AsyncPgConnection, scripts: &Scripts) -> Result<Vec<String>, DbError> {
    connection.batch_execute(BEGIN).await?;
    let record = record::hold(connection).await?;
    let mut names = Vec::new();
    for script in scripts.before.iter().filter(|script| differs(&record, script)) {
        run(connection, script).await?;
        let mut makes = script.makes();
        if let Some(earlier) = record.get(script.name.as_ref()) {
            makes.extend(earlier.makes.iter().filter(|made| !script.makes().contains(made)).cloned());
        }
        record::write(connection, script, &makes).await?;
        names.push(script.name.to_string());
    }
    connection.batch_execute("COMMIT").await?;
    Ok(names)
}

/// Drops what other texts than these made, and applies those scripts after the migrations that the database has not;
/// their names.
///
/// # Errors
/// When something cannot be dropped, since what no script made hangs on it, or a script fails: nothing was done.
pub async fn after(connection: &mut AsyncPgConnection, scripts: &Scripts) -> Result<Vec<String>, DbError> {
    connection.batch_execute(BEGIN).await?;
    let record = record::hold(connection).await?;
    drop_others(connection, scripts, &record).await?;
    let mut names = Vec::new();
    for script in scripts.after.iter().filter(|script| differs(&record, script)) {
        run(connection, script).await?;
        record::write(connection, script, &script.makes()).await?;
        names.push(script.name.to_string());
    }
    connection.batch_execute("COMMIT").await?;
    Ok(names)
}

/// Of each script that is not one of these as it was applied: what it made, but for what scripts before the migrations
/// make now. Those are replaced, since policies ask them.
async fn drop_others(connection: &mut AsyncPgConnection, scripts: &Scripts, record: &Record) -> Result<(), DbError> {
    let stays = made_by(&scripts.before);
    for (name, applied) in record.iter().rev() {
        let same = scripts.all().find(|script| script.name == *name && !differs(record, script));
        let goes: Vec<String> = match same {
            Some(script) if applied.makes == script.makes() => continue,
            _ => applied.makes.iter().filter(|made| !stays.contains(*made)).cloned().collect(),
        };
        drop_made(connection, &goes).await?;
        match same {
            Some(script) => record::write(connection, script, &script.makes()).await?,
            None => record::strike(connection, name).await?,
        }
    }
    Ok(())
}

/// Takes back what the scripts of one stage made, whoever's they were.
async fn take_back(connection: &mut AsyncPgConnection, stage: &str) -> Result<(), DbError> {
    let record = record::hold(connection).await?;
    let mut made: Vec<String> = Vec::new();
    for (name, applied) in record.iter().filter(|(name, _)| name.starts_with(stage)) {
        let new: Vec<String> = applied.makes.iter().filter(|one| !made.contains(one)).cloned().collect();
        made.extend(new);
        record::strike(connection, name).await?;
    }
    drop_made(connection, &made).await
}

/// Takes back what the scripts after the migrations made: tables can go then, and another program's `up` begins anew.
///
/// # Errors
/// When the database fails: nothing was done.
pub async fn take_back_after(connection: &mut AsyncPgConnection) -> Result<(), DbError> {
    connection.batch_execute(BEGIN).await?;
    take_back(connection, "after/").await?;
    connection.batch_execute("COMMIT").await?;
    Ok(())
}

/// Takes back the rest, and the record itself, once no migration is left.
///
/// # Errors
/// When the database fails: nothing was done.
pub async fn take_back_before(connection: &mut AsyncPgConnection) -> Result<(), DbError> {
    connection.batch_execute(BEGIN).await?;
    take_back(connection, "before/").await?;
    connection.batch_execute("DROP TABLE public.applied_scripts; COMMIT").await?;
    Ok(())
}
