//! Every component and a few whole pages as HTML files, to look at and to measure.
//!
//! `cargo run --example gallery -- DIRECTORY` writes the pages with their assets;
//! `cargo run --release --example gallery -- DIRECTORY bench [PAGE]` also times them.

#![recursion_limit = "512"]

use chrono::NaiveDate;
use leptos::prelude::*;
use portal::assets;
use portal::components::*;
use portal::format::{self, Locale};
use rust_decimal::Decimal;
use std::path::Path;
use std::time::Instant;

const EN: Locale = Locale::EnUs;
/// A page's name and how to make it.
type Page = (&'static str, fn() -> AnyView);

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().unwrap_or_else(|| "target/gallery".to_owned());
    let directory = Path::new(&directory);
    std::fs::create_dir_all(directory)?;
    std::fs::write(directory.join("portal.css"), assets::stylesheet("inter.woff2"))?;
    std::fs::write(directory.join("inter.woff2"), include_bytes!("../../public/fonts/inter.woff2"))?;
    std::fs::write(directory.join("logo.svg"), include_str!("../../public/logo.svg"))?;
    std::fs::write(directory.join("portal.js"), include_str!("../../public/portal.js"))?;
    let pages: [Page; 9] = [
        ("parts", parts),
        ("invoices", invoices),
        ("invoice", invoice),
        ("home", home),
        ("sign-in", sign_in),
        ("empty", empty),
        ("form", form),
        ("switch", switch),
        ("period", period),
    ];
    for (name, page) in pages {
        std::fs::write(directory.join(format!("{name}.html")), relative(&html(page)))?;
    }
    if arguments.next().is_some_and(|word| word == "bench") {
        let only = arguments.next();
        for (name, page) in pages {
            if only.as_deref().is_none_or(|only| only == name) {
                bench(name, page);
            }
        }
    }
    Ok(())
}

fn html(page: fn() -> AnyView) -> String {
    let owner = Owner::new();
    owner.with(|| page().to_html())
}

/// The addresses of assets, as they lie beside the pages.
fn relative(html: &str) -> String {
    html.replace(assets::css_href(), "portal.css")
        .replace(assets::font_href(), "inter.woff2")
        .replace(assets::logo_href(), "logo.svg")
        .replace(assets::icon_href(), "logo.svg")
        .replace(assets::script_href(), "portal.js")
}

/// The best of many batches: what the page costs when nothing else runs.
fn bench(name: &str, page: fn() -> AnyView) {
    let batch = 100_u32;
    let best = (0..50)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..batch {
                std::hint::black_box(html(page));
            }
            start.elapsed() / batch
        })
        .min()
        .unwrap_or_default();
    drop(portal::out::print(format_args!("{name:10} {best:?} for {} bytes", html(page).len())));
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default()
}

fn cents(value: i64) -> Decimal {
    Decimal::new(value, 2)
}

fn admin(path: &str) -> Frame {
    let nav = [
        ("Overview", "/admin"),
        ("Customers", "/admin/customers"),
        ("Meters", "/admin/meters"),
        ("Usage imports", "/admin/imports"),
        ("Tariffs", "/admin/tariffs"),
        ("Billing runs", "/admin/runs"),
        ("Invoices", "/admin/invoices"),
        ("Payments", "/admin/payments"),
        ("Audit log", "/admin/audit"),
    ];
    let mut nav: Vec<NavItem> = nav.into_iter().map(|(label, href)| NavItem::new(label, href, path)).collect();
    if let Some(item) = nav.first_mut() {
        item.current = path == "/admin";
    }
    if let Some(item) = nav.get_mut(3) {
        item.badge = "12".to_owned();
    }
    Frame {
        context: "ctx".to_owned(),
        organization: "Northwind Energy Group".to_owned(),
        client: "Harbor Light & Power".to_owned(),
        hue: 5,
        person: "Dana Whitfield".to_owned(),
        role: "Energy-company admin".to_owned(),
        nav,
        switch_href: "/switch".to_owned(),
        switch_action: "/api/switch".to_owned(),
        recent: targets(),
        ..Frame::default()
    }
}

