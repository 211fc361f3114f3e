//! What the practice inventory says of its two vendors: all of it well on the day of the demo, so that
//! dates are told from that day.

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::vendor_side::{ACCOUNT, Places, inbox, post, uploads};
use crate::time;

/// A go-live that lies outside every window of [`section`]: a Monday noon, days ahead.
pub(super) fn go_live(now: Timestamp) -> Timestamp {
    let today = TimeZone::UTC.to_datetime(now).date();
    let monday = today.nth_weekday(1, Weekday::Monday).unwrap_or(today);
    let noon = monday.to_datetime(Time::constant(12, 0, 0, 0));
    noon.to_zoned(TimeZone::UTC)
        .map_or(now, |noon| noon.timestamp())
}

/// What the inventory says that a fault may change: days from today, and hours.
pub(super) struct Says {
    /// The last day of the contract with 60East.
    pub ends: i64,
    /// When it was last rehearsed.
    pub drilled: i64,
    /// When somebody last read what Echo announces.
    pub read: i64,
    /// When somebody here acts while 60East does not answer.
    pub plan_hours: &'static str,
}

impl Default for Says {
    fn default() -> Self {
        Self {
            ends: 300,
            drilled: -20,
            read: -2,
            plan_hours: "24x7",
        }
    }
}

/// The `vendors:` of the inventory.
pub(super) fn section(now: Timestamp, says: &Says, places: &Places) -> String {
    let today = TimeZone::UTC.to_datetime(now).date();
    let day = |days: i64| today.checked_add(days.days()).unwrap_or(today).to_string();
    let opened = time::rfc3339(now - 480.hours());
    let acknowledged = time::rfc3339(now - 479.hours());
    TEMPLATE
        .replace("OUR_ENDS", &day(says.ends))
        .replace("ENDS", &day(300))
        .replace("PROVEN", &day(-10))
        .replace("OUR_DRILL", &day(says.drilled))
        .replace("DRILL", &day(-20))
        .replace("READ", &day(says.read))
        .replace("PLAN_HOURS", says.plan_hours)
        .replace("SITE", &places.site)
        .replace("RESOLVER", &places.names.to_string())
        .replace("DROP_PORT", &places.drop.to_string())
        .replace("POST_PORT", &places.post.to_string())
        .replace("MAILBOX", post::MAILBOX)
        .replace("UPLOADS", uploads::FOLDER)
        .replace("DROP_PIN", &places.drop_pin)
        .replace("ACCOUNT", ACCOUNT)
        .replace("DIRECTORY", inbox::SHOWN)
        .replace("DUE", &day(20))
        .replace("OPENED", &opened)
        .replace("ACKNOWLEDGED", &acknowledged)
}

