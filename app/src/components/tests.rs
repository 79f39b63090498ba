//! What holds for the vocabulary as a whole.

use super::*;
use leptos::prelude::*;

fn html<V: IntoView>(view: impl FnOnce() -> V) -> String {
    Owner::new().with(|| view().into_any().to_html())
}

fn page() -> String {
    let frame = Frame {
        context: "signed".to_owned(),
        organization: "Northwind Energy Group".to_owned(),
        client: "Harbor Light & Power".to_owned(),
        hue: 5,
        person: "Dana Whitfield".to_owned(),
        role: "Energy-company admin".to_owned(),
        switch_href: "/switch".to_owned(),
        search_href: "/switch".to_owned(),
        switch_action: "/api/switch".to_owned(),
        recent: vec![SwitchTarget { name: "Cedar Valley".to_owned(), ..SwitchTarget::default() }],
        nav: vec![NavItem::new("Invoices", "/invoices", "/invoices/1")],
        flash: Some(Flash::success("Saved.")),
        ..Frame::default()
    };
    let content = html(|| {
        view! {
            <PageHeader title="Invoices"/>
            <PostForm action="/api/pay" context="signed"><Button label="Pay"/></PostForm>
            <BarChart
                id="c" title="Usage" description="Flat." unit="kWh" label_head="Day"
                labels=vec!["1".to_owned()]
                series=vec![Series { values: vec![rust_decimal::Decimal::ONE], ..Series::default() }]
            />
        }
    });
    html(|| view! { <Document title="Invoices"><Shell frame=frame content=content/></Document> })
}

#[test]
fn a_page_is_a_whole_document_that_says_whose_it_is() {
    let page = page();
    assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{}", &page[..80]);
    assert!(page.contains("Northwind Energy Group"));
    assert!(page.contains("Harbor Light &amp; Power"));
    assert!(page.contains("hue-5"));
    assert!(page.contains("aria-current=\"page\""));
    assert_eq!(page.matches("<h1>").count(), 1);
}

#[test]
fn a_page_needs_no_inline_style_or_script() {
    let page = page();
    assert!(!page.contains(" style=") && !page.contains("<style"));
    assert!(!page.contains(" onclick") && !page.contains("javascript:"));
    assert_eq!(page.matches("<script").count(), page.matches("<script src=\"/assets/").count());
}

#[test]
fn every_post_form_carries_the_context_it_was_rendered_in() {
    let page = page();
    let forms = page.matches("method=\"post\"").count();
    assert_eq!(forms, 3, "sign out, switch, pay");
    assert_eq!(page.matches("name=\"context\" value=\"signed\"").count(), forms);
}

#[test]
fn a_fault_is_named_at_the_head_and_at_its_field() {
    let errors = vec![FieldError { field: "email".to_owned(), message: "Enter an email address".to_owned() }];
    let page = html(|| {
        view! {
            <ErrorSummary errors=errors/>
            <Field name="email" label="Email" hint="Yours." error="Enter an email address" value="a\"><script>"/>
        }
    });
    assert!(page.contains("href=\"#email\""));
    assert!(page.contains("id=\"email\""));
    assert!(page.contains("aria-describedby=\"email-hint email-error\""));
    assert!(page.contains("aria-invalid=\"true\""));
    assert!(!page.contains("<script>"), "what was typed stays text: {page}");
}

#[test]
fn without_faults_there_is_no_summary() {
    assert!(!html(|| view! { <ErrorSummary errors=Vec::new()/> }).contains("There is a problem"));
}

#[test]
fn a_text_area_gives_back_its_first_line_break() {
    let page = html(|| view! { <TextArea name="note" label="Note" value="\nsecond line"/> });
    assert!(page.contains(">\n\nsecond line</textarea>"), "{page}");
}

#[test]
fn the_entry_of_the_page_open_is_current() {
    assert!(NavItem::new("Invoices", "/invoices", "/invoices").current);
    assert!(NavItem::new("Invoices", "/invoices", "/invoices/7/credit-note").current);
    assert!(!NavItem::new("Invoices", "/invoices", "/invoices-old").current);
}