fn customer() -> Frame {
    let items = ["Home", "Bills", "Usage", "Payments"];
    Frame {
        context: "ctx".to_owned(),
        organization: "Harbor Light & Power".to_owned(),
        client: "Account 4410-2291".to_owned(),
        hue: 9,
        person: "Maria Okafor".to_owned(),
        role: "Customer".to_owned(),
        brand: Some(Brand { name: "Harbor Light & Power".to_owned(), logo: String::new() }),
        nav: items
            .into_iter()
            .map(|label| NavItem {
                label: label.to_owned(),
                href: "#".to_owned(),
                current: label == "Home",
                ..NavItem::default()
            })
            .collect(),
        nav_on_top: true,
        ..Frame::default()
    }
}

fn targets() -> Vec<SwitchTarget> {
    [
        ("Northwind Energy Group", "Energy-company admin · Harbor Light & Power", 5, true),
        ("Cedar Valley Co-operative", "Organization admin", 0, false),
        ("Elbe Stadtwerke Verbund", "Energy-company admin · Stadtwerke Lauenburg", 8, false),
        ("Polar Kraft AB", "Customer · account 220-118", 10, false),
    ]
    .into_iter()
    .map(|(name, detail, hue, current)| SwitchTarget {
        field: ("assignment".to_owned(), name.to_owned()),
        name: name.to_owned(),
        detail: detail.to_owned(),
        hue,
        current,
    })
    .collect()
}

fn invoices() -> AnyView {
    let mut frame = admin("/admin/invoices");
    frame.flash = Some(Flash {
        link: Some(("Open it".to_owned(), "#".to_owned())),
        ..Flash::success("Payment of $142.10 recorded for invoice HL-2026-10418.")
    });
    let columns = vec![
        Column::text("Number").sorted("?sort=number", Sort::Descending),
        Column::text("Customer").sorted("?sort=customer", Sort::None),
        Column::text("Issued"),
        Column::text("Due").sorted("?sort=due", Sort::None),
        Column::text("Status"),
        Column::number("Usage", "kWh"),
        Column::number("Amount", "USD").sorted("?sort=amount", Sort::None),
        Column::number("Open", "USD"),
    ];
    let people = [
        "Maria Okafor",
        "Bayside Laundry LLC",
        "Tom Hendricks",
        "Ashgrove Primary School",
        "Li Wei",
        "Whitcombe & Daughters Bakery",
        "Sam Arrowsmith",
        "Harbor Cold Storage Inc.",
        "Priya Raman",
    ];
    let states = ["issued", "paid", "paid", "overdue", "part_paid", "paid", "credited"];
    let mut rows = Rows::new();
    for n in 0..25_usize {
        let amount = cents(14_210 + i64::try_from(n * n * n * 37).unwrap_or_default());
        let state = states.get(n % 7).copied().unwrap_or_default();
        let open = if matches!(state, "paid" | "credited") { Decimal::ZERO } else { amount };
        rows.row(|row| {
            row.name_link(&format!("/admin/invoices/{n}"), &format!("HL-2026-{}", 10_441 - n))
                .text(people.get(n % people.len()).copied().unwrap_or_default())
                .line(&format::date(day(2026, 12, 1), EN))
                .line(&format::date(day(2026, 12, 14), EN))
                .status(state)
                .number(&format::kwh(amount * Decimal::TEN, EN))
                .number(&format::money(amount, EN))
                .number(&format::money(open, EN));
        });
    }
    view! {
        <Document title="Invoices · Harbor Light & Power">
            <Shell frame=frame content=view! {
                <PageHeader
                    title="Invoices"
                    subtitle="1,240 invoices · $48,201.22 open, of which $3,110.40 overdue"
                    action="Record payment"
                    href="/admin/payments/new"
                />
                <FilterBar
                    action="/admin/invoices"
                    search="Number or customer"
                    q=""
                    selects=vec![
                        FilterSelect {
                            name: "status".to_owned(),
                            label: "Status".to_owned(),
                            value: String::new(),
                            choices: vec![Choice::new("", "All"), Choice::new("issued", "Issued"), Choice::new("overdue", "Overdue")],
                        },
                        FilterSelect {
                            name: "period".to_owned(),
                            label: "Billing period".to_owned(),
                            value: "2026-11".to_owned(),
                            choices: vec![Choice::new("2026-11", "November 2026"), Choice::new("2026-10", "October 2026")],
                        },
                    ]
                    clear="/admin/invoices"
                    csv="/admin/invoices.csv"
                />
                <DataTable caption="Invoices" columns=columns rows=rows/>
                <Pagination summary="Rows 26–50 of about 1,240" first="?" previous="?before=x" next="?after=y"/>
            }.to_html()/>
        </Document>
    }
    .into_any()
}

