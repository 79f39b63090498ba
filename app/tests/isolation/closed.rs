//! What PostgreSQL itself lets everybody do: fill its log or disk, hold a connection, stop others. (Large objects, notifications
//! and locks: attacks 39 and 40.)

use std::collections::BTreeSet;

use eis::operate::check;

use crate::DENIED;
use crate::support::database::{Case, apart};
use crate::support::world::Who;

const ME: Who = Who::Client(1, 1);

/// Functions of the server's that may write, by its own word, and that logins may call: they read, or make something up.
const READ: &[&str] = &[
    "amvalidate",
    "clock_timestamp",
    "current_query",
    "currtid2",
    "gen_random_uuid",
    "pg_collation_actual_version",
    "pg_control_checkpoint",
    "pg_control_init",
    "pg_control_recovery",
    "pg_control_system",
    "pg_current_wal_flush_lsn",
    "pg_current_wal_insert_lsn",
    "pg_current_wal_lsn",
    "pg_database_collation_actual_version",
    "pg_database_size",
    "pg_get_multixact_members",
    "pg_get_wal_replay_pause_state",
    "pg_get_wal_resource_managers",
    "pg_indexes_size",
    "pg_is_in_recovery",
    "pg_is_wal_replay_paused",
    "pg_jit_available",
    "pg_last_committed_xact",
    "pg_last_wal_receive_lsn",
    "pg_last_wal_replay_lsn",
    "pg_last_xact_replay_timestamp",
    "pg_lock_status",
    "pg_notification_queue_usage",
    "pg_partition_ancestors",
    "pg_partition_tree",
    "pg_prepared_xact",
    "pg_relation_size",
    "pg_stat_clear_snapshot",
    "pg_stat_force_next_flush",
    "pg_stat_get_recovery_prefetch",
    "pg_stat_get_xact_blocks_fetched",
    "pg_stat_get_xact_blocks_hit",
    "pg_stat_get_xact_function_calls",
    "pg_stat_get_xact_function_self_time",
    "pg_stat_get_xact_function_total_time",
    "pg_stat_get_xact_numscans",
    "pg_stat_get_xact_tuples_deleted",
    "pg_stat_get_xact_tuples_fetched",
    "pg_stat_get_xact_tuples_hot_updated",
    "pg_stat_get_xact_tuples_inserted",
    "pg_stat_get_xact_tuples_returned",
    "pg_stat_get_xact_tuples_updated",
    "pg_table_size",
    "pg_tablespace_size",
    "pg_total_relation_size",
    "pg_xact_commit_timestamp",
    "pg_xact_commit_timestamp_origin",
    "pg_xact_status",
    "random",
    "setseed",
    "timeofday",
    "txid_status",
];
/// They run a query that they are given, which reads alone and with the caller's own rights.
const QUERY: &[&str] = &[
    "cursor_to_xml",
    "cursor_to_xmlschema",
    "query_to_xml",
    "query_to_xml_and_xmlschema",
    "query_to_xmlschema",
    "ts_rewrite",
    "ts_stat",
];
/// They ask for a right to what they change, for a role's attribute, or run inside the server's own programs alone.
const ASK: &[&str] = &[
    "binary_upgrade_create_empty_extension",
    "binary_upgrade_set_missing_value",
    "binary_upgrade_set_next_array_pg_type_oid",
    "binary_upgrade_set_next_heap_pg_class_oid",
    "binary_upgrade_set_next_heap_relfilenode",
    "binary_upgrade_set_next_index_pg_class_oid",
    "binary_upgrade_set_next_index_relfilenode",
    "binary_upgrade_set_next_multirange_array_pg_type_oid",
    "binary_upgrade_set_next_multirange_pg_type_oid",
    "binary_upgrade_set_next_pg_authid_oid",
    "binary_upgrade_set_next_pg_enum_oid",
    "binary_upgrade_set_next_pg_tablespace_oid",
    "binary_upgrade_set_next_pg_type_oid",
    "binary_upgrade_set_next_toast_pg_class_oid",
    "binary_upgrade_set_next_toast_relfilenode",
    "binary_upgrade_set_record_init_privs",
    "brin_desummarize_range",
    "brin_summarize_new_values",
    "brin_summarize_range",
    "currval",
    "gin_clean_pending_list",
    "lastval",
    "nextval",
    "pg_copy_logical_replication_slot",
    "pg_copy_physical_replication_slot",
    "pg_create_logical_replication_slot",
    "pg_create_physical_replication_slot",
    "pg_drop_replication_slot",
    "pg_extension_config_dump",
    "pg_import_system_collations",
    "pg_logical_slot_get_binary_changes",
    "pg_logical_slot_get_changes",
    "pg_logical_slot_peek_binary_changes",
    "pg_logical_slot_peek_changes",
    "pg_nextoid",
    "pg_read_file_old",
    "pg_replication_slot_advance",
    "pg_rotate_logfile_old",
    "pg_sequence_last_value",
    "pg_stop_making_pinned_objects",
    "plpgsql_validator",
    "setval",
];
/// Locks that end with their transaction: the portal itself takes them (attack 40).
const LOCKS: &[&str] = &[
    "pg_advisory_xact_lock",
    "pg_advisory_xact_lock_shared",
    "pg_try_advisory_xact_lock",
    "pg_try_advisory_xact_lock_shared",
];

