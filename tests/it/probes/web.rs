//! Status pages, feeds, the outage log and what is monitored, from the runner.

use super::site::Site;
use super::{Asked, Office, at};

fn summary(updated: i64, incidents: &str, maintenance: &str) -> String {
    format!(
        r#"{{"page":{{"updated_at":"{}"}},"status":{{"indicator":"none"}},"components":[{{"name":"API","status":"operational"}}],"incidents":[{incidents}],"scheduled_maintenances":[{maintenance}]}}"#,
        at(updated)
    )
}

const NO_INCIDENT: &str = "no incident is open at the vendor's status pages";

fn page(site: &Site, url: &str, more: &str) -> String {
    let ca = site.ca();
    format!(
        "    status_pages: [{{url: \"{url}\", kind: statuspage, ca: \"{}\"{more}}}]",
        ca.display()
    )
}

#[test]
fn a_status_page_is_planned_asked_recorded_and_judged_again_without_it() {
    let (office, mut site) = (Office::new(), Site::start());
    site.put("api/v2/summary.json", &summary(-60, "", ""));
    office.write(&page(&site, &site.url(""), ""), &[NO_INCIDENT]);
    let plan = office.plan();
    let url = site.url("api/v2/summary.json");
    assert!(
        plan.contains(&format!("what will be asked from this machine, and nothing else\n  get      {url}  (reads Statuspage v2, trusts ca.pem)\n")),
        "{plan}"
    );
    assert_eq!(site.asked(), [""; 0]);
    let run = office.run(&[], &[]);
    let probe = run.is_go().probe(0);
    assert_eq!(
        (&probe["how"], &probe["target"]),
        (&"get".into(), &url.into())
    );
    let hop = &probe["samples"][0]["hops"][0];
    assert_eq!(hop["status"], 200);
    assert_eq!(hop["address"], format!("127.0.0.1:{}", site.port));
    for phase in ["connect_us", "tls_us", "first_byte_us"] {
        assert!(hop[phase].as_u64().unwrap() > 0, "{phase}: {hop}");
    }
    assert_eq!(probe["document"]["page"]["components"], 1);
    assert_eq!(site.asked(), ["GET /api/v2/summary.json HTTP/1.1"]);
    // Nobody is asked again.
    site.stop();
    office.verify(0);
    let down = office.run(&[], &[]);
    down.is_no_go("unreachable", "refused");
    office.verify(1);
}

#[test]
fn an_incident_or_maintenance_is_told_with_its_name_and_place() {
    let (office, site) = (Office::new(), Site::start());
    office.write(&page(&site, &site.url(""), ""), &[NO_INCIDENT]);
    let incident = |word: &str| {
        format!(
            r#"{{"name":"API is down","status":"{word}","started_at":"2026-11-22T10:00:00Z","shortlink":"https://stspg.io/x"}}"#
        )
    };
    site.put(
        "api/v2/summary.json",
        &summary(-60, &incident("monitoring"), ""),
    );
    let run = office.run(&[], &[]);
    run.is_no_go("mismatch", "API is down");
    run.is_no_go("mismatch", "https://stspg.io/x");
    office.verify(1);
    site.put(
        "api/v2/summary.json",
        &summary(-60, &incident("resolved"), ""),
    );
    office.run(&[], &[]).is_go();
    site.put("api/v2/summary.json", &summary(-60, &incident("gone"), ""));
    office.run(&[], &[]).is_no_go("undefined", "gone");

    let night = format!(
        r#"{{"name":"night work","status":"scheduled","scheduled_for":"{}","scheduled_until":"{}"}}"#,
        at(3600),
        at(7200)
    );
    site.put("api/v2/summary.json", &summary(-60, "", &night));
    let go_live = |seconds: i64| office.run(&["--go-live", &at(seconds)], &[]);
    go_live(5400).is_no_go("mismatch", "night work");
    go_live(9000).is_go();
    office.verify(0);
    // Nobody keeps this page any more.
    site.put("api/v2/summary.json", &summary(-93 * 86_400, "", ""));
    office.run(&[], &[]).is_no_go("stale", "last updated");
}

