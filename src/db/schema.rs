//! The tables as diesel sees them: those that the portal's login may read. Made from the database, not by hand:
//! `UPDATE_EXPECTED_STATE=1 cargo nextest run schema_rs_is_what_the_database_has` writes it after a change of the
//! migrations.

use diesel::{allow_tables_to_appear_in_same_query, table};

table! {
    /// What a customer owes under one number: where bills go, how, and until when they are to be paid. The number is the client's own and unique within it.
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
        /// Of a customer's accounts the one by whose number it is listed.
        is_main -> Bool,
        /// Empty: the service address.
        billing_address -> Text,
        /// `delivery`.
        delivery -> Text,
        /// BCP 47; empty: as the client writes.
        language -> Text,
        /// Days from issue until a bill is due; NULL: the client's.
        payment_terms_days -> Nullable<SmallInt>,
        /// Whether one bill is made for all its contracts that are due together, as landlords want it.
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
        /// The bill of less than nothing, or the credit note, whose credit it is; NULL: a payment pays.
        credit_id -> Nullable<Uuid>,
        /// payment_id or credit_id, for keys.
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
    /// Who did what to which row, when, in which organization, from where. Append-only: no login may change or delete a record.
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
    /// What the latest rating found of a billing period: why there is no bill (blocks) or what to look at (warns). usage_changed: its usage changed after the invoice.
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
    /// Days of one contract that one bill covers, and what rating found of them. Each goes its own way: due, rated or held, approved, issued. Issued, it never changes; when its invoice is credited, its days are due again.
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
        /// The run that has it now, or that issued it.
        billing_run_id -> Uuid,
        /// `invoice_id`.
        invoice_id -> Nullable<Uuid>,
        /// `corrects_id`.
        corrects_id -> Nullable<Uuid>,
        /// `from_on`.
        from_on -> Date,
        /// `to_on`.
        to_on -> Date,
        /// cycle: a bill of the contract's cycle; final: the contract ends; correction: its days were billed before, and credited (corrects_id).
        reason -> Text,
        /// `status`.
        status -> Text,
        /// Of the service point, as it was.
        address -> Text,
        /// `tariff_name`.
        tariff_name -> Text,
        /// The tariff versions that rated it, in order.
        tariff_rate_ids -> Array<Nullable<Uuid>>,
        /// `kwh`.
        kwh -> Numeric,
        /// `exported_kwh`.
        exported_kwh -> Numeric,
        /// `peak_kw`.
        peak_kw -> Nullable<Numeric>,
        /// `peak_names`.
        peak_names -> Array<Text>,
        /// Highest demands in kW, each by its name in peak_names, for later ratchets.
        peak_kws -> Array<Nullable<Numeric>>,
        /// `estimated`.
        estimated -> Bool,
        /// `net`.
        net -> Numeric,
        /// `tax`.
        tax -> Numeric,
        /// Of this period by itself. On a collective bill tax is taken once over all.
        total -> Numeric,
        /// Credit that the contract's earlier bills left to this one.
        carried_before -> Numeric,
        /// Credit that the tariff leaves to the next bill.
        carried_credit -> Numeric,
        /// Charges since 1 January that count towards a minimum per year.
        carried_year_to_date -> Numeric,
        /// `banked_periods`.
        banked_periods -> Array<Text>,
        /// Net metering: kWh left to the next bill, each by its time-of-use period in banked_periods ('' where there is none).
        banked_kwh -> Array<Nullable<Numeric>>,
        /// How many values and whose meters its usage comes from; NULL: not known.
        usage_source -> Nullable<Jsonb>,
        /// A hash of each thing that it was rated from; NULL: not known, so that a draft is never up to date.
        inputs -> Nullable<Jsonb>,
        /// Why it differs from the bill before and from last year's.
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
    /// Batches of billing periods that are rated, approved and issued together: those due on a day. Totals are of its latest rating. One that issued nothing may be deleted; its billing periods hold the others.
    billing_runs (organization_id, client_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// It bills days before this one.
        due_on -> Date,
        /// Contracts of this cycle alone; NULL: of every one.
        cycle -> Nullable<SmallInt>,
        /// `status`.
        status -> Text,
        /// How many contracts it took on.
        contracts -> Integer,
        /// `invoices`.
        invoices -> Integer,
        /// How many of them its latest rating holds back.
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
        /// Whose conversation it is, whoever speaks.
        user_id -> Uuid,
        /// `role`.
        role -> Text,
        /// `text`.
        text -> Text,
        /// Ids of document_chunks; one that is gone is cited still.
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
        /// A share: 0.19 is 19 %. Applies where a tariff names no tax of its own.
        tax_rate -> Numeric,
        /// `payment_terms_days`.
        payment_terms_days -> SmallInt,
        /// `status`.
        status -> Text,
        /// Whether customers may compare what they paid with the tariffs on offer.
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
        /// fixed: each member gets its key of what is generated; by_usage: what each uses in an interval decides, within its key.
        sharing -> Text,
        /// `starts_on`.
        starts_on -> Date,
        /// First day no longer.
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
        /// The key: the part of what is generated that is the member's. Nothing for who only generates.
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
    /// What a customer may know of meters: those of a contract on its days. Written by whatever changes a meter, its registers, a contract or a service point, and by nothing else.
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
        /// Its registers that are read: objects of id, name, measures, digits, decimals and multiplier, so that a customer can follow usage from figures.
        counts -> Jsonb,
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
    /// An account at a service point from a day (included) to a day (excluded): whose the usage of these days is, and who is billed for it.
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
        /// The service point's, which customers do not see; written by whatever changes that, and by nothing else.
        address -> Text,
        /// `from_on`.
        from_on -> Date,
        /// `to_on`.
        to_on -> Nullable<Date>,
        /// requested, agreed, withdrawn. Whether an agreed one is planned, running or ended follows from its days.
        status -> Text,
        /// Months that one bill covers, counted from billing_anchor.
        billing_cycle -> SmallInt,
        /// `billing_anchor`.
        billing_anchor -> Date,
        /// First day that is billed here; the days before were billed elsewhere. NULL: all its days are.
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
        /// What is asked for, by kind (customer_requests.rs).
        payload -> Jsonb,
        /// `status`.
        status -> Text,
        /// `accepted`.
        accepted -> Nullable<Bool>,
        /// `answer`.
        answer -> Text,
        /// `decided_at`.
        decided_at -> Nullable<Timestamptz>,
        /// The person or service identity; NULL: the system.
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
    /// People and companies that a client supplies. What they owe stands on their accounts.
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
        /// A company's, as its bills name it.
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
        /// Never with a user or password in it: nothing here is secret.
        address -> Text,
        /// `schedule`.
        schedule -> Text,
        /// `status`.
        status -> Text,
        /// `last_run_at`.
        last_run_at -> Nullable<Timestamptz>,
        /// `last_result`.
        last_result -> Text,
        /// How many files came with the last look.
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
        /// What it was rendered of, with cause_id: the noun of a table, such as invoice.
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
        /// Of the bytes before they were encrypted.
        sha256 -> Binary,
        /// What the bytes are encrypted with: random, of this document alone.
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
        /// Of the bytes before they were encrypted.
        sha256 -> Binary,
        /// What the bytes are encrypted with: random, of this file alone.
        content_key -> Binary,
        /// received: its text was not read yet; indexed: its text is there to be found (document_chunks); failed: it could not be read.
        status -> Text,
        /// Why it could not be read, a code.
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
    /// Files of usage: what came, what was taken, what was refused. Counts are values, not lines.
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
    /// One row per meter and local day: the day's values in Wh in order of time. NULL entries are gaps. A clock-change day has fewer or more.
    interval_days (organization_id, client_id, meter_id, day) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// Whose contract has the day; NULL: nobody's. It follows the contracts' days.
        customer_id -> Nullable<Uuid>,
        /// `meter_id`.
        meter_id -> Uuid,
        /// `day`.
        day -> Date,
        /// `interval_minutes`.
        interval_minutes -> SmallInt,
        /// `wh`.
        wh -> Array<Nullable<Integer>>,
        /// Quality per value, only where it differs from actual: 0 actual, 1 estimated, 2 customer, 3 edited.
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
    /// The last number given per client and series; locked by the transaction that issues, so that numbers have no gaps. Moved by the issuing of invoices alone.
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
        /// The period that it bills; NULL: it is of the whole invoice, as tax over all is.
        billing_period_id -> Nullable<Uuid>,
        /// Set with its invoice's number; the customer sees issued lines only.
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
    /// Invoices and credit notes of accounts; an invoice bills one or more billing periods. Numbered when issued; from then on only paid changes, by allocations, and status after it, and no row is deleted. Buyer's name and address as they were.
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
        /// The run that made it; NULL: it was made by itself.
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
        /// The number as printed: series, year of issue, number.
        label -> Text,
        /// `customer_name`.
        customer_name -> Text,
        /// `account_number`.
        account_number -> Text,
        /// `billing_address`.
        billing_address -> Text,
        /// The first day that it bills, of all its billing periods.
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
        /// What is to be paid: net, tax, and the rounding of the amount to pay where the tariff asks for it (payable_rounding, EN 16931 BT-114).
        total -> Numeric,
        /// `paid`.
        paid -> Numeric,
        /// Credit that earlier bills of its contracts left to it.
        carried_before -> Numeric,
        /// Credit that its tariffs leave to the next bills of its contracts.
        carried_credit -> Numeric,
        /// Fields that the organization adds; nothing of the portal's own. Fixed at issue like every other column.
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
    /// What happened to a customer's money, once for each cause. Written by the triggers of its cause alone, never changed: a mistake is reversed by another entry.
    ledger_entries (organization_id, client_id, customer_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `customer_id`.
        customer_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// The day on which it stands in the books, where the client is.
        booked_on -> Date,
        /// The day from which the amount counts: when a bill is due, when money came.
        value_on -> Date,
        /// `cause`.
        cause -> Text,
        /// The invoice or credit note, the payment; of an allocation what pays: the payment, or the bill that left the credit.
        cause_id -> Uuid,
        /// Of an allocation the invoice that is paid.
        settles_id -> Nullable<Uuid>,
        /// The entry of the same customer that this one takes back. What was paid of it meanwhile stays the customer's, as credit.
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
    /// The lines of an entry, one for each ledger account; they come with it and sum to zero.
    ledger_lines (organization_id, client_id, customer_id, entry_id, ledger_account) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `customer_id`.
        customer_id -> Uuid,
        /// `entry_id`.
        entry_id -> Uuid,
        /// receivable: bills that are open. unapplied: what a customer has in credit. carry_over: credit that a tariff keeps for the next bill. rounding: of amounts to pay. The others as their names say.
        ledger_account -> Text,
        /// Above zero: debit (owed to the client, money in its bank). Below zero: credit (revenue, tax, what it owes a customer).
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
        /// The figures and names that the words of its kind are made with; never a password, code or link.
        content -> Jsonb,
        /// `document_id`.
        document_id -> Nullable<Uuid>,
        /// `status`.
        status -> Text,
        /// `attempts`.
        attempts -> SmallInt,
        /// When it is tried next; while it is being sent, when another may take it up.
        due_at -> Nullable<Timestamptz>,
        /// What the other side said last.
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
    /// Figures on registers. Usage follows from two of them; a corrected figure keeps the old one.
    meter_readings (organization_id, client_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// Whose the days are that the figure ends, and of an installed or opening one the days that it begins; NULL: nobody's. It follows the contracts' days.
        customer_id -> Nullable<Uuid>,
        /// `meter_id`.
        meter_id -> Uuid,
        /// `register_id`.
        register_id -> Uuid,
        /// The figure holds at the beginning of this day in the meter's zone: the days before it are used up, the day itself is not.
        read_on -> Date,
        /// `figure`.
        figure -> Numeric,
        /// installed and opening begin usage, final and removed end it, periodic does both. It follows from the days of the meter and of contracts.
        why -> Text,
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
    /// A register of a meter at a service point from a day (included) to a day (excluded); it stays when people move. Import is what is drawn there.
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
        /// Names of the registers of a file that this row adds up, such as E1; empty where it has one without a name, or they are not known. A tariff prices a register by its name.
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
    /// The tenants. A login sees the one its context names, nothing of the others.
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
    /// Money received on an account. What is not allocated is the account's credit: it pays the next bills when they are issued.
    payments (organization_id, client_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// Made with the form that records it: a form sent twice is one payment.
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
        /// What tariffs call it.
        code -> Text,
        /// `name`.
        name -> Text,
        /// `source`.
        source -> Text,
        /// `unit`.
        unit -> Text,
        /// `currency`.
        currency -> Text,
        /// How long a price holds: 15 or 60 minutes, or 1440: a local day, however long.
        minutes -> SmallInt,
        /// Whose days they are.
        time_zone -> Text,
        /// The number of the last load that brought something new; 0: none did.
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
    /// What is read of a meter now and then: each register counts energy or keeps the highest demand. Once a figure was read they stay as they are; another meter is another row.
    registers (organization_id, client_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `meter_id`.
        meter_id -> Uuid,
        /// The time-of-use name or code by which tariffs know it, such as HT; empty where the meter has one register.
        name -> Text,
        /// energy: kWh, ever rising; demand: the highest kW since the reading before.
        measures -> Text,
        /// Whole digits: after 99,999 a register of five begins anew at 0.
        digits -> SmallInt,
        /// `decimals`.
        decimals -> SmallInt,
        /// What a unit on the register stands for, as behind current transformers: usage is the difference times this.
        multiplier -> Numeric,
        /// `created_at`.
        created_at -> Timestamptz,
        /// `created_by`.
        created_by -> Nullable<Uuid>,
        /// `updated_at`.
        updated_at -> Timestamptz,
    }
}

table! {
    /// Where energy is delivered or fed in. Meters are installed here, whoever lives here; a contract says who does.
    service_points (organization_id, client_id, id) {
        /// `organization_id`.
        organization_id -> Uuid,
        /// `client_id`.
        client_id -> Uuid,
        /// `id`.
        id -> Uuid,
        /// `address`.
        address -> Text,
        /// As its market calls it: NMI, MaLo, MPAN, PRM, ESI; empty: not known.
        supply_point_id -> Text,
        /// `grid_operator`.
        grid_operator -> Text,
        /// `phases`.
        phases -> Nullable<SmallInt>,
        /// `fuse_amps`.
        fuse_amps -> Nullable<SmallInt>,
        /// `direction`.
        direction -> Text,
        /// IANA; contract days and profile days here are local to it.
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
    /// Attempts to sign in: the limit counts them, their user reads their own. Unknown addresses are kept as a hash only.
    sign_ins (user_id, at) {
        /// `user_id`.
        user_id -> Nullable<Uuid>,
        /// `address`.
        address -> Text,
        /// entered: under way or left off, and counted as wrong until it is known. password: it was right and the second factor is still asked for; this sets no count of wrong attempts back. limited: refused, told once a quarter of an hour. ended: signing in ended the oldest of too many sessions, which was of this address.
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
    /// Which contract is on which tariff for a part of its price, from a day (included) to a day (excluded); the version follows from the day.
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
    /// Versions of tariffs. The document is what rating reads; a version that was activated or has rated never changes: it ends, and another follows it.
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
        /// Whether a bill was made with this version: from then on its document and dates are fixed.
        rated -> Bool,
        /// Whether the tariff is on offer to the client's customers; the same for all versions of a code.
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
        /// No foreign key: its refusal would tell which ids are people of others. An id that nobody has opens nothing.
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
        /// Whether the client's customers read it, while it is active.
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
    contract_meters,
    contracts,
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
    registers,
    service_points,
    sign_ins,
    superseded_interval_days,
    tariff_agreements,
    tariff_blocks,
    tariff_rates,
    workspace_members,
    workspaces,
);
