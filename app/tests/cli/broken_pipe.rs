//! A reader that went away ends the printing, not the command, and nothing panics.

use super::runs::*;

/// Runs with an output whose reader is gone before the command begins.
fn unread(args: &[&str], errors_too: bool) -> (Option<i32>, String) {
    let gone = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer
    };
    let mut command = portal(args);
    command.stdout(gone());
    if errors_too {
        command.stderr(gone());
    } else {
        command.stderr(Stdio::piped());
    }
    let output = command.output().unwrap();
    (output.status.code(), text(&output.stderr))
}

#[test]
fn a_command_whose_output_nobody_reads_ends_with_its_own_exit_code() {
    let (tariff, usage) =
        (reference("urdb/tiered_tou_with_demand.json"), reference("usage/residential_hourly_2018.csv"));
    let rate = ["rate", "--tariff", &tariff, "--usage", &usage, "--zone", "UTC"];
    let text_rate = [&rate[..], &["--format", "text"]].concat();
    let commands: [&[&str]; 7] = [
        &rate,
        &text_rate,
        &["tariff", "schema"],
        &["tariff", "check", &tariff],
        &["tariff", "convert", &tariff, "--zone", "UTC"],
        &["--help"],
        &["--version"],
    ];
    for command in commands {
        for errors_too in [false, true] {
            assert_eq!(unread(command, errors_too), (Some(0), String::new()), "{command:?}");
        }
    }
    // Faults keep their exit code, and so do commands that need a database and have none.
    assert_eq!(unread(&["tariff", "check", "/nonexistent"], true).0, Some(2));
    for command in
        [&["check"][..], &["db", "url", "--role", "app"], &["migrate", "status"], &["demo"], &["bench", "pages"]]
    {
        let mut portal = portal(&[&["--database-url", "postgres://nobody@127.0.0.1:1/nothing"], command].concat());
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let status = portal.stdout(writer.try_clone().unwrap()).stderr(writer).status().unwrap();
        assert_eq!(status.code(), Some(1), "{command:?}");
    }
}

#[test]
fn a_full_disk_is_told() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = portal(&["tariff", "schema"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("the output cannot be written"));
}