#[test]
fn redirects_are_followed_as_far_as_told_and_never_out_of_tls() {
    let (office, site) = (Office::new(), Site::start());
    site.put("api/v2/summary.json", &summary(-60, "", ""));
    site.put("health.json", &summary(-60, "", ""));
    let moved = site.url("moved/api/v2/summary.json");
    let ask = |url: &str, more: &str| office.ask(&page(&site, url, more), NO_INCIDENT);
    ask(&moved, "").is_no_go("mismatch", "redirects: 1");
    let run = ask(&moved, ", redirects: 1");
    let hops = run.is_go().probe(0)["samples"][0]["hops"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(hops, 2);
    office.verify(0);
    let round = ask(&format!("{}.json", site.url("round")), ", redirects: 5");
    round.is_no_go("mismatch", "redirect");
    assert_eq!(
        round.probe(0)["samples"][0]["hops"]
            .as_array()
            .unwrap()
            .len(),
        6
    );
    ask(&format!("{}.json", site.url("weak")), ", redirects: 1")
        .is_no_go("mismatch", "not followed");
    ask(&format!("{}.json", site.url("broken")), "").is_no_go("io", "503");
    ask(&site.url("nothing/"), "").is_no_go("missing", "404");
}

#[test]
fn certificates_are_checked_by_name_authority_and_end() {
    let (office, site) = (Office::new(), Site::start());
    site.put("api/v2/summary.json", &summary(-60, "", ""));
    office
        .ask(&page(&site, &site.url(""), ""), NO_INCIDENT)
        .is_go();
    let elsewhere = format!("https://127.0.0.1:{}/", site.elsewhere);
    office
        .ask(&page(&site, &elsewhere, ""), NO_INCIDENT)
        .is_no_go("mismatch", "not valid for name");
    let unknown = format!(
        "    status_pages: [{{url: \"{}\", kind: statuspage}}]",
        site.url("")
    );
    office
        .ask(&unknown, NO_INCIDENT)
        .is_no_go("mismatch", "UnknownIssuer");
    let plain = format!(
        "    status_pages: [{{url: \"https://127.0.0.1:{}/\", kind: statuspage}}]",
        site.plain
    );
    office
        .ask(&plain, NO_INCIDENT)
        .is_no_go("mismatch", "http://");

    site.put("health.json", "{}");
    let monitored = monitoring(&site, &site.url("health.json"), "");
    let hold = |days: u32| {
        format!("every certificate behind the monitoring URLs holds for {days} days more")
    };
    office.ask(&monitored, &hold(29)).is_go();
    office.verify(0);
    office
        .ask(&monitored, &hold(31))
        .is_no_go("stale", "in 29 days");
}

fn monitoring(site: &Site, url: &str, more: &str) -> String {
    let ca = match url.starts_with("https") {
        true => format!(", ca: \"{}\"", site.ca().display()),
        false => String::new(),
    };
    format!("    monitoring: [{{url: \"{url}\"{ca}{more}}}]")
}

#[test]
fn what_is_monitored_is_asked_several_times_and_must_be_fresh() {
    let (office, site) = (Office::new(), Site::start());
    let step = "every monitoring URL answers within 5 seconds";
    let fresh = ", fresh: {at: /status/updated, within: 10m}";
    let url = site.url("health.json");
    let ask = |more: &str| -> Asked { office.ask(&monitoring(&site, &url, more), step) };
    let body = |seconds| format!(r#"{{"status":{{"updated":"{}"}}}}"#, at(seconds));
    site.put("health.json", &body(-60));
    let run = ask(fresh);
    assert_eq!(run.is_go().probe(0)["samples"].as_array().unwrap().len(), 3);
    assert_eq!(site.asked().len(), 3);
    office.verify(0);
    site.put("health.json", &body(-700));
    ask(fresh).is_no_go("stale", "old");
    ask("").is_go();
    site.put("health.json", &body(700));
    ask(fresh).is_no_go("stale", "yet to come");
    site.put("health.json", "{}");
    ask(fresh).is_no_go("missing", "nothing stands there");
    ask(", status: 404").is_no_go("mismatch", "status 200");
    let broken = monitoring(
        &site,
        &format!("http://127.0.0.1:{}/broken", site.plain),
        ", status: 503, samples: 1",
    );
    office.ask(&broken, step).is_go();
    office
        .ask(
            &monitoring(&site, &url, ""),
            "every monitoring URL answers within 1 millisecond",
        )
        .is_no_go("timeout", "slowest of 3 answers");
    // Asked from hosts alone, it is nothing for the runner.
    office
        .ask("    contract: {id: x}", step)
        .is_no_go("missing", "monitoring");
}

#[test]
fn announcements_are_read_and_the_outage_log_is_there() {
    let (office, site) = (Office::new(), Site::start());
    let feed = |seconds: i64| {
        format!(
            "<feed xmlns=\"http://www.w3.org/2005/Atom\"><entry><title>5.3.5</title><updated>{}</updated></entry></feed>",
            at(seconds)
        )
    };
    site.put("releases.atom", &feed(-10 * 86_400));
    let ca = site.ca();
    let channel = |read: &str| {
        format!(
            "    channels: {{releases: {{feed: {{url: \"{}\", ca: \"{}\"}}{read}}}}}",
            site.url("releases.atom"),
            ca.display()
        )
    };
    let step = "every announcement was read within 7 days";
    let day = |days: i64| at(days * 86_400)[..10].to_owned();
    office
        .ask(
            &channel(&format!(", read: {{date: {}, by: Ana}}", day(-8))),
            step,
        )
        .is_go();
    office.verify(0);
    office
        .ask(
            &channel(&format!(", read: {{date: {}, by: Ana}}", day(-11))),
            step,
        )
        .is_no_go("stale", "5.3.5");
    office.ask(&channel(""), step).is_no_go("missing", "5.3.5");
    site.put("releases.atom", &feed(-86_400));
    office.ask(&channel(""), step).is_go();
    // The page of a channel is asked beside its feed: a dead one is found.
    site.put("notes.html", "what is new");
    let noted = |path: &str| {
        let url = format!(
            "url: {{url: \"{}\", ca: \"{}\"}}, feed: ",
            site.url(path),
            ca.display()
        );
        channel("").replacen("feed: ", &url, 1)
    };
    office.ask(&noted("notes.html"), step).is_go();
    office.verify(0);
    office
        .ask(&noted("gone.html"), step)
        .is_no_go("missing", "404");
    site.put("releases.atom", "<html><body>moved</body></html>");
    office.ask(&channel(""), step).is_no_go("corrupt", "html");

    site.put("history.txt", "2026-11-01: nothing");
    let log = |path: &str, more: &str| {
        format!(
            "    outage_log: {{url: \"{}\", ca: \"{}\"{more}}}",
            site.url(path),
            ca.display()
        )
    };
    let step = "the outage log of the vendor can be read";
    office.ask(&log("history.txt", ""), step).is_go();
    office
        .ask(&log("history.txt", ", kind: atom"), step)
        .is_no_go("corrupt", "feed");
    office
        .ask(&log("gone.txt", ""), step)
        .is_no_go("missing", "404");
    site.put("empty.txt", "");
    office
        .ask(&log("empty.txt", ""), step)
        .is_no_go("empty", "0 bytes");
}

#[test]
fn uploads_are_reached_by_a_head_and_nothing_is_sent() {
    let (office, site) = (Office::new(), Site::start());
    let intake = |path: &str| {
        format!(
            "    intake: [{{kind: https, url: \"{}\", ca: \"{}\"}}]",
            site.url(path),
            site.ca().display()
        )
    };
    let step = "every intake of the vendor can be reached";
    office.ask(&intake("upload"), step).is_go();
    assert_eq!(site.asked(), ["HEAD /upload HTTP/1.1"]);
    office.verify(0);
    office.ask(&intake("gone"), step).is_no_go("missing", "404");
    office.ask(&intake("broken"), step).is_no_go("io", "503");
}
