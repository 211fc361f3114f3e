//! What to know of a vendor when something is broken: the contract, when it answers and who steps in when it
//! does not, whom to call and by what, where news come from, how evidence is handed over.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::line::{Line, Piece, Slot};
use super::proof::Proofs;
use super::{Section, Source};
use crate::calendar::{Hours, Lean, Span, Spans, ics};
use crate::inventory::{
    Contact, Intake, IntakeTo, Means, OutOfHours, PageKind, Proven, Vendor, Windows,
};
use crate::support::Ask;
use crate::{text, time};

/// A leap year, as the check of coverage counts.
const HORIZON: SignedDuration = SignedDuration::from_hours(366 * 24);
/// Gaps that are told for each application: the next ones.
const NEXT: usize = 4;

pub(super) fn sections(source: &Source<'_>, proofs: &Proofs<'_>) -> Vec<Section> {
    let mut sections = Vec::new();
    for vendor in &source.inventory.vendors {
        let mut whole = Section::new(2, format!("Vendor {}", vendor.name));
        let own = source.inventory.instances.iter();
        let own = own.filter(|one| one.vendor.as_deref() == Some(vendor.name.as_str()));
        let own: Vec<&str> = own.map(|one| one.name.as_str()).collect();
        if !own.is_empty() {
            whole
                .lines
                .push(Line::item("supports").words(&own.join(", ")));
        }
        let about = About { vendor, proofs };
        sections.push(whole);
        sections.push(about.contract());
        sections.push(about.people());
        sections.push(about.escalation());
        sections.push(about.hours(source));
        sections.push(about.news());
        sections.push(about.handing_over());
        sections.push(about.drill());
    }
    sections
}

struct About<'a> {
    vendor: &'a Vendor,
    proofs: &'a Proofs<'a>,
}

