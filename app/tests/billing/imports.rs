//! The same file again: for the same meter it changes nothing that is there, for another one it is a new file.

use super::support::database::Case;
use super::support::http::Browser;
use super::support::sql::Sql;
use super::support::world::{Kind, client, id};
use super::{CLEO, usage};

/// Sends a file of two hours that does not name its meter; what the next page says.
async fn import(browser: &Browser, serial: &str, kwh: &str) -> String {
    let (path, context) = (format!("/clients/{}/imports", client(1, 1)), CLEO.context_token());
    let file = format!("interval_start,kwh\r\n2026-11-02T00:00:00+01:00,{kwh}\r\n2026-11-02T01:00:00+01:00,{kwh}");
    let answer = browser.upload(&path, &context, serial, &file).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    browser.get(answer.location()).await.body
}

/// The first value kept of a customer's meter.
async fn kept(looker: &Sql, k: u8) -> String {
    let meter = id(Kind::Meter, 1, 1, k, 1);
    looker.value(&format!("SELECT wh[1] FROM interval_days WHERE meter_id = '{meter}' AND day = '2026-11-02'")).await
}

#[tokio::test]
async fn a_file_imported_for_one_meter_is_new_for_another() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    usage(&looker).await;
    assert!(!import(&browser, "M-1", "3").await.contains("nothing changed"));
    assert_eq!((kept(&looker, 1).await, kept(&looker, 2).await), ("3000".to_owned(), "1000".to_owned()));
    let told = import(&browser, "M-2", "3").await;
    assert!(!told.contains("nothing changed") && told.contains("2 replaced"), "{told}");
    assert_eq!(kept(&looker, 2).await, "3000");
    // For the same meter it is the same file still: a correction made since stays.
    import(&browser, "M-1", "4").await;
    let told = import(&browser, "M-1", "3").await;
    assert!(told.contains("nothing changed"), "{told}");
    assert_eq!(kept(&looker, 1).await, "4000");
}

/// Sends a file; the address of its import, and what its page says.
async fn sent(browser: &Browser, serial: &str, said: &[(&str, &str)], file: &str) -> (String, String) {
    let (path, context) = (format!("/clients/{}/imports", client(1, 1)), CLEO.context_token());
    let answer = browser.upload_saying(&path, &context, serial, said, file).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let page = answer.location().to_owned();
    (page.clone(), browser.get(&page).await.body)
}

/// Hours of a day in November, local to Berlin.
fn hours(day: &str, row: impl Fn(u32) -> String) -> String {
    (0..24).map(|hour| format!("2026-11-{day}T{hour:02}:00:00+01:00,{}\n", row(hour))).collect()
}

#[tokio::test]
async fn values_below_zero_are_refused_line_by_line_and_split_where_a_person_says_that_the_column_is_net() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let sun = |hour: u32| if hour == 12 { "-2.5".to_owned() } else { "1".to_owned() };
    let file = format!("interval_start,kwh\n{}", hours("12", sun));
    let (_, told) = sent(&browser, "M-1", &[], &file).await;
    assert!(told.contains("23 new values, 1 rejected") && told.contains("is below zero"), "{told}");
    looker
        .must(&format!(
            "INSERT INTO meters (organization_id, client_id, id, service_point_id, serial, direction, kind, interval_minutes, time_zone, valid_from)
             SELECT organization_id, client_id, gen_random_uuid(), service_point_id, serial, 'export', kind, interval_minutes, time_zone, valid_from
             FROM meters WHERE client_id = '{}' AND serial = 'M-1'",
            client(1, 1)
        ))
        .await;
    let (_, told) = sent(&browser, "M-1", &[("values", "net"), ("decimal", "")], &file).await;
    assert!(told.contains("25 new values") && !told.contains("rejected."), "{told}");
    let of = |direction: &str| {
        format!(
            "SELECT total_wh FROM interval_days d JOIN meters m ON m.id = d.meter_id
             WHERE m.client_id = '{}' AND m.serial = 'M-1' AND m.direction = '{direction}' AND day = '2026-11-12'",
            client(1, 1)
        )
    };
    assert_eq!((looker.value(&of("import")).await, looker.value(&of("export")).await), ("23000".into(), "2500".into()));
}

