//! What PostgreSQL lets everybody call, and no login of the portal's: the one list, for whoever closes it (`admin`) and whoever
//! looks that it is closed (`check`).
//!
//! Each of these does more than read, and asks for no right of its own before it does. What asks for one (sequences, replication
//! slots, index maintenance) is left to that. A test holds every function of the server's that may write against this list and its own.

/// A condition on `pg_proc p` that finds them.
///
/// `set_config` would let one injected SELECT write a context. Large objects know no tenant: what one leaves there another
/// could read. A lock of the session outlives its request and would make other tenants wait. A notification reaches whoever
/// listens. An exported snapshot carries what one transaction saw into others. Ending other backends of its own login would stop
/// the portal. `pg_logical_emit_message` fills the write-ahead log as fast as it can be written. Sleeping holds a connection, and
/// tells a blind injection its answers by the clock. The last three stop the lock manager while they look.
pub(super) const FUNCTIONS: &str = "p.pronamespace = 'pg_catalog'::regnamespace AND (
    p.proname ~ '^(lo_|loread$|lowrite$|pg_(try_)?advisory_(un)?lock|pg_sleep)'
    OR p.proname IN ('set_config', 'pg_notify', 'pg_export_snapshot', 'pg_terminate_backend', 'pg_cancel_backend', 'pg_logical_emit_message',
        'pg_blocking_pids', 'pg_safe_snapshot_blocking_pids', 'pg_isolation_test_session_is_blocked'))";