fn days_table(what: &str) -> impl IntoView + use<> {
    let mut rows = Rows::new();
    for n in 1..=6_u32 {
        let kwh = Decimal::new(18_420 + i64::from(n) * 731, 3);
        rows.row(|row| {
            row.name(&format::date(day(2026, 11, n), EN))
                .number(&format::kwh(kwh, EN))
                .number("0.1182")
                .number(&format::money(kwh * Decimal::new(1182, 4), EN));
        });
    }
    let mut foot = Rows::new();
    foot.row(|row| {
        row.name("Sum").number("500.000").empty().number("59.10");
    });
    view! {
        <DataTable
            caption=format!("Days behind {what}")
            columns=vec![Column::text("Day"), Column::number("Usage", "kWh"), Column::number("Price", "USD/kWh"), Column::number("Amount", "USD")]
            rows=rows
            foot=foot
        />
    }
}

fn bill() -> impl IntoView {
    view! {
        <Bill currency="USD">
            <BillLine label="Energy, first 500 kWh" how="500.000 kWh × $0.1182" amount="59.10">{days_table("the first 500 kWh")}</BillLine>
            <BillLine label="Energy, above 500 kWh" how="298.640 kWh × $0.1391" amount="41.54">{days_table("what lies above 500 kWh")}</BillLine>
            <BillLine label="Demand, highest on Nov 18, 6:15 pm" how="4.820 kW × $4.10" amount="19.76">
                <p>"The highest average over 15 minutes in the billing period."</p>
            </BillLine>
            <BillLine label="Service charge" how="30 days × $0.42" amount="12.60"/>
            <BillSum label="Before tax" amount="133.00"/>
            <BillSum label="City utility tax, 6.84 % of 133.00" amount="9.10"/>
            <BillSum label="Total" amount="142.10" total=true/>
        </Bill>
    }
}

fn compare() -> impl IntoView {
    let rows = [
        ("November 2026", 14_210, "$142.10", "", true),
        ("October 2026", 12_390, "$123.90", "$18.20 more now", false),
        ("November 2025", 15_122, "$151.22", "$9.12 less now", false),
    ]
    .into_iter()
    .map(|(label, value, text, note, current)| Comparison {
        label: label.to_owned(),
        value: cents(value),
        text: text.to_owned(),
        note: note.to_owned(),
        current,
    })
    .collect();
    view! {
        <CompareBars
            title="This bill against earlier ones"
            description="$18.20 more than October: 96 kWh more usage added $13.35, two more days $0.84, the rest is tax and demand."
            rows=rows
        />
    }
}

