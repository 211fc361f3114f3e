//! Files of holidays: read with the inventory, kept with a run, and refused at their own lines.

use std::fs;
use std::path::Path;

use jiff::civil::date;

use crate::inventory::Inventory;
use crate::problem::Problems;

const ICS: &str = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20271125\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20201225\r\nRRULE:FREQ=YEARLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

fn text(holidays: &str) -> String {
    format!(
        "environment: p\nvendors:\n  a:\n    timezone: Europe/Berlin\n    coverage:\n      hours: Mon-Fri 08:00-18:00\n      holidays: {holidays}\n"
    )
}

fn load(folder: &Path, holidays: &str) -> Result<Inventory, Problems> {
    let path = folder.join("inventory.yaml");
    fs::write(&path, text(holidays)).unwrap();
    Inventory::load(&path)
}

/// Its only problem: where, what and what to do.
fn refused(folder: &Path, holidays: &str) -> String {
    let problems = load(folder, holidays).unwrap_err().into_vec();
    assert_eq!(problems.len(), 1, "{holidays}: {problems:?}");
    let name = problems[0].place.file.file_name().unwrap();
    let (line, column) = (problems[0].place.line, problems[0].place.column);
    format!(
        "{}:{line}:{column}: {} ({})",
        name.to_string_lossy(),
        problems[0].message,
        problems[0].hint
    )
}

#[test]
fn days_and_files_of_days_are_one_list_and_kept_with_a_run() {
    let at = tempfile::tempdir().unwrap();
    fs::create_dir(at.path().join("calendars")).unwrap();
    fs::write(at.path().join("calendars/us.ics"), ICS).unwrap();
    fs::write(
        at.path().join("ours.yaml"),
        "# ours\n- 2026-12-24\n- 2027-12-24\n",
    )
    .unwrap();
    let list = "[2026-12-31, calendars/us.ics, {file: ours.yaml, until: 2028-06-30}]";
    let inventory = load(at.path(), list).unwrap();
    let vendor = &inventory.vendors[0];
    let hours = vendor.coverage.as_ref().unwrap().of(None).unwrap();
    for day in [
        date(2026, 12, 31),
        date(2027, 11, 25),
        date(2026, 12, 25),
        date(2050, 12, 25),
        date(2027, 12, 24),
    ] {
        assert!(hours.holidays.contains(&day), "{day}");
    }
    assert!(!hours.holidays.contains(&date(2026, 11, 25)));
    let ends: Vec<_> = (vendor.holiday_files.iter())
        .map(|file| (file.file.as_str(), file.end))
        .collect();
    assert_eq!(
        ends,
        [
            ("calendars/us.ics", Some(date(2027, 11, 25))),
            ("ours.yaml", Some(date(2028, 6, 30))),
        ]
    );
    // Read again from what a run keeps, with neither file on the disk.
    let records = inventory.records();
    let names: Vec<&str> = records.keys().map(String::as_str).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names[0].ends_with(".holidays.yaml") && names[1].ends_with(".holidays.ics"));
    assert_eq!(records[names[1]], ICS.as_bytes());
    let elsewhere = Path::new("elsewhere/inventory.yaml");
    let bytes = text(list).into_bytes();
    let again = Inventory::parse_recorded(elsewhere, bytes.clone(), &records).unwrap();
    assert_eq!(again.vendors, inventory.vendors);
    assert_eq!(again.records(), records);
    // What a run did not keep is read from nowhere else.
    let none = Inventory::parse_recorded(&inventory.path, bytes, &Default::default());
    let none = none.unwrap_err().into_vec();
    assert_eq!(none.len(), 2, "{none:?}");
    assert!(none[0].message.contains("kept no copy"), "{none:?}");
    // Twice the same file is one.
    fs::write(at.path().join("once.ics"), ICS).unwrap();
    let twice = "[once.ics]\n    release_windows: {hours: Sat 08:00-10:00, holidays: [once.ics]}";
    let twice = load(at.path(), twice).unwrap();
    assert_eq!(twice.vendors[0].holiday_files.len(), 1);
    assert_eq!(twice.records().len(), 1);
}

#[test]
fn a_file_that_is_none_is_refused_where_it_is_wrong() {
    let at = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| fs::write(at.path().join(name), text).unwrap();
    let refused = |holidays: &str| refused(at.path(), holidays);
    let missing = refused("[us.ics]");
    assert!(
        missing.starts_with("inventory.yaml:7:18: cannot read the holidays `us.ics`: No such file"),
        "{missing}"
    );
    fs::create_dir(at.path().join("folder.ics")).unwrap();
    assert!(refused("[folder.ics]").contains("no regular file"));
    write("latin.ics", b"BEGIN:VCALENDAR\nX:\xe9\n");
    assert!(refused("[latin.ics]").contains("not UTF-8"));
    let huge = fs::File::create(at.path().join("huge.ics")).unwrap();
    huge.set_len(2 << 20).unwrap();
    assert!(refused("[huge.ics]").contains("more than 1"));
    write("rule.ics", ICS.replace("YEARLY", "WEEKLY").as_bytes());
    let rule = refused("[rule.ics]");
    assert!(
        rule.starts_with(
            "rule.ics:7:1: this RRULE is not understood: FREQ=WEEKLY (a holiday comes once"
        ),
        "{rule}"
    );
    write("day.yaml", b"- 2026-12-25\n- 2027-02-29\n");
    let day = refused("[day.yaml]");
    assert!(
        day.starts_with("day.yaml:2:3: `holidays`: cannot read `2027-02-29`"),
        "{day}"
    );
    write("twice.yaml", b"- 2026-12-25\n- 2026-12-25\n");
    assert!(
        refused("[twice.yaml]").starts_with("twice.yaml:2:3: `holidays` names 2026-12-25 twice")
    );
    for (name, text) in [("empty.yaml", ""), ("list.yaml", "[]\n")] {
        write(name, text.as_bytes());
        assert!(
            refused(&format!("[{name}]")).contains("names no day"),
            "{name}"
        );
    }
    write("map.yaml", b"days: [2026-12-25]\n");
    assert!(refused("[map.yaml]").starts_with("map.yaml:1:1: "));
    // What is neither a day nor a file, and a map that is mistyped.
    assert!(refused("[christmas]").contains("write a day as year, month and day"));
    assert!(refused("[{file: days.txt}]").contains("no file of days"));
    assert!(refused("[{until: 2027-12-31}]").contains("has no `file`"));
    write("well.ics", ICS.as_bytes());
    assert!(refused("[{file: well.ics, untill: 2027-12-31}]").contains("did you mean `until`"));
    assert!(load(at.path(), "[{file: well.ics, until: 2027-12-31}]").is_ok());
}