/// Functions that the server's own machinery alone can call, by their arguments, are none of these.
const CALLABLE: &str = "SELECT DISTINCT p.proname FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.provolatile = 'v'
    AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'language_handler'::regtype) AND NOT 'internal'::regtype = ANY (p.proargtypes)
    AND EXISTS (SELECT FROM unnest('{eis_app,eis_worker,eis_monitor}'::text[]) r WHERE has_function_privilege(r, p.oid, 'EXECUTE'))";

#[tokio::test]
async fn every_function_of_the_server_that_may_write_is_closed_or_known() {
    let case = Case::world().await;
    let truth = case.superuser().await;
    let there: BTreeSet<String> = truth.rows(CALLABLE).await.unwrap().into_iter().flatten().flatten().collect();
    let known: BTreeSet<String> = [READ, QUERY, ASK, LOCKS].concat().into_iter().map(str::to_owned).collect();
    // An older or newer server has some more or less of those that are known here; this one has them all.
    let unknown: Vec<&String> = there.difference(&known).collect();
    assert!(unknown.is_empty(), "close them (src/operate/closed.rs), or say here why not: {unknown:?}");
    let gone: Vec<&String> = known.difference(&there).collect();
    let version = truth.count("SELECT current_setting('server_version_num')::integer / 10000").await;
    assert!(version != 15 || gone.is_empty(), "known here and closed: {gone:?}");
}

#[tokio::test]
async fn nobody_fills_the_log_sleeps_or_stops_the_others() {
    let case = Case::world().await;
    let truth = case.superuser().await;
    let calls = [
        "pg_logical_emit_message(false, 'x', repeat('x', 1000))",
        "pg_logical_emit_message(true, 'x', '\\x00'::bytea)",
        "pg_sleep(0)",
        "pg_sleep_for('0')",
        "pg_sleep_until(now())",
        "pg_blocking_pids(1)",
        "pg_safe_snapshot_blocking_pids(1)",
        "pg_isolation_test_session_is_blocked(1, '{1}')",
        "pg_terminate_backend(pg_backend_pid())",
        "pg_cancel_backend(pg_backend_pid())",
        "set_config('eis.context', '', true)",
        "pg_notify('x', 'x')",
        "lo_create(0)",
    ];
    for login in [case.app().await, case.worker().await, case.monitor().await] {
        for call in calls {
            assert_eq!(login.refused(&format!("SELECT {call}")).await, DENIED, "{call}");
        }
    }
    let app = case.app().await;
    for call in &calls[..7] {
        assert_eq!(app.as_who(ME, &format!("SELECT {call}")).await.unwrap_err().code, DENIED, "with a context: {call}");
    }
    // Those that ask for themselves.
    for call in [
        "pg_create_physical_replication_slot('x')",
        "pg_drop_replication_slot('x')",
        "pg_import_system_collations('public')",
    ] {
        assert_eq!(app.refused(&format!("SELECT {call}")).await, DENIED, "{call}");
    }
    assert!(truth.rows(&format!("SELECT {}", calls[0])).await.is_ok(), "the positive control");
    // `portal check` names one that was opened again.
    truth.must("GRANT EXECUTE ON FUNCTION pg_logical_emit_message(boolean, text, text) TO PUBLIC").await;
    let told = apart(check::run(case.connected.admin_url())).unwrap();
    assert!(told.iter().any(|finding| !finding.ok && finding.message.contains("pg_logical_emit_message")), "{told:?}");
}

#[tokio::test]
async fn nobody_fills_the_disk_with_what_a_query_sorts() {
    let case = Case::world().await;
    let truth = case.superuser().await;
    let sort = "SET LOCAL work_mem = '64kB'; SELECT count(*) FROM (SELECT md5(n::text) m FROM generate_series(1, 200000) n ORDER BY 1) s";
    let warned = || {
        let told = apart(check::run(case.connected.admin_url())).unwrap();
        told.into_iter().find(|finding| finding.check == "temporary files").unwrap()
    };
    let limit = async |limit: &str| {
        truth.must(&format!("ALTER DATABASE {} SET temp_file_limit = '{limit}'", case.name)).await;
    };
    limit("-1").await;
    assert!(case.app().await.as_who(ME, sort).await.is_ok(), "the positive control");
    let told = warned();
    assert!(told.ok && told.warns && told.message.contains("ALTER SYSTEM SET temp_file_limit"), "{told:?}");
    limit("2MB").await;
    let app = case.app().await;
    assert_eq!(app.as_who(ME, sort).await.unwrap_err().code, "53400", "it ends at the limit");
    let lifted = app.refused("SET temp_file_limit = -1").await;
    assert_eq!(lifted, DENIED, "which the login cannot lift");
    assert!(!warned().warns);
}
