//! The second factor in one's profile: set up with an authenticator app, codes for paper, turned off again.

use axum::response::{IntoResponse, Response};
use eis::access::Actor;
use eis::db::second_factor::{Changed, Factor};
use leptos::prelude::*;
use qrcodegen::{QrCode, QrCodeEcc};

use crate::components::{
    Button, ButtonLink, Crumb, ErrorSummary, Field, Kind, Notice, PageHeader, PostForm, Section, SummaryList,
    SummaryRow, Tone,
};
use crate::forms::{FieldErrors, Typed};
use crate::pages::frame::{Place, page as framed};
use crate::pages::parts::field_errors;
use crate::server::auth::{network, too_many};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, ctx};

/// Where it is.
pub const PATH: &str = crate::server::paths::SECOND_FACTOR;
/// Where the session keeps the codes for paper until their page has shown them.
const CODES_KEY: &str = "recovery_codes";

/// How it stands, on the profile.
pub fn row(factor: &Factor) -> SummaryRow {
    match factor.state.as_str() {
        "on" => SummaryRow::new("Second factor", "On").action("Change", PATH),
        _ => SummaryRow::new("Second factor", "Off: your password alone signs you in").action("Set up", PATH),
    }
}

/// `GET /profile/second-factor`
pub async fn page(ctx: Ctx) -> Result<Response, AppError> {
    let actor = ctx.require_user()?;
    let factor = ctx.db().my_second_factor(actor.secret).await?;
    let codes: Option<Vec<String>> = ctx.auth.session.get(CODES_KEY).await.ok().flatten();
    if codes.is_some() {
        let _ = ctx.auth.session.remove::<Vec<String>>(CODES_KEY).await;
    }
    let typed = ctx.take_typed().await;
    let email = ctx.auth.user.as_ref().map(|u| u.email().to_owned()).unwrap_or_default();
    let context = actor.context_token();
    let locked = actor.factor_due.is_some_and(|due| due.over);
    let crumbs = vec![Crumb::new("Profile", "/profile"), Crumb::new("Second factor", "")];
    let place = Place { crumbs, ..Place::default() };
    let html = framed(&ctx, &actor, place, "Second factor", move || {
        let body = match (factor.state.as_str(), factor.shown) {
            ("on", _) => on(factor.recovery_left, codes, &email, &typed, context).into_any(),
            ("begun", Some(secret)) => begun(&secret, &email, &typed, context).into_any(),
            _ => off(&typed, context).into_any(),
        };
        view! {
            <PageHeader title="Second factor" subtitle="After your password, a code from an app on your phone: a password that became known is not enough then."/>
            <ErrorSummary errors=field_errors(&typed) secrets=true/>
            {locked.then(|| view! {
                <Notice tone=Tone::Warn title="Your role needs a second factor. Nothing else opens until it is on."/>
            })}
            {body}
        }
    })
    .await;
    Ok(html.into_response())
}

fn hidden() -> Vec<(String, String)> {
    vec![("page".into(), PATH.into())]
}

/// The field for the password that is asked for anew.
fn password_field(name: &'static str, typed: &Typed) -> impl IntoView + use<> {
    let error = typed.error(name);
    view! { <Field name=name label="Password" kind="password" autocomplete="current-password" error=error/> }
}

fn off(typed: &Typed, context: String) -> impl IntoView + use<> {
    let password = password_field("password", typed);
    view! {
        <PostForm action="/api/begin_second_factor" context=context hidden=hidden() class="form">
            <p>"You need an authenticator app; any one that shows codes of six digits will do."</p>
            {password}
            <div class="actions"><Button label="Set up"/></div>
        </PostForm>
    }
}

fn begun(secret: &[u8], email: &str, typed: &Typed, context: String) -> impl IntoView + use<> {
    let text = base32(secret);
    let link =
        format!("otpauth://totp/{}?secret={text}&issuer=EIS%20Power&algorithm=SHA1&digits=6&period=30", label(email));
    let groups: Vec<String> =
        text.as_bytes().chunks(4).map(|four| String::from_utf8_lossy(four).into_owned()).collect();
    let error = typed.error("one_time_password");
    let password = password_field("password", typed);
    view! {
        <Section title="1. Add it to your app">
            <div class="qr-row">
                {qr(&link)}
                <div>
                    <p>"Scan this with the app, " <a href=link.clone()>"open it on this device"</a> ", or type the key:"</p>
                    <p><code>{groups.join(" ")}</code></p>
                </div>
            </div>
        </Section>
        <Section title="2. Enter the code that it shows, and your password again">
            <PostForm action="/api/confirm_second_factor" context=context hidden=hidden() class="form">
                <Field name="one_time_password" label="Code" inputmode="numeric" autocomplete="one-time-code" width="w10" error=error/>
                {password}
                <p class="hint">"Within ten minutes. You stay signed in here; every other session ends."</p>
                <Button label="Turn on"/>
            </PostForm>
        </Section>
    }
}