#[tokio::test]
async fn a_mistyped_serial_costs_its_line_only() {
    let case = Case::world().await;
    let portal = case.portal().await;
    let browser = portal.browser_of(CLEO);
    let row = |hour: u32| if hour == 5 { "1,M-l".to_owned() } else { "1,M-1".to_owned() };
    let file = format!("interval_start,kwh,meter\n{}", hours("13", row));
    let (_, told) = sent(&browser, "", &[], &file).await;
    assert!(told.contains("23 new values, 1 rejected") && told.contains("No meter has the serial M-l"), "{told}");
    let (_, told) = sent(&browser, "m-1", &[], &file.replace("2026-11-13", "2026-11-14")).await;
    assert!(told.contains("23 new values, 1 rejected") && told.contains("name the meter M-l"), "{told}");
}

#[tokio::test]
async fn figures_that_may_be_two_numbers_wait_for_a_person_to_say_which() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let file = format!("interval_start;kwh\n{}", hours("15", |_| "1.234".to_owned()).replace(",", ";"));
    let (page, told) = sent(&browser, "M-1", &[], &file).await;
    assert!(page.ends_with("/new") && told.contains("1.234 or 1234 kWh"), "{page} {told}");
    let (_, told) = sent(&browser, "M-1", &[("decimal", "point")], &file).await;
    assert!(told.contains("24 new values"), "{told}");
    let meter = id(Kind::Meter, 1, 1, 1, 1);
    let stored = format!("SELECT total_wh FROM interval_days WHERE meter_id = '{meter}' AND day = '2026-11-15'");
    assert_eq!(looker.value(&stored).await, "29616");
}

/// Two days of two registers in half-hours, the second day of the second register only where it is told.
fn registers(second: &[&str]) -> String {
    let day = |date: &str, kwh: &str| format!("300,{date},{}A,,,20261120000000,\n", format!("{kwh},").repeat(48));
    let of = |register: &str, days: &[&str], kwh: &str| {
        let days: String = days.iter().map(|date| day(date, kwh)).collect();
        format!("200,4001234567,E1E2,{register},{register},,M-1,KWH,30,\n{days}")
    };
    let first = of("E1", &["20261117", "20261118"], "0.5");
    format!("100,NEM12,202611200900,MDP1,RETAIL1\n{first}{}900\n", of("E2", second, "0.25"))
}

#[tokio::test]
async fn a_day_that_one_of_several_registers_lacks_is_not_taken_and_a_file_of_one_register_is_no_total() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let meter = id(Kind::Meter, 1, 1, 1, 1);
    looker
        .must(&format!("UPDATE meters SET interval_minutes = 30, time_zone = 'Etc/GMT-10' WHERE id = '{meter}'"))
        .await;
    let (_, told) = sent(&browser, "", &[], &registers(&["20261117"])).await;
    assert!(told.contains("register E2") && told.contains("no values on 2026-11-18"), "{told}");
    let days = format!(
        "SELECT string_agg(day || ' ' || total_wh, ', ') FROM interval_days WHERE meter_id = '{meter}' AND day >= '2026-11-16'"
    );
    assert_eq!(looker.value(&days).await, "2026-11-17 36000", "24 kWh and 12 kWh; the day that E2 lacks is not there");
    let names = format!("SELECT array_to_string(registers, '+') FROM meters WHERE id = '{meter}'");
    assert_eq!(looker.value(&names).await, "E1+E2", "the file told them");
    let alone = registers(&["20261118"]).replace("200,4001234567,E1E2,E2,E2,,M-1", "200,4001234567,E1E2,Q2,Q2,,M-1");
    let (_, told) = sent(&browser, "", &[], &alone).await;
    assert!(told.contains("a part is no total"), "{told}");
    assert_eq!(looker.value(&days).await, "2026-11-17 36000");
    let (_, told) = sent(&browser, "", &[], &registers(&["20261117", "20261118"])).await;
    assert!(told.contains("48 new values"), "{told}");
    assert_eq!(looker.value(&days).await, "2026-11-17 36000, 2026-11-18 36000");
}