const TEMPLATE: &str = r#"
# What is agreed with each vendor, judged by the day of the run and the time of go-live; and what each of them has on
# the network, which is asked. Their sites are made up, too, and listen on this machine alone.
vendors:
  60east:
    timezone: America/New_York
    contract: {id: 60E-PRACTICE, plan: premium, ends: OUR_ENDS, severities: {S1: 1h, S2: 4h}, openers: [ana, ben]}
    coverage:
      hours: {S1: 24x7, S2: "Mon-Fri 08:00-18:00"}
    # Every instance of AMPS must be there while the markets are; by night somebody here steps in.
    applications:
      amps: {hours: "Sun 18:00 - Fri 17:00", severity: S2}
    out_of_hours:
      - {hours: "PLAN_HOURS", owner: ben, plan: "the on-call engineer fails over to the replica"}
    contacts:
      ana: {name: Ana Silva, role: head of operations, email: ana@bank.example.com, phone: "+1 212 555 0100", proven: {date: PROVEN, by: Cleo Moss}}
      ben: {name: Ben Okafor, role: on-call lead, email: ben@bank.example.com, phone: "+1 212 555 0199", proven: {date: PROVEN, by: Cleo Moss}}
    primary: ana
    backup: ben
    escalation:
      - {name: mailbox, kind: e-mail, to: support@amps.example.com, hours: 24x7, answers_within: 4h, proven: {date: PROVEN, by: Ana Silva}}
      - {name: telephone, kind: phone, to: "+1 702 555 0100", hours: 24x7, answers_within: 1h, proven: {date: PROVEN, by: Ana Silva}}
    channels:
      releases:
        url: https://amps.example.com/releases.atom
        subscribed:
          operations: {address: noc@bank.example.com, proven: {date: PROVEN, by: Ana Silva}}
          market-data: {address: desk@bank.example.com, proven: {date: PROVEN, by: Ana Silva}}
    release_windows: none
    announced:
      - {release: 5.3.5.1, action: test the new client library, due: DUE, done: PROVEN}
    drill: {last: OUR_DRILL}
    resolver: "RESOLVER"             # the DNS server that knows these domains
    intake:
      - {kind: sftp, host: 127.0.0.1, port: DROP_PORT, user: ACCOUNT, directory: DIRECTORY, host_key: "DROP_PIN", key: keys/60east-drop, max_bytes: 64MiB, name: "{case}_{instance}_{utc}.tar.zst", extensions: [.tar.zst]}
      - {kind: e-mail, to: MAILBOX, from: ana@bank.example.com, host: 127.0.0.1, port: POST_PORT, ca: practice-ca.pem, max_bytes: 64MiB, subject: "Case {case}: {instance}", name: "{case}_{instance}_{utc}.tar.zst", extensions: [.tar.zst]}
      - {kind: https, url: "SITEUPLOADS", ca: practice-ca.pem, max_bytes: 64MiB, name: "{case}_{instance}_{utc}.tar.zst", extensions: [.tar.zst]}
    request_template: 60east-request.txt
    asked: [severity, impact, since when, behaviour seen, behaviour expected]    # what only a person knows
    process_test: {case: "00012345", opened: "OPENED", acknowledged: "ACKNOWLEDGED", within: 4h}

  # A service that somebody else runs.
  echo:
    timezone: America/Los_Angeles
    contract: {id: ECHO-PRACTICE, plan: business, ends: ENDS, severities: {P1: 30m}, openers: [ana]}
    coverage: 24x7
    applications: {orders: 24x7}
    contacts:
      ana: {name: Ana Silva, email: ana@bank.example.com, phone: "+1 212 555 0100"}
      ben: {name: Ben Okafor, email: ben@bank.example.com, phone: "+1 212 555 0199"}
    primary: ana
    backup: ben
    escalation:
      - {name: forum, kind: forum, to: "https://forum.echo.example.com/", hours: 24x7, answers_within: 1d, proven: {date: PROVEN, by: Ana Silva}}
      - {name: emergency, kind: emergency e-mail, to: emergency@echo.example.com, hours: 24x7, answers_within: 30m, proven: {date: PROVEN, by: Ana Silva}}
    channels:
      outages:
        url: "SITE/announcements.atom"
        feed: {url: "SITE/announcements.atom", ca: practice-ca.pem}
        read: {date: READ, by: Ben Okafor}
        subscribed:
          operations: {address: noc@bank.example.com, proven: {date: PROVEN, by: Ana Silva}}
          market-data: {address: desk@bank.example.com, proven: {date: PROVEN, by: Ana Silva}}
    release_windows: {hours: "Wed-Fri 00:00-03:00"}
    announced: []
    drill: {last: DRILL}
    resolver: "RESOLVER"
    status_pages: [{url: "SITE/status", kind: statuspage, ca: practice-ca.pem}]
    outage_log: {url: "SITE/history.atom", kind: atom, ca: practice-ca.pem, read: {date: READ, by: Ben Okafor}}
    monitoring:
      - {url: "SITE/health.json", ca: practice-ca.pem, runner: true, from: [ny4-1, ld5-1], fresh: {at: /updated, within: 10m}}
    intake:
      - {kind: https, url: "SITE/cases/", ca: practice-ca.pem, max_bytes: 64MiB}
    process_test: {case: "E-20117", opened: "OPENED", acknowledged: "ACKNOWLEDGED", within: 2h}
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{Hours, Lean, Span, Weekly, Zone};

    #[test]
    fn go_live_is_ahead_and_in_no_window_whatever_the_day() {
        let windows = Hours {
            zone: Zone::parse("America/Los_Angeles").unwrap(),
            weekly: Weekly::parse("Wed-Fri 00:00-03:00").unwrap(),
            holidays: std::collections::BTreeSet::new(),
        };
        let mut now: Timestamp = "2026-11-21T23:59:59Z".parse().unwrap();
        for _ in 0..400 {
            let go_live = go_live(now);
            assert!(go_live > now, "{now}");
            let around = Span {
                from: go_live,
                to: go_live + 1.hour(),
            };
            assert!(windows.within(around, Lean::Wide).is_empty(), "{go_live}");
            now += 25.hours();
        }
    }
}
