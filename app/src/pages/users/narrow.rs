//! What a role is narrowed to: chosen with the invitation, changed on the page of the role.

use eis::access::{Narrowed, Permission, Role};
use eis::parties::users::OrganizationUser;
use eis::parties::users::{narrow as commands, roles};
use leptos::prelude::*;

use super::records::id_of;
use crate::components::{Button, Choice, Kind, PostForm, Section, SelectField, changed_meanwhile};
use crate::forms::seen::{self, Shown};
use crate::forms::{Reader, Typed};
use crate::messages::users as messages;
use crate::pages::scope::{base_of, require_scope};
use crate::server::functions::{Done, act};

/// What the whole role is sent as.
const WHOLE: &str = "all";
/// What the choice of the whole role reads.
const WHOLE_LABEL: &str = "Everything the role may do";

/// What these roles can be narrowed to, the whole role first.
fn choices(roles: &[Role]) -> Vec<Choice> {
    let mut narrowings: Vec<Narrowed> = roles.iter().flat_map(|role| role.narrowings()).copied().collect();
    narrowings.sort_by_key(|narrowed| Narrowed::ALL.iter().position(|one| one == narrowed));
    narrowings.dedup();
    let whole = std::iter::once(Choice::new(WHOLE, WHOLE_LABEL));
    whole.chain(narrowings.into_iter().map(|narrowed| Choice::new(narrowed.code(), narrowed.label()))).collect()
}

/// The question of the invitation.
pub(super) fn choice(roles: &[Role], typed: &Typed) -> impl IntoView + use<> {
    let hint = "A part of what the role may do; it sees the same rows. A customer's login can be narrowed to reading alone: for a caretaker or an accountant.";
    view! { <SelectField name="narrowed" label="May do" choices=choices(roles) hint=hint value=typed.value("narrowed", WHOLE) error=typed.error("narrowed")/> }
}

/// What was chosen for a role; nothing sent is the whole role.
pub(super) fn read(reader: &mut Reader, role: Option<Role>, typed: &str) -> Option<Narrowed> {
    if typed.is_empty() || typed == WHOLE {
        return None;
    }
    let narrowed = Narrowed::parse(typed);
    if !role.zip(narrowed).is_some_and(|(role, narrowed)| role.narrowings().contains(&narrowed)) {
        reader.errors.add("narrowed", "Choose what this role may do: a customer's login everything or read only.");
    }
    narrowed
}

/// What the form shows of an assignment.
fn shown(row: &OrganizationUser) -> Shown {
    let all = std::iter::once((WHOLE, WHOLE_LABEL));
    let choices = all.chain(Narrowed::ALL.map(|narrowed| (narrowed.code(), narrowed.label())));
    Shown::default().choice("narrowed", "May do", row.narrowed.map_or(WHOLE, Narrowed::code), choices)
}

/// What was typed into the page's other forms, and into this one: what one form saw is not what another saw. Faults are
/// told at the head of the page whichever it was.
pub(super) fn apart(typed: Typed) -> (Typed, Typed) {
    if typed.values.iter().any(|(name, _)| name == "narrowed") {
        return (Typed { errors: typed.errors.clone(), ..Typed::default() }, typed);
    }
    (typed, Typed::default())
}

/// The form on the page of a role; the hidden pairs are those of the role's other forms.
pub(super) fn section(
    row: &OrganizationUser,
    typed: &Typed,
    context: String,
    hidden: &[(String, String)],
) -> impl IntoView + use<> {
    let shown = shown(row);
    let mut hidden: Vec<_> = hidden.iter().filter(|(name, _)| name != "seen").cloned().collect();
    hidden.push(shown.hidden(typed));
    let roles: Vec<Role> = Role::parse(&row.role).into_iter().collect();
    let value = typed.value("narrowed", row.narrowed.map_or(WHOLE, Narrowed::code));
    let hint = "The person signs in again after a change. Open invitations for the role stop working.";
    let (changed, error) = (changed_meanwhile(typed, &shown), typed.error("narrowed"));
    view! {
        <Section title="What the role may do">
            <PostForm action="/api/narrow_role" context=context hidden=hidden class="form">
                <SelectField name="narrowed" label="May do" choices=choices(&roles) hint=hint value=value error=error/>
                <div class="actions"><Button label="Save what it may do" kind=Kind::Secondary/></div>
                {changed}
            </PostForm>
        </Section>
    }
}

/// Narrows a role that somebody holds, or gives all of it.
#[server(prefix = "/api", endpoint = "narrow_role")]
pub(crate) async fn narrow_role(
    #[server(default)] client: String,
    assignment: String,
    #[server(default)] narrowed: String,
) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_scope(Permission::ManageUsers, &client)?;
        let mut tx = ctx.write(&actor).await?;
        let id = id_of(&assignment)?;
        let row = roles::held(&mut tx, id).await?;
        let mut reader = Reader::default();
        let to = read(&mut reader, Role::parse(&row.role), &narrowed);
        reader.errors.or(())?;
        seen::unchanged(&ctx.sent, &shown(&row))?;
        let list = format!("{}/users", base_of(&actor));
        commands::narrow(&mut tx, id, to).await.map_err(messages::of_narrowing)?;
        let label = Role::parse(&row.role).map_or_else(String::new, |role| role.narrowed_label(to));
        Done::to(list).saying(format!("{} is {label} from now on.", row.name)).commit(&ctx, tx).await
    })
    .await
}