#[tokio::test]
async fn from_a_day_on_intervals_may_be_shorter_and_a_part_of_a_day_does_not_take_a_whole_ones_place() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let quarters = |day: &str, until: u32| -> String {
        (0..until * 4).map(|at| format!("2026-11-{day}T{:02}:{:02}:00+01:00,0.0625\n", at / 4, at % 4 * 15)).collect()
    };
    let file = format!(
        "interval_start,kwh\n{}{}",
        hours("16", |_| "1".to_owned()) + &hours("17", |_| "1".to_owned()),
        quarters("18", 24)
    );
    let (_, told) = sent(&browser, "M-1", &[], &file).await;
    assert!(
        told.contains("144 new values") && told.contains("from 2026-11-18 on intervals are 15 minutes long"),
        "{told}"
    );
    let meter = id(Kind::Meter, 1, 1, 1, 1);
    let days = format!(
        "SELECT string_agg(interval_minutes || ' ' || total_wh, ', ' ORDER BY day) FROM interval_days WHERE meter_id = '{meter}' AND day >= '2026-11-16'"
    );
    assert_eq!(looker.value(&days).await, "60 24000, 60 24000, 15 6000", "sixteenths of a kWh are 6 kWh and not 6.048");
    let part = format!("interval_start,kwh\n{}{}", quarters("17", 12), hours("19", |_| "1".to_owned()));
    let (_, told) = sent(&browser, "M-1", &[], &part).await;
    assert!(told.contains("Import the whole day"), "{told}");
    assert_eq!(looker.value(&days).await, "60 24000, 60 24000, 15 6000, 60 24000");
}

/// A Green Button file of a day with two channels of one usage point, of these lengths.
fn channels(lengths: [u32; 2]) -> String {
    let point = "/UsagePoint/M-1";
    let link = |rel: &str, href: String| format!("<link rel=\"{rel}\" href=\"{href}\"/>");
    let mut feed = format!("<feed><entry>{}<content><UsagePoint/></content></entry>", link("self", point.to_owned()));
    feed += &format!(
        "<entry>{}<content><ReadingType><uom>72</uom><flowDirection>1</flowDirection></ReadingType></content></entry>",
        link("self", "/ReadingType/1".to_owned())
    );
    for (at, minutes) in (1..).zip(lengths) {
        let channel = format!("{point}/MeterReading/{at}");
        let (own, kind) = (link("self", channel.clone()), link("related", "/ReadingType/1".to_owned()));
        feed += &format!("<entry>{own}{kind}<content><MeterReading/></content></entry>");
        let up = link("up", format!("{channel}/IntervalBlock"));
        feed += &format!("<entry>{up}<content><IntervalBlock>");
        for slot in 0..1440 / minutes {
            // 20 November 2026 begins at 23:00 UTC of the day before.
            let (start, seconds) = (1_795_129_200 + slot * minutes * 60, minutes * 60);
            feed += &format!(
                "<IntervalReading><timePeriod><duration>{seconds}</duration><start>{start}</start></timePeriod><value>{}</value></IntervalReading>",
                minutes * 10 + at
            );
        }
        feed += "</IntervalBlock></content></entry>";
    }
    feed + "</feed>"
}

#[tokio::test]
async fn hours_and_quarter_hours_of_one_usage_point_are_not_added_up() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let meter = id(Kind::Meter, 1, 1, 1, 1);
    let stored = format!(
        "SELECT coalesce(sum(total_wh), 0) FROM interval_days WHERE meter_id = '{meter}' AND day = '2026-11-20'"
    );
    let (_, told) = sent(&browser, "", &[], &channels([60, 15])).await;
    assert!(told.contains("the same energy twice"), "{told}");
    assert_eq!(looker.value(&stored).await, "0");
    let (_, told) = sent(&browser, "", &[], &channels([60, 60])).await;
    assert!(told.contains("24 new values"), "{told}");
    assert_eq!(looker.value(&stored).await, (24 * (601 + 602)).to_string(), "two channels that differ are registers");
}