impl About<'_> {
    /// Proven by whatever asks that.
    fn by(&self, line: Line, is_it: impl Fn(Ask) -> bool) -> Line {
        line.proven(self.proofs.asked(&self.vendor.name, is_it))
    }

    fn stated(line: Line) -> Line {
        line.proven(super::line::Proof::Stated)
    }

    fn contract(&self) -> Section {
        let mut section = Section::new(3, "Contract");
        let lines = &mut section.lines;
        let Some(contract) = &self.vendor.contract else {
            lines.push(missing("contract"));
            return section;
        };
        let entitled = |ask| ask == Ask::Entitled;
        let holds = |ask| matches!(ask, Ask::HoldsFor(_) | Ask::HoldsUntilDrill);
        match &contract.id {
            Some(id) => lines.push(self.by(Line::item("id").code(id), entitled)),
            None => lines.push(missing("id")),
        }
        match &contract.plan {
            Some(plan) => lines.push(self.by(Line::item("plan").words(plan), entitled)),
            None => lines.push(missing("plan")),
        }
        if let Some(begins) = contract.begins {
            let line = Line::item("first day").words(&begins.to_string());
            lines.push(self.by(line, holds));
        }
        match contract.ends {
            Some(ends) => {
                let line = Line::item("last day").words(&ends.to_string());
                lines.push(self.by(line, |ask| entitled(ask) || holds(ask)));
            }
            None => lines.push(missing("last day")),
        }
        for (name, within) in &contract.severities {
            let line = Line::item(&format!("severity {name}"))
                .words(&format!("first answer within {}", time::say(*within)));
            lines.push(self.by(line, entitled));
        }
        let openers = contract.openers.iter();
        let openers: Vec<String> = openers.map(|key| self.named(key)).collect();
        match openers.is_empty() {
            true => lines.push(missing("who may open cases")),
            false => {
                let line = Line::item("who may open cases").words(&openers.join(", "));
                lines.push(self.by(line, entitled));
            }
        }
        section
    }

    /// `Ana Silva (ana)`
    fn named(&self, key: &str) -> String {
        match self.vendor.contact(key) {
            Some(contact) => format!("{} ({key})", contact.name),
            None => key.to_owned(),
        }
    }

    fn people(&self) -> Section {
        let mut section = Section::new(3, "People on our side");
        let lines = &mut section.lines;
        for (label, key) in [
            ("first contact", &self.vendor.primary),
            ("backup", &self.vendor.backup),
        ] {
            lines.push(match key {
                Some(key) => self.by(Line::item(label).words(&self.named(key)), |ask| {
                    ask == Ask::ContactsDiffer
                }),
                None => missing(label),
            });
        }
        for contact in &self.vendor.contacts {
            self.contact(lines, contact);
        }
        section
    }

    fn contact(&self, lines: &mut Vec<Line>, contact: &Contact) {
        let key = &contact.key;
        let mut line = Line::item(key).words(&contact.name);
        if let Some(role) = &contact.role {
            line = line.words(&format!(", {role}"));
        }
        if let Some(email) = &contact.email {
            line = line.words(", ").code(email);
        }
        if let Some(zone) = &contact.zone {
            line = line.words(&format!(", on the clock of {}", zone.name()));
        }
        lines.push(Self::stated(line));
        if let Some(phone) = &contact.phone {
            let line = Line::item(&format!("{key}, telephone")).code(phone);
            // That the number can exist; that somebody answers is the next line.
            lines.push(self.by(line, |ask| {
                matches!(ask, Ask::PhonesValid | Ask::ContactsDiffer)
            }));
        }
        let owns = self
            .vendor
            .out_of_hours
            .iter()
            .any(|plan| plan.owner == *key);
        let label = format!("{key}, last reached");
        lines.push(match &contact.proven {
            Some(proven) => self.by(reached(Line::item(&label), proven), |ask| {
                owns && matches!(ask, Ask::GapsPlanned(_))
            }),
            None => Line::item(&label).words("nobody has proven that"),
        });
    }

    fn escalation(&self) -> Section {
        let mut section = Section::new(3, "Escalation, in this order");
        if self.vendor.escalation.is_empty() {
            section.lines.push(missing("levels"));
        }
        for (place, level) in self.vendor.escalation.iter().enumerate() {
            let means = word(&Means::WORDS, level.means);
            let mut line = Line::item(&format!("{} {}", place + 1, level.name))
                .words(&format!("{means} "))
                .code(&level.to);
            line = match &level.hours {
                Some(hours) => line.words(&format!(", {}", said(hours))),
                None => line.words(", at any hour as far as the inventory says"),
            };
            if let Some(within) = level.answers_within {
                line = line.words(&format!(", answers within {}", time::say(within)));
            }
            line = match &level.proven {
                Some(proven) => reached(line.words(", last reached "), proven),
                None => line.words(", nobody has proven that it is reached"),
            };
            section
                .lines
                .push(self.by(line, |ask| matches!(ask, Ask::EscalationProven(_))));
        }
        section
    }

    fn hours(&self, source: &Source<'_>) -> Section {
        let mut section = Section::new(3, "When it answers, and who does otherwise");
        let planned = |ask| matches!(ask, Ask::GapsPlanned(_));
        match &self.vendor.coverage {
            None => section.lines.push(missing("hours in which it answers")),
            Some(coverage) => {
                for (severity, hours) in &coverage.hours {
                    let label = match severity {
                        Some(severity) => format!("answers {severity}"),
                        None => "answers".to_owned(),
                    };
                    let line = Line::item(&label).words(&said(hours));
                    section.lines.push(self.by(line, planned));
                }
            }
        }
        for application in &self.vendor.applications {
            let severity = application.severity.as_ref();
            let severity = severity.map(|severity| format!("; {severity} when it is not"));
            let line = Line::item(&format!("{} must be there", application.name)).words(&format!(
                "{}{}",
                said(&application.hours),
                severity.unwrap_or_default()
            ));
            section.lines.push(self.by(line, planned));
        }
        for plan in &self.vendor.out_of_hours {
            let line = Line::item(&format!("when nobody answers: {}", said(&plan.hours))).words(
                &format!("{} does this: {}", self.named(&plan.owner), plan.plan),
            );
            section.lines.push(self.by(line, planned));
        }
        if let Ok(started) = source.report.run.started.parse::<Timestamp>() {
            self.gaps(&mut section, started);
        }
        section
    }

    /// The next gaps of each application, each with who acts then; and whether any has nobody.
    fn gaps(&self, section: &mut Section, started: Timestamp) {
        let Some(coverage) = &self.vendor.coverage else {
            return;
        };
        let to = started.checked_add(HORIZON).unwrap_or(Timestamp::MAX);
        let horizon = Span { from: started, to };
        for application in &self.vendor.applications {
            let hours = &application.hours;
            let covered = coverage.of(application.severity.as_deref());
            let covered = covered.map(|hours| hours.within(horizon, Lean::Narrow));
            let mut open = hours
                .within(horizon, Lean::Wide)
                .subtract(&covered.unwrap_or_default());
            let name = &application.name;
            if open.is_empty() {
                let line = Line::item(&format!("gaps for {name}")).words("none within a year");
                section
                    .lines
                    .push(self.by(line, |ask| matches!(ask, Ask::GapsPlanned(_))));
                continue;
            }
            let mut next: Vec<(Span, Option<&OutOfHours>)> = Vec::new();
            for plan in &self.vendor.out_of_hours {
                let acts = plan.hours.within(horizon, Lean::Narrow);
                let taken = open.intersect(&acts);
                next.extend(taken.iter().take(NEXT).map(|span| (span, Some(plan))));
                open = open.subtract(&acts);
            }
            section.lines.push(self.sum(name, &open));
            next.extend(open.iter().take(NEXT).map(|span| (span, None)));
            next.sort_by_key(|(span, _)| span.from);
            for (span, plan) in next.into_iter().take(NEXT) {
                let line = self.gap(name, hours, hours.say(span), plan);
                section.lines.push(line);
            }
            // Which plans are the next ones depends on the day.
            for plan in &self.vendor.out_of_hours {
                let line = self.gap(name, hours, String::new(), Some(plan));
                section.may.push(line);
            }
        }
    }

    fn sum(&self, name: &str, open: &Spans) -> Line {
        let line = Line::item(&format!("gaps for {name}"));
        match open.is_empty() {
            true => self.by(
                line.words("each within a year has somebody who acts; the next ones:"),
                |ask| matches!(ask, Ask::GapsPlanned(_)),
            ),
            false => line.words("NOT ALL HAVE A PLAN: in some nobody acts; the next ones:"),
        }
    }

    fn gap(&self, name: &str, hours: &Hours, text: String, plan: Option<&OutOfHours>) -> Line {
        let zone = hours.zone.name().to_owned();
        let who = match plan {
            Some(plan) => format!(": {}, {}", self.named(&plan.owner), plan.plan),
            None => ": NOBODY".to_owned(),
        };
        Line::row()
            .words(&format!("{name}: "))
            .slot(Slot::Gap { zone, text })
            .words(&who)
    }

    fn news(&self) -> Section {
        let mut section = Section::new(3, "News, outages and releases");
        let lines = &mut section.lines;
        if self.vendor.channels.is_empty() {
            lines.push(missing("channels"));
        }
        for channel in &self.vendor.channels {
            let mut line = Line::item(&format!("channel {}", channel.name));
            if let Some(url) = &channel.url {
                line = line.code(&url.url).words("; ");
            }
            if channel.subscribed.is_empty() {
                line = line.words("nobody is subscribed");
            }
            for (place, one) in channel.subscribed.iter().enumerate() {
                let begin = if place == 0 { "reaches " } else { ", " };
                line = line.words(&format!("{begin}{}", one.team));
                if let Some(address) = &one.address {
                    line = line.words(" at ").code(address);
                }
                line = match &one.proven {
                    Some(proven) => reached(line.words(", seen "), proven),
                    None => line.words(", never proven"),
                };
            }
            lines.push(self.by(line, |ask| matches!(ask, Ask::Subscribed(_))));
        }
        for page in &self.vendor.status_pages {
            let kind = word(&PageKind::WORDS, page.kind);
            let line = Line::item("status page")
                .code(&page.link.url)
                .words(&format!(" ({kind})"));
            lines.push(self.by(line, |ask| matches!(ask, Ask::NoIncident | Ask::PagesAlive)));
        }
        if let Some(log) = &self.vendor.outage_log {
            let line = Line::item("log of past outages").code(&log.link.url);
            lines.push(self.by(line, |ask| matches!(ask, Ask::OutageLog)));
        }
        for one in &self.vendor.monitoring {
            let from = match one.from.is_empty() {
                true => "the runner".to_owned(),
                false if one.runner => format!("the runner, {}", one.from.join(", ")),
                false => one.from.join(", "),
            };
            let every = one
                .every
                .map(|every| format!(" every {}", time::say(every)));
            let line = Line::item("monitoring")
                .code(&one.link.url)
                .words(&format!(" asked{} from {from}", every.unwrap_or_default()));
            lines.push(self.by(line, |ask| {
                matches!(ask, Ask::Answers(_) | Ask::AnswersHost(_))
            }));
        }
        if let Some(windows) = &self.vendor.release_windows {
            let words = match windows {
                Windows::None => "no fixed ones".to_owned(),
                Windows::Weekly(hours) => said(hours),
            };
            let line = Line::item("the vendor changes its service").words(&words);
            lines.push(match windows {
                Windows::None => Self::stated(line),
                Windows::Weekly(_) => self.by(line, |ask| ask == Ask::OutsideWindows),
            });
        }
        for one in self.vendor.announced.iter().flatten() {
            let mut line = Line::item(&format!("announced release {}", one.release));
            if let Some(date) = one.date {
                line = line.words(&format!("comes {date}; "));
            }
            line = match (&one.action, one.done) {
                (None, _) => line.words("nothing to do"),
                (Some((action, due)), None) => line.words(&format!("TO DO by {due}: {action}")),
                (Some((action, _)), Some(_)) => line.words(&format!("done: {action}")),
            };
            lines.push(self.by(line, |ask| {
                matches!(ask, Ask::NoActionOverdue | Ask::NoActionOverdueAtGoLive)
            }));
        }
        section
    }

    fn handing_over(&self) -> Section {
        let mut section = Section::new(3, "Opening a case and handing evidence over");
        let lines = &mut section.lines;
        lines.push(match &self.vendor.request_template {
            Some(template) => {
                let path = &template.path;
                let path = path.strip_prefix("inputs").unwrap_or(path);
                let line = Line::item("request template").code(&path.to_string_lossy());
                self.by(line, |ask| matches!(ask, Ask::RequestComplete))
            }
            None => missing("request template"),
        });
        if self.vendor.intake.is_empty() {
            lines.push(missing("ways to hand evidence over"));
        }
        for (place, way) in self.vendor.intake.iter().enumerate() {
            let line = intake(place + 1, way);
            lines.push(self.by(line, |ask| matches!(ask, Ask::IntakeOpen)));
        }
        if let Some(test) = &self.vendor.process_test {
            let mut line = Line::item("last test of the process");
            line = match &test.case {
                Some(case) => line.words("case ").code(case),
                None => line.words("no case"),
            };
            if let Some(within) = test.within {
                let within = time::say(within);
                line = line.words(&format!(", to be acknowledged within {within}"));
            }
            line = match (test.opened, test.acknowledged) {
                (Some(opened), Some(acknowledged)) => line
                    .words(", opened ")
                    .slot(Slot::instant(&time::rfc3339(opened)))
                    .words(", acknowledged ")
                    .slot(Slot::instant(&time::rfc3339(acknowledged))),
                _ => line.words(", not acknowledged as far as the inventory says"),
            };
            lines.push(self.by(line, |ask| matches!(ask, Ask::ProcessTest(_))));
        }
        section
    }

    fn drill(&self) -> Section {
        let mut section = Section::new(3, "Drill");
        let Some(drill) = &self.vendor.drill else {
            section.lines.push(missing("drill"));
            return section;
        };
        let days = text::count(usize::try_from(drill.interval).unwrap_or(usize::MAX), "day");
        let Some(last) = drill.last else {
            let line = Line::item("last done").words("NEVER");
            section.lines.push(Self::stated(line));
            return section;
        };
        let due = last.checked_add(i64::from(drill.interval).days());
        let due = due.unwrap_or(jiff::civil::Date::MAX);
        let is_due = |ask| ask == Ask::DrillDue;
        section
            .lines
            .push(self.by(Line::item("last done").slot(Slot::day(last)), is_due));
        let line = Line::item("next due")
            .slot(Slot::day(due))
            .words(&format!(", at most {days} after the last"));
        section.lines.push(self.by(line, is_due));
        section
    }
}

