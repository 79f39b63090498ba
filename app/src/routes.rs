//! Every URL of the portal on one screen. Forms post to `/api/<server function>`; see [`functions`].

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::response::Response;
use axum::routing::{get, post};

use crate::assets;
use crate::pages::admin::{
    self, accounts, billing_runs, contracts, customers, imports, invoices, ledger, meters, readings, service_points,
    tariffs, what_ifs,
};
use crate::pages::organization::{self, clients};
use crate::pages::{
    account, audit, conflict, invitation, login, profile, reset, service_identities, staff, switch, users,
};
use crate::server::UPLOAD_LIMIT;
use crate::server::state::AppState;
use crate::server::{self, functions, health, protect};

/// The pages that server functions answer with.
const PAGES: functions::Pages =
    functions::Pages { of_another_context: |ctx, actor, typed| Box::pin(conflict::refuse(ctx, actor, typed)) };

/// The whole application over a database.
pub fn router(state: AppState) -> Router {
    router_with(state, Router::new())
}

/// The whole application with further routes outside its layers: a benchmark's peers.
pub fn router_with(state: AppState, beside: Router<AppState>) -> Router {
    server::guarded(state, pages(), public(), beside)
}

/// Routes with a session: pages, server functions, downloads.
pub fn pages() -> Router<AppState> {
    Router::new()
        .route("/", get(switch::home))
        .route("/login", get(login::page))
        .route("/login/code", get(login::code::page))
        .route("/switch", get(switch::page))
        .route("/profile", get(profile::page))
        .route("/profile/second-factor", get(profile::second_factor::page))
        .route("/clients/{client}", get(admin::overview::show))
        .route("/clients/{client}/billing-runs", get(billing_runs::list))
        .route("/clients/{client}/billing-runs/new", get(billing_runs::new))
        .route("/clients/{client}/billing-runs/{run}", get(billing_runs::show::show))
        .route("/clients/{client}/invoices", get(invoices::list))
        .route("/clients/{client}/invoices.csv", get(invoices::csv))
        .route("/clients/{client}/invoices/{invoice}", get(invoices::show::show))
        .route("/clients/{client}/ledger", get(ledger::list))
        .route("/clients/{client}/ledger.csv", get(ledger::csv))
        .route("/invitation/{token}", get(invitation::page))
        .route("/reset/{token}", get(reset::page))
        .route("/staff/organizations", get(staff::organizations::list))
        .route("/staff/step-up", get(staff::step_up::show))
        .route("/organization", get(organization::overview::show))
        .route("/organization/clients", get(clients::list))
        .route("/organization/clients.csv", get(clients::csv))
        .route("/organization/clients/new", get(clients::new))
        .route("/organization/clients/{client}/edit", get(clients::edit))
        .route("/organization/isolation", get(organization::isolation::show))
        .route("/organization/users", get(users::of_organization))
        .route("/organization/users/invite", get(users::invite_to_organization))
        .route("/organization/users/{assignment}/edit", get(users::edit_in_organization))
        .route("/organization/service-identities", get(service_identities::of_organization))
        .route("/organization/service-identities/new", get(service_identities::new_in_organization))
        .route("/organization/audit", get(audit::of_organization))
        .route("/organization/audit.csv", get(audit::csv_of_organization))
        .route("/clients/{client}/users", get(users::of_client))
        .route("/clients/{client}/users/invite", get(users::invite_to_client))
        .route("/clients/{client}/users/{assignment}/edit", get(users::edit_at_client))
        .route("/clients/{client}/service-identities", get(service_identities::of_client))
        .route("/clients/{client}/service-identities/new", get(service_identities::new_at_client))
        .route("/clients/{client}/audit", get(audit::of_client))
        .route("/clients/{client}/audit.csv", get(audit::csv_of_client))
        .route("/account", get(account::home::page))
        .route("/account/invoices", get(account::invoices::list))
        .route("/account/invoices/{invoice}", get(account::invoices::show))
        .route("/account/price", get(account::price::page))
        .route("/account/price/compare", get(account::price::compare))
        .route("/account/statement", get(account::statement::page))
        .route("/account/usage", get(account::usage::page))
        .route("/account/usage.csv", get(account::usage::csv))
        .route("/clients/{client}/customers", get(customers::list))
        .route("/clients/{client}/customers.csv", get(customers::csv))
        .route("/clients/{client}/customers/new", get(customers::new))
        .route("/clients/{client}/customers/{customer}", get(customers::show))
        .route("/clients/{client}/customers/{customer}/edit", get(customers::edit))
        .route("/clients/{client}/customers/{customer}/accounts/new", get(accounts::new))
        .route("/clients/{client}/customers/{customer}/accounts/{account}/edit", get(accounts::edit))
        .route("/clients/{client}/customers/{customer}/statement", get(ledger::statement))
        .route("/clients/{client}/customers/{customer}/contracts/new", get(contracts::new))
        .route("/clients/{client}/customers/{customer}/contracts/{contract}/edit", get(contracts::edit))
        .route("/clients/{client}/customers/{customer}/meters/new", get(meters::new))
        .route("/clients/{client}/customers/{customer}/meters/{meter}/edit", get(meters::edit))
        .route("/clients/{client}/customers/{customer}/meters/{meter}/readings", get(readings::list))
        .route("/clients/{client}/service-points", get(service_points::list))
        .route("/clients/{client}/service-points/new", get(service_points::new))
        .route("/clients/{client}/service-points/{service_point}", get(service_points::show))
        .route("/clients/{client}/service-points/{service_point}/edit", get(service_points::edit))
        .route("/clients/{client}/service-points/{service_point}/meters/new", get(meters::new_at_place))
        .route("/clients/{client}/service-points/{service_point}/meters/{meter}/edit", get(meters::edit_at_place))
        .route("/clients/{client}/service-points/{service_point}/meters/{meter}/readings", get(readings::list_at_place))
        .route("/clients/{client}/tariffs", get(tariffs::list))
        .route("/clients/{client}/tariffs/new", get(tariffs::new::new))
        .route("/clients/{client}/tariffs/{tariff}", get(tariffs::show))
        .route("/clients/{client}/tariffs/{tariff}/design", get(tariffs::design::design))
        .route("/clients/{client}/what-ifs", get(what_ifs::list))
        .route("/clients/{client}/what-ifs/new", get(what_ifs::new::new))
        .route("/clients/{client}/what-ifs/{what_if}", get(what_ifs::show::show))
        .route("/clients/{client}/what-ifs/{what_if}/customers.csv", get(what_ifs::show::csv))
        .route(
            "/clients/{client}/imports",
            get(imports::list).post(imports::upload::create).layer(DefaultBodyLimit::max(UPLOAD_LIMIT)),
        )
        .route("/clients/{client}/imports/new", get(imports::upload::new))
        .route("/clients/{client}/imports/template.csv", get(imports::template))
        .route("/clients/{client}/imports/{import}", get(imports::show))
        .route("/clients/{client}/imports/{import}/rejections.csv", get(imports::rejections_csv))
        .route("/api/{function}", post(function))
        .fallback(protect::not_found)
}

async fn function(State(state): State<AppState>, request: Request) -> Response {
    functions::handle(state, PAGES, request).await
}

/// Routes without one: assets and health.
pub fn public() -> Router<AppState> {
    assets::routes().route("/healthz", get(health::healthz)).route("/readyz", get(health::readyz))
}