fn invoice() -> AnyView {
    let mut frame = admin("/admin/invoices");
    frame.crumbs = vec![Crumb::new("Invoices", "/admin/invoices"), Crumb::new("HL-2026-10441", "")];
    frame.staff = true;
    frame.staff_note = "Reading only".to_owned();
    frame.step_up = "/staff/step-up".to_owned();
    let rows = vec![
        SummaryRow::view("Customer", view! { <a href="/admin/customers/1">"Maria Okafor"</a> }),
        SummaryRow::new("Account", "4410-2291"),
        SummaryRow::new("Billing period", format::date_range(day(2026, 11, 1), day(2026, 11, 30), EN)),
        SummaryRow::new("Issued", format::date(day(2026, 12, 1), EN)),
        SummaryRow::new("Due", format::date(day(2026, 12, 14), EN)).action("Change", "#"),
        SummaryRow::new("Paid", ""),
    ];
    let events = vec![
        Event {
            title: "Sent by email to maria@example.com".to_owned(),
            by: "System".to_owned(),
            at: "Dec 1, 2026, 9:14 am".to_owned(),
            datetime: "2026-12-01T09:14:00Z".to_owned(),
            tone: Tone::Good,
            ..Event::default()
        },
        Event {
            title: "Issued as HL-2026-10441".to_owned(),
            by: "Dana Whitfield".to_owned(),
            at: "Dec 1, 2026, 9:12 am".to_owned(),
            datetime: "2026-12-01T09:12:00Z".to_owned(),
            detail: "With 1,203 others of November 2026.".to_owned(),
            tone: Tone::Info,
        },
        Event {
            title: "Rated".to_owned(),
            by: "Billing run 311".to_owned(),
            at: "Nov 30, 2026, 11:02 pm".to_owned(),
            datetime: "2026-11-30T23:02:00Z".to_owned(),
            ..Event::default()
        },
    ];
    view! {
        <Document title="Invoice HL-2026-10441 · Harbor Light & Power">
            <Shell frame=frame content=view! {
                <PageHeader title="Invoice HL-2026-10441" action="Record payment" href="#" second="PDF" second_href="#">
                    <Status value="issued"/>
                </PageHeader>
                <div class="columns">
                    <div>
                        {bill()}
                        <section class="section">{compare()}</section>
                    </div>
                    <div class="stack">
                        <SummaryList rows=rows/>
                        <Section title="What happened" link="Audit log" href="#"><Timeline events=events/></Section>
                        <ConfirmPanel
                            open="Credit this invoice…"
                            title="Credit invoice HL-2026-10441 in full?"
                            consequences=vec!["A credit note over $142.10 is issued to Maria Okafor.".to_owned(), "Her balance changes from $142.10 owed to $0.00.".to_owned(), "The invoice stays on record and can no longer be paid.".to_owned()]
                            label="Issue credit note over $142.10"
                            action="/api/credit"
                            context="ctx"
                        >
                            <Field name="reason" label="Reason" hint="The customer reads this on the credit note."/>
                        </ConfirmPanel>
                    </div>
                </div>
            }.to_html()/>
        </Document>
    }
    .into_any()
}

fn tou_chart(id: &'static str) -> impl IntoView {
    let values = |base: i64, swing: i64| -> Vec<Decimal> {
        (0..30_i64)
            .map(|n| Decimal::new(base + (n * 37 % 11) * swing + if n % 7 > 4 { base / 2 } else { 0 }, 1))
            .collect()
    };
    view! {
        <BarChart
            id=id
            title="Usage by day, November 2026"
            description="Highest on 12 November with 48.2 kWh; most usage is off-peak."
            unit="kWh"
            label_head="Day"
            labels={(1..=30).map(|n| n.to_string()).collect()}
            names={(1..=30).map(|n| format::date(day(2026, 11, n), EN)).collect()}
            series=vec![
                Series { name: "Off-peak".to_owned(), tone: SeriesTone::OffPeak, values: values(90, 7) },
                Series { name: "Mid-peak".to_owned(), tone: SeriesTone::MidPeak, values: values(50, 5) },
                Series { name: "On-peak".to_owned(), tone: SeriesTone::OnPeak, values: values(40, 4) },
            ]
        />
    }
}