fn intake(place: usize, way: &Intake) -> Line {
    let line = Line::item(&format!("way {place}"));
    let mut line = match &way.to {
        IntakeTo::Sftp {
            host,
            port,
            user,
            directory,
            host_key,
            login: _,
        } => {
            let mut words = vec!["sftp".to_owned(), "-P".to_owned(), port.to_string()];
            let at = match host.contains(':') {
                true => format!("{user}@[{host}]"),
                false => format!("{user}@{host}"),
            };
            words.push(at);
            let words: Vec<_> = words.iter().map(|word| text::shell_word(word)).collect();
            let mut line = line.words("SFTP: ").code(&words.join(" "));
            if let Some(directory) = directory {
                line = line.words(", directory ").code(directory);
            }
            if let Some(key) = host_key {
                line = line.words(", host key ").code(key);
            }
            line
        }
        IntakeTo::Https { link, token_env } => {
            let line = line.words("HTTPS upload: ").code(&link.url);
            match token_env {
                Some(name) => line.words(", token in the variable ").code(name),
                None => line,
            }
        }
        IntakeTo::Email { to, by } => {
            let line = line.words("e-mail: ").code(to);
            match by {
                Some(by) => line
                    .words(", from ")
                    .code(&by.from)
                    .words(" by ")
                    .code(&text::endpoint(&by.desk.host, by.desk.port)),
                None => line.words(", sent by hand"),
            }
        }
    };
    if let Some(most) = way.max_bytes {
        line = line.words(&format!(
            ", a file of at most {} ({most} bytes)",
            text::size(most)
        ));
    }
    if let Some(name) = &way.name {
        line = line.words(", named ").code(name);
    }
    if !way.extensions.is_empty() {
        line = line.words(&format!(", taken: {}", way.extensions.join(" ")));
    }
    for recipient in &way.encrypt_to {
        line = line.words(", encrypted to ").code(recipient);
    }
    line
}