fn on(left: i64, codes: Option<Vec<String>>, email: &str, typed: &Typed, context: String) -> impl IntoView + use<> {
    let whose = format!("For the login {email}");
    let shown = codes.map(|codes| {
        let items = codes.into_iter().map(|code| view! { <li><code>{spaced(&code)}</code></li> }).collect_view();
        view! {
            <Section title="Your codes on paper">
                <Notice tone=Tone::Warn title="They are shown this once. Print them or write them down.">
                    <p>"Each signs you in once, in the app's place, when your phone is lost. Small letters and missing dashes do no harm."</p>
                </Notice>
                <ul class="codes" aria-label=whose.clone()>{items}</ul>
                <p class="hint">{whose}</p>
                <div class="actions"><ButtonLink label="Go on to the portal" href="/"/></div>
            </Section>
        }
    });
    let left = if left == 1 { "1 is left".to_owned() } else { format!("{left} are left") };
    let rows = vec![SummaryRow::new("Second factor", "On"), SummaryRow::new("Codes on paper", left)];
    let again = context.clone();
    let ending = proof("password", "one_time_password", typed);
    let renewing = proof("codes_password", "codes_one_time_password", typed);
    view! {
        {shown}
        <SummaryList rows=rows/>
        <Section title="New codes on paper">
            <p class="hint">"Ten new ones, shown once. Those you have now stop working."</p>
            <PostForm action="/api/new_recovery_codes" context=again hidden=hidden() class="form">
                {renewing}
                <Button label="Make new codes" kind=Kind::Secondary/>
            </PostForm>
        </Section>
        <Section title="Turn it off">
            <p class="hint">"Also the way to another phone: turn it off and set it up again. Every other session ends."</p>
            <PostForm action="/api/end_second_factor" context=context hidden=hidden() class="form">
                {ending}
                <Button label="Turn off" kind=Kind::Danger/>
            </PostForm>
        </Section>
    }
}

/// The fields for the password and a code.
fn proof(password: &'static str, code: &'static str, typed: &Typed) -> impl IntoView + use<> {
    let error = typed.error(code);
    let password = password_field(password, typed);
    view! {
        {password}
        <Field name=code label="Code" hint="From the app, or one from paper." autocomplete="one-time-code" width="w20" error=error/>
    }
}

/// `3F9A-KX2F-06CE-04B7-…`: groups of four, as people copy them.
fn spaced(code: &str) -> String {
    let groups: Vec<&str> =
        (0..code.len()).step_by(4).filter_map(|at| code.get(at..(at + 4).min(code.len()))).collect();
    groups.join("-")
}

/// The account's name in an authenticator app.
fn label(email: &str) -> String {
    format!("EIS%20Power:{}", crate::server::functions::encode(email))
}

/// RFC 4648, section 6, without padding.
fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::new();
    for five in bytes.chunks(5) {
        let bits = five.iter().fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte)) << (8 * (5 - five.len()));
        for place in 0..(five.len() * 8).div_ceil(5) {
            let index = usize::try_from((bits >> (35 - 5 * place)) & 31).unwrap_or_default();
            text.push(char::from(LETTERS[index]));
        }
    }
    text
}

/// The link as a picture to scan.
fn qr(link: &str) -> Option<impl IntoView + use<>> {
    let code = QrCode::encode_text(link, QrCodeEcc::Medium).ok()?;
    let size = code.size();
    let dots = (0..size).flat_map(|y| (0..size).map(move |x| (x, y))).filter(|(x, y)| code.get_module(*x, *y));
    let path: String = dots.map(|(x, y)| format!("M{} {}h1v1h-1z", x + 4, y + 4)).collect();
    let view_box = format!("0 0 {0} {0}", size + 8);
    Some(view! {
        <svg class="qr" viewBox=view_box role="img" aria-label="QR code for the authenticator app; the key beside it says the same">
            <path d=path/>
        </svg>
    })
}

/// What is told once it is on.
const IS_ON: &str = "The second factor is on.";
/// What is told once it is off.
const IS_OFF: &str = "The second factor is off.";

/// The password that was typed into a field, digested as one's own; the attempt counts from now on.
async fn digested(ctx: &Ctx, actor: &Actor, password: &str, field: &str) -> Result<Vec<u8>, AppError> {
    ctx.auth.backend.my_attempt(actor, password).await.map_err(|fault| fault.at(field))
}