fn year_map(id: &'static str) -> impl IntoView {
    let rows = (1..=12_u32)
        .map(|month| HeatRow {
            label: format::short_month(day(2026, month, 1), EN),
            values: (1..=31_u32)
                .map(|n| {
                    NaiveDate::from_ymd_opt(2026, month, n).filter(|date| *date <= day(2026, 11, 30)).map(|_| {
                        let season = i64::from((month + 5) % 12).abs_diff(6);
                        Decimal::new(
                            i64::try_from(60 + season * 28).unwrap_or_default() + i64::from(n * 53 % 17) * 6,
                            1,
                        )
                    })
                })
                .collect(),
        })
        .collect::<Vec<_>>();
    view! {
        <UsageHeatMap
            id=id
            title="Usage of each day, 2026"
            description="Most in January and July; least in April."
            unit="kWh"
            row_head="Month"
            columns={(1..=31).map(|n| n.to_string()).collect()}
            rows=rows
        />
    }
}

fn home() -> AnyView {
    view! {
        <Document title="Home · Harbor Light & Power" body_class="roomy">
            <Shell frame=customer() content=view! {
                <PageHeader title="Good morning, Maria" subtitle="14 Quay Street, Harbor City"/>
                <div class="columns">
                    <AmountDue label="You owe" amount="$142.10" due="Due 14 December">
                        <ButtonLink label="Pay $142.10" href="#"/>
                        <ButtonLink label="See the bill" href="#" kind=Kind::Secondary/>
                    </AmountDue>
                    <Section title="Why $142.10">
                        <SummaryList rows=vec![
                            SummaryRow::new("Usage", "798.640 kWh"),
                            SummaryRow::new("Average price", "$0.1665 per kWh"),
                            SummaryRow::new("Days", "30"),
                            SummaryRow::new("Since October", "$18.20 more"),
                        ]/>
                    </Section>
                </div>
                <Section title="Your bill, line by line">{bill()}</Section>
                <section class="section">{compare()}</section>
                <Section title="Your usage" link="Usage by hour" href="#">
                    <div class="stack">{tou_chart("days")}{year_map("year")}</div>
                </Section>
            }.to_html()/>
        </Document>
    }
    .into_any()
}

fn sign_in() -> AnyView {
    view! {
        <Document title="Sign in">
            <Plain title="Sign in" lead="Use the email address your energy company has for you.">
                <ErrorSummary errors=vec![FieldError { field: "email".to_owned(), message: "Email address and password do not match".to_owned() }]/>
                <PostForm action="/api/sign_in" context="" class="form">
                    <Field name="email" label="Email address" kind="email" value="maria@example.com" autocomplete="username" error="Email address and password do not match"/>
                    <Field name="password" label="Password" kind="password" autocomplete="current-password"/>
                    <Button label="Sign in"/>
                </PostForm>
                <p>"Forgotten your password? "<a href="#">"Get a link to set a new one"</a>"."</p>
            </Plain>
        </Document>
    }
    .into_any()
}

fn switch() -> AnyView {
    view! {
        <Document title="Choose what to open">
            <Plain title="Choose what to open" lead="You can switch later from every page.">
                <Switcher context="ctx" action="/api/switch" targets=targets()/>
            </Plain>
        </Document>
    }
    .into_any()
}

fn empty() -> AnyView {
    let mut frame = admin("/admin/customers");
    frame.organization = "Cedar Valley Co-operative".to_owned();
    frame.client = String::new();
    frame.hue = 0;
    view! {
        <Document title="Customers · Cedar Valley Co-operative">
            <Shell frame=frame content=view! {
                <PageHeader title="Customers"/>
                <EmptyState title="No customers yet" text="Customers and their meters come from a file of your own, or one at a time." action="New customer" href="#"/>
            }.to_html()/>
        </Document>
    }
    .into_any()
}