fn missing(label: &str) -> Line {
    Line::item(label).words("NOT STATED in the inventory")
}

/// `2026-11-02 by Ana Silva`; the day changes with each call, who calls is a statement.
fn reached(line: Line, proven: &Proven) -> Line {
    line.with(Piece::Slot(Slot::day(proven.date)))
        .words(&format!(" by {}", proven.by))
}

/// `Mon-Fri 08:00-18:00 America/New_York, not on 2026-12-25`.
fn said(hours: &Hours) -> String {
    let lines = hours.weekly.say();
    let when = match lines.is_empty() {
        true => "never".to_owned(),
        false => lines.join("; "),
    };
    let days = not_on(&hours.holidays);
    let days = match days.is_empty() {
        true => String::new(),
        false => format!(", not on {}", days.join(", ")),
    };
    format!("{when} {}{days}", hours.zone.name())
}

/// Each day, and what comes again each year once.
fn not_on(holidays: &BTreeSet<Date>) -> Vec<String> {
    let date = |day: &Date| (day.month(), day.day());
    let ever = holidays.range(Date::constant(ics::LAST_YEAR, 1, 1)..);
    let ever: BTreeSet<(i8, i8)> = ever.map(date).collect();
    let once = holidays.iter().filter(|day| !ever.contains(&date(day)));
    let once = once.map(ToString::to_string);
    let again = ever.iter().filter_map(|of| {
        let first = holidays.iter().find(|day| date(day) == *of)?;
        Some(format!("{first} and each year on that date"))
    });
    once.chain(again).collect()
}

fn word<T: Copy + PartialEq>(words: &[(&'static str, T)], of: T) -> &'static str {
    let found = words.iter().find(|(_, one)| *one == of);
    found.map_or("", |(word, _)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_again_each_year_is_told_once() {
        let ever = (2026..=ics::LAST_YEAR).map(|year| Date::constant(year, 12, 25));
        let once = [
            Date::constant(2026, 11, 26),
            Date::constant(2028, 2, 29),
            Date::constant(2027, 11, 25),
        ];
        assert_eq!(
            not_on(&ever.chain(once).collect()),
            [
                "2026-11-26",
                "2027-11-25",
                "2028-02-29",
                "2026-12-25 and each year on that date"
            ]
        );
        assert!(not_on(&BTreeSet::new()).is_empty());
    }
}
