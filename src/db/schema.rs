//! The tables as diesel sees them: those that the portal's login may read. Written from the migrations;
//! a test compares it with the database.

use diesel::{allow_tables_to_appear_in_same_query, table};

table! {
    /// What customers owe under one number.
    accounts (organization_id, client_id, customer_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `customer_id`.
        customer_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `account_number`.
        account_number -> Text,
        /// `is_main`.
        is_main -> Bool,
        /// `billing_address`.
        billing_address -> Text,
        /// `delivery`.
        delivery -> Text,
        /// `language`.
        language -> Text,
        /// `payment_terms_days`.
        payment_terms_days -> Nullable<SmallInt>,
        /// `collective`.
        collective -> Bool,
        /// `status`.
        status -> Text,
        /// `metadata`.
        metadata -> Jsonb,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Which payment, or which bill in the customer's favour, pays how much of which invoice, of the same account.
    allocations (organization_id, client_id, source_id, invoice_id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `payment_id`.
        payment_id -> Nullable<Uuid>,
        /// `credit_id`.
        credit_id -> Nullable<Uuid>,
        /// `source_id`.
        source_id -> Uuid,
        /// `invoice_id`.
        invoice_id -> Uuid,
        /// `customer_id`.
        customer_id -> Uuid,
        /// `account_id`.
        account_id -> Uuid,
        /// `amount`.
        amount -> Numeric,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Who did what to which row, when, in which organization, from where.
    audit_log (organization_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `client_id`.
        client_id -> Nullable<Uuid>,
        /// `customer_id`.
        customer_id -> Nullable<Uuid>,
        /// `user_id`.
        user_id -> Nullable<Uuid>,
        /// `user_name`.
        user_name -> Text,
        /// `role`.
        role -> Text,
        /// `action`.
        action -> Text,
        /// `entity`.
        entity -> Text,
        /// `entity_id`.
        entity_id -> Nullable<Uuid>,
        /// `summary`.
        summary -> Text,
        /// `details`.
        details -> Jsonb,
        /// `address`.
        address -> Text,
        /// `at`.
        at -> Timestamptz,
    }
}

table! {
    /// What rating found of a billing period.
    billing_exceptions (organization_id, client_id, customer_id, billing_period_id, kind) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `customer_id`.
        customer_id -> Uuid,
        /// `billing_period_id`.
        billing_period_id -> Uuid,
        /// `kind`.
        kind -> Text,
        /// `severity`.
        severity -> Text,
        /// `message`.
        message -> Text,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Days of one contract that one bill covers, and what rating found of them.
    billing_periods (organization_id, client_id, customer_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `customer_id`.
        customer_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `contract_id`.
        contract_id -> Uuid,
        /// `account_id`.
        account_id -> Uuid,
        /// `billing_run_id`.
        billing_run_id -> Uuid,
        /// `invoice_id`.
        invoice_id -> Nullable<Uuid>,
        /// `corrects_id`.
        corrects_id -> Nullable<Uuid>,
        /// `from_on`.
        from_on -> Date,
        /// `to_on`.
        to_on -> Date,
        /// `reason`.
        reason -> Text,
        /// `status`.
        status -> Text,
        /// `address`.
        address -> Text,
        /// `tariff_name`.
        tariff_name -> Text,
        /// `tariff_rate_ids`.
        tariff_rate_ids -> Array<Nullable<Uuid>>,
        /// `kwh`.
        kwh -> Numeric,
        /// `exported_kwh`.
        exported_kwh -> Numeric,
        /// `peak_kw`.
        peak_kw -> Nullable<Numeric>,
        /// `peak_names`.
        peak_names -> Array<Text>,
        /// `peak_kws`.
        peak_kws -> Array<Nullable<Numeric>>,
        /// `estimated`.
        estimated -> Bool,
        /// `net`.
        net -> Numeric,
        /// `tax`.
        tax -> Numeric,
        /// `total`.
        total -> Numeric,
        /// `carried_before`.
        carried_before -> Numeric,
        /// `carried_credit`.
        carried_credit -> Numeric,
        /// `carried_year_to_date`.
        carried_year_to_date -> Numeric,
        /// `banked_periods`.
        banked_periods -> Array<Text>,
        /// `banked_kwh`.
        banked_kwh -> Array<Nullable<Numeric>>,
        /// `usage_source`.
        usage_source -> Nullable<Jsonb>,
        /// `inputs`.
        inputs -> Nullable<Jsonb>,
        /// `explained`.
        explained -> Jsonb,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Batches of billing periods that are rated, approved and issued together.
    billing_runs (organization_id, client_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `due_on`.
        due_on -> Date,
        /// `cycle`.
        cycle -> Nullable<SmallInt>,
        /// `status`.
        status -> Text,
        /// `contracts`.
        contracts -> Integer,
        /// `invoices`.
        invoices -> Integer,
        /// `exceptions`.
        exceptions -> Integer,
        /// `kwh`.
        kwh -> Numeric,
        /// `net`.
        net -> Numeric,
        /// `tax`.
        tax -> Numeric,
        /// `total`.
        total -> Numeric,
        /// `rated_at`.
        rated_at -> Nullable<Timestamptz>,
        /// `approved_at`.
        approved_at -> Nullable<Timestamptz>,
        /// `approved_by`.
        approved_by -> Nullable<Uuid>,
        /// `issued_at`.
        issued_at -> Nullable<Timestamptz>,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// What was said in a conversation, in its order. It is never changed, and goes with its conversation.
    chat_messages (organization_id, client_id, session_id, position) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `session_id`.
        session_id -> Uuid,
        /// `position`.
        position -> Integer,
        /// `user_id`.
        user_id -> Uuid,
        /// `role`.
        role -> Text,
        /// `text`.
        text -> Text,
        /// `cites`.
        cites -> Array<Nullable<Uuid>>,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Conversations of one person about a workspace.
    chat_sessions (organization_id, client_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `workspace_id`.
        workspace_id -> Uuid,
        /// `user_id`.
        user_id -> Uuid,
        /// `title`.
        title -> Text,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Energy companies of an organization: brand, invoice series, zone, currency, tax, terms.
    clients (organization_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `slug`.
        slug -> Text,
        /// `name`.
        name -> Text,
        /// `legal_name`.
        legal_name -> Text,
        /// `address`.
        address -> Text,
        /// `tax_number`.
        tax_number -> Text,
        /// `currency`.
        currency -> Text,
        /// `time_zone`.
        time_zone -> Text,
        /// `locale`.
        locale -> Text,
        /// `invoice_series`.
        invoice_series -> Text,
        /// `tax_name`.
        tax_name -> Text,
        /// `tax_rate`.
        tax_rate -> Numeric,
        /// `payment_terms_days`.
        payment_terms_days -> SmallInt,
        /// `status`.
        status -> Text,
        /// `tariff_comparison`.
        tariff_comparison -> Bool,
        /// `metadata`.
        metadata -> Jsonb,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Customers who share what some of them generate. The client's: a member sees none of the others.
    communities (organization_id, client_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `name`.
        name -> Text,
        /// `sharing`.
        sharing -> Text,
        /// `starts_on`.
        starts_on -> Date,
        /// `ends_on`.
        ends_on -> Nullable<Date>,
        /// `metadata`.
        metadata -> Jsonb,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Who shares in a community, from a day (included) to a day (excluded). On no day do the keys come to more than 1.
    community_members (organization_id, client_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `community_id`.
        community_id -> Uuid,
        /// `customer_id`.
        customer_id -> Uuid,
        /// `role`.
        role -> Text,
        /// `share`.
        share -> Numeric,
        /// `valid_from`.
        valid_from -> Date,
        /// `valid_to`.
        valid_to -> Nullable<Date>,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// What a customer may know of meters.
    contract_meters (organization_id, client_id, customer_id, contract_id, meter_id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `customer_id`.
        customer_id -> Uuid,
        /// `contract_id`.
        contract_id -> Uuid,
        /// `meter_id`.
        meter_id -> Uuid,
        /// `from_on`.
        from_on -> Date,
        /// `to_on`.
        to_on -> Nullable<Date>,
        /// `serial`.
        serial -> Text,
        /// `direction`.
        direction -> Text,
        /// `kind`.
        kind -> Text,
        /// `interval_minutes`.
        interval_minutes -> Nullable<SmallInt>,
        /// `registers`.
        registers -> Array<Text>,
        /// `multiplier`.
        multiplier -> Numeric,
        /// `time_zone`.
        time_zone -> Text,
        /// `address`.
        address -> Text,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Accounts at service points, from a day to a day.
    contracts (organization_id, client_id, customer_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `customer_id`.
        customer_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `account_id`.
        account_id -> Uuid,
        /// `service_point_id`.
        service_point_id -> Uuid,
        /// `address`.
        address -> Text,
        /// `from_on`.
        from_on -> Date,
        /// `to_on`.
        to_on -> Nullable<Date>,
        /// `status`.
        status -> Text,
        /// `billing_cycle`.
        billing_cycle -> SmallInt,
        /// `billing_anchor`.
        billing_anchor -> Date,
        /// `billing_from`.
        billing_from -> Nullable<Date>,
        /// `metadata`.
        metadata -> Jsonb,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Readings, moves, new details, disputes, payment plans and delegates that a customer asks for, and what the client decided.
    customer_requests (organization_id, client_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `customer_id`.
        customer_id -> Uuid,
        /// `kind`.
        kind -> Text,
        /// `payload`.
        payload -> Jsonb,
        /// `status`.
        status -> Text,
        /// `accepted`.
        accepted -> Nullable<Bool>,
        /// `answer`.
        answer -> Text,
        /// `decided_at`.
        decided_at -> Nullable<Timestamptz>,
        /// `decided_by`.
        decided_by -> Nullable<Uuid>,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Accounts of a client.
    customers (organization_id, client_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `kind`.
        kind -> Text,
        /// `name`.
        name -> Text,
        /// `email`.
        email -> Text,
        /// `phone`.
        phone -> Text,
        /// `tax_number`.
        tax_number -> Text,
        /// `metadata`.
        metadata -> Jsonb,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Places that are looked at for new documents of a workspace, and what came of it last.
    data_sources (organization_id, client_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `workspace_id`.
        workspace_id -> Uuid,
        /// `name`.
        name -> Text,
        /// `kind`.
        kind -> Text,
        /// `address`.
        address -> Text,
        /// `schedule`.
        schedule -> Text,
        /// `status`.
        status -> Text,
        /// `last_run_at`.
        last_run_at -> Nullable<Timestamptz>,
        /// `last_result`.
        last_result -> Text,
        /// `last_files`.
        last_files -> Integer,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// What was rendered for whom and why. The bytes lie outside the database, encrypted, and are found by the document's id.
    documents (organization_id, client_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `customer_id`.
        customer_id -> Uuid,
        /// `kind`.
        kind -> Text,
        /// `cause_kind`.
        cause_kind -> Text,
        /// `cause_id`.
        cause_id -> Uuid,
        /// `name`.
        name -> Text,
        /// `language`.
        language -> Text,
        /// `media_type`.
        media_type -> Text,
        /// `bytes`.
        bytes -> BigInt,
        /// `sha256`.
        sha256 -> Binary,
        /// `content_key`.
        content_key -> Binary,
        /// `status`.
        status -> Text,
        /// `issued_at`.
        issued_at -> Nullable<Timestamptz>,
        /// `withdrawn_at`.
        withdrawn_at -> Nullable<Timestamptz>,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Files of a workspace: what they are called and what their bytes are. The bytes are found by the file's id.
    files (organization_id, client_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `workspace_id`.
        workspace_id -> Uuid,
        /// `name`.
        name -> Text,
        /// `media_type`.
        media_type -> Text,
        /// `bytes`.
        bytes -> BigInt,
        /// `sha256`.
        sha256 -> Binary,
        /// `content_key`.
        content_key -> Binary,
        /// `status`.
        status -> Text,
        /// `problem`.
        problem -> Text,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Lines that were not taken, each with its place and reason, so that they can be mended and sent again.
    import_rejections (organization_id, client_id, import_id, position) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `import_id`.
        import_id -> Uuid,
        /// `position`.
        position -> Integer,
        /// `line`.
        line -> Integer,
        /// `column`.
        #[sql_name = "column"]
        column_ -> Integer,
        /// `content`.
        content -> Text,
        /// `reason`.
        reason -> Text,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Files of usage: what came, what was taken, what was refused.
    imports (organization_id, client_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `file_name`.
        file_name -> Text,
        /// `file_hash`.
        file_hash -> Binary,
        /// `file_bytes`.
        file_bytes -> BigInt,
        /// `format`.
        format -> Text,
        /// `status`.
        status -> Text,
        /// `meter_id`.
        meter_id -> Nullable<Uuid>,
        /// `accepted`.
        accepted -> Integer,
        /// `unchanged`.
        unchanged -> Integer,
        /// `superseded`.
        superseded -> Integer,
        /// `rejected`.
        rejected -> Integer,
        /// `first_at`.
        first_at -> Nullable<Timestamptz>,
        /// `last_at`.
        last_at -> Nullable<Timestamptz>,
        /// `kwh`.
        kwh -> Numeric,
        /// `problem`.
        problem -> Text,
        /// `applied_at`.
        applied_at -> Nullable<Timestamptz>,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// One row per meter and local day: the day's values in Wh in order of time.
    interval_days (organization_id, client_id, meter_id, day) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `customer_id`.
        customer_id -> Nullable<Uuid>,
        /// `meter_id`.
        meter_id -> Uuid,
        /// `day`.
        day -> Date,
        /// `interval_minutes`.
        interval_minutes -> SmallInt,
        /// `wh`.
        wh -> Array<Nullable<Integer>>,
        /// `flags`.
        flags -> Nullable<Array<Nullable<SmallInt>>>,
        /// `total_wh`.
        total_wh -> BigInt,
        /// `import_id`.
        import_id -> Nullable<Uuid>,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// The last number given per client and series; locked by the transaction that issues, so that numbers have no gaps.
    invoice_counters (organization_id, client_id, series) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `series`.
        series -> Text,
        /// `last_number`.
        last_number -> BigInt,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Invoices and open amount per client and status; a list's total costs one row whatever the client's size.
    invoice_counts (organization_id, client_id, status) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `status`.
        status -> Text,
        /// `invoices`.
        invoices -> BigInt,
        /// `open_amount`.
        open_amount -> Numeric,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Each charge with quantity, unit, price, amount, tax rate and the trace behind it: [{"date","quantity"}] per day.
    invoice_lines (organization_id, client_id, invoice_id, position) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `invoice_id`.
        invoice_id -> Uuid,
        /// `position`.
        position -> SmallInt,
        /// `customer_id`.
        customer_id -> Uuid,
        /// `billing_period_id`.
        billing_period_id -> Nullable<Uuid>,
        /// `issued`.
        issued -> Bool,
        /// `kind`.
        kind -> Text,
        /// `description`.
        description -> Text,
        /// `tou_period`.
        tou_period -> Text,
        /// `block`.
        block -> Nullable<SmallInt>,
        /// `quantity`.
        quantity -> Numeric,
        /// `unit`.
        unit -> Text,
        /// `price`.
        price -> Numeric,
        /// `amount`.
        amount -> Numeric,
        /// `tax_rate`.
        tax_rate -> Nullable<Numeric>,
        /// `estimated`.
        estimated -> Bool,
        /// `trace`.
        trace -> Jsonb,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Invoices and credit notes.
    invoices (organization_id, client_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `customer_id`.
        customer_id -> Uuid,
        /// `account_id`.
        account_id -> Uuid,
        /// `billing_run_id`.
        billing_run_id -> Nullable<Uuid>,
        /// `kind`.
        kind -> Text,
        /// `corrects_id`.
        corrects_id -> Nullable<Uuid>,
        /// `status`.
        status -> Text,
        /// `series`.
        series -> Text,
        /// `number`.
        number -> Nullable<BigInt>,
        /// `label`.
        label -> Text,
        /// `customer_name`.
        customer_name -> Text,
        /// `account_number`.
        account_number -> Text,
        /// `billing_address`.
        billing_address -> Text,
        /// `period_from`.
        period_from -> Date,
        /// `period_to`.
        period_to -> Date,
        /// `issued_on`.
        issued_on -> Nullable<Date>,
        /// `due_on`.
        due_on -> Nullable<Date>,
        /// `currency`.
        currency -> Text,
        /// `tariff_name`.
        tariff_name -> Text,
        /// `kwh`.
        kwh -> Numeric,
        /// `estimated`.
        estimated -> Bool,
        /// `net`.
        net -> Numeric,
        /// `tax`.
        tax -> Numeric,
        /// `payable_rounding`.
        payable_rounding -> Numeric,
        /// `total`.
        total -> Numeric,
        /// `paid`.
        paid -> Numeric,
        /// `carried_before`.
        carried_before -> Numeric,
        /// `carried_credit`.
        carried_credit -> Numeric,
        /// `metadata`.
        metadata -> Jsonb,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// What happened to a customer's money, once for each cause.
    ledger_entries (organization_id, client_id, customer_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `customer_id`.
        customer_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `booked_on`.
        booked_on -> Date,
        /// `value_on`.
        value_on -> Date,
        /// `cause`.
        cause -> Text,
        /// `cause_id`.
        cause_id -> Uuid,
        /// `settles_id`.
        settles_id -> Nullable<Uuid>,
        /// `reverses`.
        reverses -> Nullable<Uuid>,
        /// `currency`.
        currency -> Text,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
    }
}

table! {
    /// The lines of an entry, one for each ledger account.
    ledger_lines (organization_id, client_id, customer_id, entry_id, ledger_account) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `customer_id`.
        customer_id -> Uuid,
        /// `entry_id`.
        entry_id -> Uuid,
        /// `ledger_account`.
        ledger_account -> Text,
        /// `amount`.
        amount -> Numeric,
    }
}

table! {
    /// The outbox: what is to be told to which customer, why, and what came of it.
    messages (organization_id, client_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `customer_id`.
        customer_id -> Uuid,
        /// `kind`.
        kind -> Text,
        /// `cause_kind`.
        cause_kind -> Text,
        /// `cause_id`.
        cause_id -> Uuid,
        /// `channel`.
        channel -> Text,
        /// `recipient`.
        recipient -> Text,
        /// `language`.
        language -> Text,
        /// `content`.
        content -> Jsonb,
        /// `document_id`.
        document_id -> Nullable<Uuid>,
        /// `status`.
        status -> Text,
        /// `attempts`.
        attempts -> SmallInt,
        /// `due_at`.
        due_at -> Nullable<Timestamptz>,
        /// `last_result`.
        last_result -> Text,
        /// `sent_at`.
        sent_at -> Nullable<Timestamptz>,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Register reads: kWh drawn from a day (included) to a day (excluded).
    meter_readings (organization_id, client_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `customer_id`.
        customer_id -> Nullable<Uuid>,
        /// `meter_id`.
        meter_id -> Uuid,
        /// `from_on`.
        from_on -> Date,
        /// `to_on`.
        to_on -> Date,
        /// `kwh`.
        kwh -> Numeric,
        /// `kwh_by_period`.
        kwh_by_period -> Jsonb,
        /// `peak_kw`.
        peak_kw -> Nullable<Numeric>,
        /// `quality`.
        quality -> Text,
        /// `source`.
        source -> Text,
        /// `import_id`.
        import_id -> Nullable<Uuid>,
        /// `superseded_by`.
        superseded_by -> Nullable<Uuid>,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// A register of a meter at a customer from a day (included) to a day (excluded).
    meters (organization_id, client_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `service_point_id`.
        service_point_id -> Uuid,
        /// `serial`.
        serial -> Text,
        /// `direction`.
        direction -> Text,
        /// `kind`.
        kind -> Text,
        /// `interval_minutes`.
        interval_minutes -> Nullable<SmallInt>,
        /// `registers`.
        registers -> Array<Text>,
        /// `time_zone`.
        time_zone -> Text,
        /// `valid_from`.
        valid_from -> Date,
        /// `valid_to`.
        valid_to -> Nullable<Date>,
        /// `metadata`.
        metadata -> Jsonb,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// The tenants.
    organizations (id) {
        /// `id`.
        id -> Uuid,
        /// `slug`.
        slug -> Text,
        /// `name`.
        name -> Text,
        /// `status`.
        status -> Text,
        /// `currency`.
        currency -> Text,
        /// `time_zone`.
        time_zone -> Text,
        /// `locale`.
        locale -> Text,
        /// `metadata`.
        metadata -> Jsonb,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Money received from a customer.
    payments (organization_id, client_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `customer_id`.
        customer_id -> Uuid,
        /// `account_id`.
        account_id -> Uuid,
        /// `received_on`.
        received_on -> Date,
        /// `amount`.
        amount -> Numeric,
        /// `currency`.
        currency -> Text,
        /// `method`.
        method -> Text,
        /// `reference`.
        reference -> Text,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Series of market prices of a client: where they come from, in which unit and resolution.
    price_series (organization_id, client_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `code`.
        code -> Text,
        /// `name`.
        name -> Text,
        /// `source`.
        source -> Text,
        /// `unit`.
        unit -> Text,
        /// `currency`.
        currency -> Text,
        /// `minutes`.
        minutes -> SmallInt,
        /// `time_zone`.
        time_zone -> Text,
        /// `revision`.
        revision -> Integer,
        /// `status`.
        status -> Text,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Where energy is delivered or fed in.
    service_points (organization_id, client_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `address`.
        address -> Text,
        /// `supply_point_id`.
        supply_point_id -> Text,
        /// `grid_operator`.
        grid_operator -> Text,
        /// `phases`.
        phases -> Nullable<SmallInt>,
        /// `fuse_amps`.
        fuse_amps -> Nullable<SmallInt>,
        /// `direction`.
        direction -> Text,
        /// `time_zone`.
        time_zone -> Text,
        /// `metadata`.
        metadata -> Jsonb,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Attempts to sign in: the limit counts them, their user reads their own.
    sign_ins (user_id, at) {
        /// `user_id`.
        user_id -> Nullable<Uuid>,
        /// `address`.
        address -> Text,
        /// `outcome`.
        outcome -> Text,
        /// `at`.
        at -> Timestamptz,
    }
}

table! {
    /// Days as they were before a later import changed a value; kept for as long as the meter.
    superseded_interval_days (organization_id, client_id, meter_id, day, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `meter_id`.
        meter_id -> Uuid,
        /// `day`.
        day -> Date,
        /// `id`.
        id -> Uuid,
        /// `wh`.
        wh -> Array<Nullable<Integer>>,
        /// `flags`.
        flags -> Nullable<Array<Nullable<SmallInt>>>,
        /// `import_id`.
        import_id -> Nullable<Uuid>,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Which customer is on which tariff, from a day (included) to a day (excluded); the version follows from the day.
    tariff_agreements (organization_id, client_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `customer_id`.
        customer_id -> Uuid,
        /// `contract_id`.
        contract_id -> Uuid,
        /// `part`.
        part -> Text,
        /// `tariff_code`.
        tariff_code -> Text,
        /// `valid_from`.
        valid_from -> Date,
        /// `valid_to`.
        valid_to -> Nullable<Date>,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// The energy steps of a tariff version, read off its document when it is written: for lists and comparisons.
    tariff_blocks (organization_id, client_id, tariff_rate_id, position) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `tariff_rate_id`.
        tariff_rate_id -> Uuid,
        /// `position`.
        position -> SmallInt,
        /// `tou_period`.
        tou_period -> Text,
        /// `from_kwh`.
        from_kwh -> Numeric,
        /// `to_kwh`.
        to_kwh -> Nullable<Numeric>,
        /// `price`.
        price -> Numeric,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Versions of tariffs.
    tariff_rates (organization_id, client_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `code`.
        code -> Text,
        /// `version`.
        version -> Integer,
        /// `name`.
        name -> Text,
        /// `kind`.
        kind -> Text,
        /// `currency`.
        currency -> Text,
        /// `document`.
        document -> Jsonb,
        /// `effective_from`.
        effective_from -> Date,
        /// `effective_to`.
        effective_to -> Nullable<Date>,
        /// `status`.
        status -> Text,
        /// `rated`.
        rated -> Bool,
        /// `offered`.
        offered -> Bool,
        /// `metadata`.
        metadata -> Jsonb,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Which client admin may read a workspace, write in it, or run it. They go with their workspace.
    workspace_members (organization_id, client_id, workspace_id, user_id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `workspace_id`.
        workspace_id -> Uuid,
        /// `user_id`.
        user_id -> Uuid,
        /// `role`.
        role -> Text,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Places for documents of a client. Two may have one name: a refusal would tell who is no member that there is such a workspace.
    workspaces (organization_id, client_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `name`.
        name -> Text,
        /// `description`.
        description -> Text,
        /// `status`.
        status -> Text,
        /// `published`.
        published -> Bool,
        /// `metadata`.
        metadata -> Jsonb,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

allow_tables_to_appear_in_same_query!(
    service_points,
    contracts,
    contract_meters,
    accounts,
    allocations,
    audit_log,
    billing_exceptions,
    billing_periods,
    billing_runs,
    chat_messages,
    chat_sessions,
    clients,
    communities,
    community_members,
    customer_requests,
    customers,
    data_sources,
    documents,
    files,
    import_rejections,
    imports,
    interval_days,
    invoice_counters,
    invoice_counts,
    invoice_lines,
    invoices,
    ledger_entries,
    ledger_lines,
    messages,
    meter_readings,
    meters,
    organizations,
    payments,
    price_series,
    sign_ins,
    superseded_interval_days,
    tariff_agreements,
    tariff_blocks,
    tariff_rates,
    workspace_members,
    workspaces,
);