fn form() -> AnyView {
    let mut frame = admin("/admin/customers");
    frame.crumbs = vec![Crumb::new("Customers", "#"), Crumb::new("New customer", "")];
    view! {
        <Document title="New customer · Harbor Light & Power">
            <Shell frame=frame content=view! {
                <ErrorSummary errors=vec![
                    FieldError { field: "account".to_owned(), message: "Account number 4410-2291 is taken by Maria Okafor".to_owned() },
                    FieldError { field: "zone".to_owned(), message: "Choose a time zone".to_owned() },
                ]/>
                <PageHeader title="New customer"/>
                <PostForm action="/api/create_customer" context="ctx" class="form" multipart=true>
                    <Field name="name" label="Name" value="Tom Hendricks" autocomplete="off"/>
                    <Field name="account" label="Account number" value="4410-2291" hint="As on earlier bills." error="Account number 4410-2291 is taken by Maria Okafor" width="w10"/>
                    <SelectField name="zone" label="Time zone" choices=vec![Choice::new("", "Choose…"), Choice::new("America/New_York", "New York")] error="Choose a time zone"/>
                    <DateField name="from" label="Served from" value="2026-12-01"/>
                    <Field name="deposit" label="Deposit" unit="USD" width="w10" inputmode="decimal" optional=true value="120.00"/>
                    <Radios name="kind" label="Kind" value="home" choices=vec![Choice::new("home", "Household"), Choice::new("business", "Business")]/>
                    <TextArea name="note" label="Note" optional=true value="Gate code 4711\nDog."/>
                    <FileField name="file" label="Contract" hint="PDF, up to 10 MB." accept=".pdf"/>
                    <Checkbox name="paperless" label="Send bills by email" checked=true hint="Otherwise by post."/>
                    <div class="actions"><Button label="Create customer"/><ButtonLink label="Cancel" href="#" kind=Kind::Secondary/></div>
                </PostForm>
            }.to_html()/>
        </Document>
    }
    .into_any()
}

fn stats() -> Vec<Stat> {
    [
        ("Customers billed", "19,988", "12 have exceptions", Tone::Warn),
        ("Usage", "16.2 GWh", "3.1% more than October", Tone::Neutral),
        ("To be invoiced", "$2,184,402.18", "$104.20 a customer", Tone::Neutral),
        ("Arrears", "$3,110.40", "14 customers, oldest 41 days", Tone::Bad),
    ]
    .into_iter()
    .map(|(label, value, note, tone)| Stat {
        label: label.to_owned(),
        value: value.to_owned(),
        note: note.to_owned(),
        href: String::new(),
        tone,
    })
    .collect()
}

fn steps() -> Vec<String> {
    ["Open", "Rated", "Approved", "Issued"].map(str::to_owned).to_vec()
}

fn period() -> AnyView {
    let mut frame = admin("/admin/periods");
    frame.crumbs = vec![Crumb::new("Billing runs", "#"), Crumb::new("Due by Dec 1, 2026", "")];
    frame.organization = "Elbe Stadtwerke Verbund".to_owned();
    frame.client = "Stadtwerke Lauenburg".to_owned();
    frame.hue = 8;
    view! {
        <Document title="November 2026 · Stadtwerke Lauenburg">
            <Shell frame=frame content=view! {
                <PageHeader title="November 2026" subtitle="Nov 1 – Nov 30, 2026 · 20,000 customers" second="Rate again" second_href="#"><Status value="rated"/></PageHeader>
                <Steps label="Billing run" steps=steps() current=1/>
                <Progress label="Rated" value=1_200 most=Some(10_000) text="1,200 of 10,000 customers"/>
                <Tabs label="Billing run" tabs=vec![Tab::new("Totals", "#", true), Tab::new("Exceptions (12)", "#", false), Tab::new("Customers", "#", false), Tab::new("Runs", "#", false)]/>
                <Stats stats=stats()/>
                <Section title="Before you approve">
                    <div class="stack">
                        <Notice tone=Tone::Warn title="12 contracts are held">
                            <p>"They hold nobody else; the next run takes them over. "<a href="#">"See the 12 exceptions"</a></p>
                        </Notice>
                        <ConfirmPanel
                            open="Approve…"
                            kind=Kind::Primary
                            shown=true
                            title="Approve November 2026 for 19,988 customers?"
                            consequences=vec!["19,988 draft invoices over $2,184,402.18 can then be issued.".to_owned(), "12 customers stay out.".to_owned(), "Rating again needs the approval to be withdrawn.".to_owned()]
                            label="Approve 19,988 invoices"
                            action="/api/approve"
                            context="ctx"
                        />
                    </div>
                </Section>
                <Section title="Usage">{tou_chart("days")}</Section>
            }.to_html()/>
        </Document>
    }
    .into_any()
}