/// The codes for paper of a change that is done; anything else is told at its field.
fn done(changed: Changed, password: &'static str, code: &'static str) -> Result<Vec<String>, AppError> {
    match changed {
        Changed::Done(codes) => Ok(codes),
        Changed::WrongPassword => Err(FieldErrors::one(password, "This is not your password.").into()),
        Changed::WrongCode => Err(FieldErrors::one(code, "This code is wrong or was used already. Check that the phone's clock is right, and enter the code that it shows next.").into()),
        Changed::Limited => Err(FieldErrors::one(password, too_many(15 * 60)).into()),
        Changed::Stale => Err(AppError::Conflict("The second factor stands otherwise than on the page that you sent. It is shown here as it is; begin again if need be.".to_owned())),
    }
}

/// Keeps the codes for paper until their page has shown them.
async fn show_codes(ctx: &Ctx, codes: Vec<String>) -> Result<(), AppError> {
    ctx.auth.session.insert(CODES_KEY, codes).await.map_err(|e| AppError::Internal(e.to_string()))
}

/// Makes a fresh secret, with the password.
#[server(prefix = "/api", endpoint = "begin_second_factor")]
pub(crate) async fn begin_second_factor(#[server(default)] password: String) -> Result<(), ServerFnError> {
    act(async {
        let ctx = ctx()?;
        let actor = ctx.require_user()?;
        let digest = digested(&ctx, &actor, &password, "password").await?;
        let changed = ctx.db().begin_second_factor(actor.secret, &digest, &network(&ctx.address)).await?;
        done(changed, "password", "password")?;
        Ok(Done::to(PATH))
    })
    .await
}

/// Turns it on with the password and the first code.
#[server(prefix = "/api", endpoint = "confirm_second_factor")]
pub(crate) async fn confirm_second_factor(
    #[server(default)] password: String,
    #[server(default)] one_time_password: String,
) -> Result<(), ServerFnError> {
    act(async {
        let ctx = ctx()?;
        let actor = ctx.require_user()?;
        let digest = digested(&ctx, &actor, &password, "password").await?;
        let address = network(&ctx.address);
        let changed = ctx.db().confirm_second_factor(actor.secret, &digest, &one_time_password, &address).await?;
        // A code is good once: the same form again finds it on, and its codes wait for the page.
        if changed == Changed::Stale && ctx.db().my_second_factor(actor.secret).await?.state == "on" {
            return Ok(Done::to(PATH).saying(IS_ON));
        }
        show_codes(&ctx, done(changed, "password", "one_time_password")?).await?;
        Ok(Done::to(PATH).saying(IS_ON))
    })
    .await
}

/// Makes new codes for paper, with password and code.
#[server(prefix = "/api", endpoint = "new_recovery_codes")]
pub(crate) async fn new_recovery_codes(
    #[server(default)] codes_password: String,
    #[server(default)] codes_one_time_password: String,
) -> Result<(), ServerFnError> {
    act(async {
        let ctx = ctx()?;
        let actor = ctx.require_user()?;
        let digest = digested(&ctx, &actor, &codes_password, "codes_password").await?;
        let address = network(&ctx.address);
        let changed = ctx.db().new_recovery_codes(actor.secret, &digest, &codes_one_time_password, &address).await?;
        show_codes(&ctx, done(changed, "codes_password", "codes_one_time_password")?).await?;
        Ok(Done::to(PATH).saying("These are your new codes on paper. Those before them work no longer."))
    })
    .await
}

/// Turns it off, with password and code.
#[server(prefix = "/api", endpoint = "end_second_factor")]
pub(crate) async fn end_second_factor(
    #[server(default)] password: String,
    #[server(default)] one_time_password: String,
) -> Result<(), ServerFnError> {
    act(async {
        let ctx = ctx()?;
        let actor = ctx.require_user()?;
        let digest = digested(&ctx, &actor, &password, "password").await?;
        let address = network(&ctx.address);
        let changed = ctx.db().end_second_factor(actor.secret, &digest, &one_time_password, &address).await?;
        // The same form again, with the right password, finds it off.
        let again = changed == Changed::WrongCode && ctx.db().my_second_factor(actor.secret).await?.state == "off";
        if !again {
            done(changed, "password", "one_time_password")?;
        }
        Ok(Done::to(PATH).saying(IS_OFF))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_written_as_authenticator_apps_read_it() {
        assert_eq!(base32(b"12345678901234567890"), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!((base32(b"foobar").as_str(), base32(b"")), ("MZXW6YTBOI", String::new()));
    }

    #[test]
    fn a_code_on_paper_stands_in_groups_of_four() {
        assert_eq!(spaced("3F9AKX2F06CE04B7WQ1MZZ80H7T2"), "3F9A-KX2F-06CE-04B7-WQ1M-ZZ80-H7T2");
    }
}