fn parts() -> AnyView {
    let states = [
        "draft",
        "issued",
        "part_paid",
        "paid",
        "overdue",
        "credited",
        "open",
        "rated",
        "approved",
        "closed",
        "estimated",
        "failed",
    ];
    let notices = [Tone::Info, Tone::Good, Tone::Warn, Tone::Bad, Tone::Neutral]
        .into_iter()
        .map(|tone| view! { <Notice tone=tone title="Title of a notice"><p>"What happened, what was kept, "<a href="#">"how to go on"</a>"."</p></Notice> })
        .collect_view();
    let hues = (0..12_u8)
        .map(|hue| {
            view! {
                <div class=format!("shell-sample hue-{hue}")>
                    <div class="bar"><div class="place"><span class="place-mark">{hue}</span><span class="place-names"><strong>"Organization "{hue}</strong><span class="place-client">"A client"</span></span></div></div>
                </div>
            }
        })
        .collect_view();
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let hours = (0..24_usize)
        .map(|hour| HeatRow {
            label: format!("{hour:02}"),
            values: (0..365_usize).map(|n| Some(Decimal::from((n * 7 + hour * hour * 3) % 97))).collect(),
        })
        .collect::<Vec<_>>();
    view! {
        <Document title="Parts">
            <Shell frame=admin("/admin") content=view! {
                <PageHeader title="Parts" subtitle="Everything once."/>
                <div class="stack">
                    <div class="actions">
                        <Button label="Primary"/><Button label="Secondary" kind=Kind::Secondary/><Button label="Danger" kind=Kind::Danger/>
                        <ButtonLink label="Link" href="#" kind=Kind::Secondary/>
                    </div>
                    <div class="actions">{states.map(|state| view! { <Status value=state/> }).collect_view()}</div>
                    {notices}
                    <Stats stats=stats()/>
                    <div>{hues}</div>
                    <BarChart id="months" title="Usage by month" description="Most in July." unit="kWh" label_head="Month"
                        labels=months.map(str::to_owned).to_vec()
                        series=vec![
                            Series { name: "Used".to_owned(), tone: SeriesTone::Usage, values: (0..12_i64).map(|n| Decimal::from(400 + n * 97 % 311)).collect() },
                            Series { name: "Exported".to_owned(), tone: SeriesTone::Export, values: (0..12_i64).map(|n| Decimal::from(40 + n * 31 % 111)).collect() },
                        ] places=0/>
                    <UsageHeatMap id="hours" title="Usage by hour, 2026" description="Evenings." unit="kWh" row_head="Hour" csv="#"
                        columns={(1..=365).map(|n| n.to_string()).collect()} rows=hours/>
                    <BarChart id="none" title="No usage yet" description="Nothing measured." unit="kWh" label_head="Day"
                        labels=Vec::new() series=vec![Series::default()]/>
                    <Pagination summary="3 customers"/>
                </div>
            }.to_html()/>
        </Document>
    }
    .into_any()
}
