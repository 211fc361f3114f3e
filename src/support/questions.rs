//! What a step is to ask of the network, and nothing else: `gonogo plan` prints it, the run asks it, and what
//! came is judged question by question.

use super::Ask;
use crate::inventory::{
    Intake, IntakeTo, Level, Link, Means, Monitoring, PageKind, StatusPage, Vendor,
};
use crate::probe::{Drop, How, Question, Read, Sender};

impl Ask {
    /// The questions of the step, each once, in the order of the inventory. `host`: whom the check is about.
    #[must_use]
    pub fn questions(self, vendor: &Vendor, host: Option<&str>) -> Vec<Question> {
        let mut questions: Vec<Question> = match self {
            Self::NoIncident | Self::PagesAlive => {
                vendor.status_pages.iter().flat_map(of_page).collect()
            }
            Self::OutageLog => of_log(vendor).into_iter().collect(),
            Self::AnnouncementsRead(_) => (feeds(vendor).chain(pages(vendor)))
                .map(|(_, question)| question)
                .collect(),
            Self::Answers(_) | Self::CertificatesHold(_) => {
                asked_here(vendor).map(of_monitoring).collect()
            }
            Self::AnswersHost(_) => (host.into_iter())
                .flat_map(|host| asked_from(vendor, host).map(|one| on_host(one, host)))
                .collect(),
            Self::TakesMail => (mailboxes(vendor).iter())
                .filter_map(|(_, address)| of_address(vendor, address))
                .chain(probed(vendor))
                .collect(),
            Self::MailAccepted => probed(vendor).collect(),
            Self::IntakeOpen => (vendor.intake.iter())
                .flat_map(|intake| of_intake(vendor, intake))
                .collect(),
            _ => Vec::new(),
        };
        let mut told: Vec<Question> = Vec::new();
        questions.retain(|question| {
            let is_new = !told.contains(question);
            if is_new {
                told.push(question.clone());
            }
            is_new
        });
        questions
    }

    /// Whether the step asks from a host, by that host's own `curl`.
    #[must_use]
    pub const fn is_asked_on_host(self) -> bool {
        matches!(self, Self::AnswersHost(_))
    }
}

/// A GET of what the link says.
fn get(link: &Link, url: String, read: Read) -> Question {
    Question {
        redirects: link.redirects,
        ca: link.ca.clone(),
        ..Question::new(How::Get, url, read)
    }
}

/// What a status page is asked.
pub(super) fn of_page(page: &StatusPage) -> Vec<Question> {
    let link = &page.link;
    let below = |path: &str| match link.url.ends_with(".json") {
        true => link.url.clone(),
        false => format!("{}{path}", link.url.trim_end_matches('/')),
    };
    // Cachet lists pages of 15 unless told otherwise; what does not fit is refused when it is read.
    let cachet = |what: &str| {
        format!(
            "{}/api/{what}?per_page=1000",
            link.url.trim_end_matches('/')
        )
    };
    match page.kind {
        PageKind::Statuspage => {
            vec![get(link, below("/api/v2/summary.json"), Read::Statuspage)]
        }
        PageKind::StatusIo => vec![get(link, link.url.clone(), Read::StatusIo)],
        PageKind::Cachet => vec![
            get(link, cachet("components"), Read::CachetComponents),
            get(link, cachet("incidents"), Read::CachetIncidents),
            get(link, cachet("schedules"), Read::CachetSchedules),
        ],
        PageKind::Rss | PageKind::Atom => vec![get(link, link.url.clone(), Read::Feed)],
        PageKind::Page => vec![get(link, link.url.clone(), Read::Nothing)],
    }
}

/// The outage log, as a page or as a feed.
pub(super) fn of_log(vendor: &Vendor) -> Option<Question> {
    let log = vendor.outage_log.as_ref()?;
    let read = match log.kind {
        PageKind::Rss | PageKind::Atom => Read::Feed,
        _ => Read::Nothing,
    };
    Some(get(&log.link, log.link.url.clone(), read))
}

/// Every feed that somebody has to read: by what it is called.
pub(super) fn feeds(vendor: &Vendor) -> impl Iterator<Item = (String, Question)> + '_ {
    let channels = vendor.channels.iter().filter_map(|channel| {
        let feed = channel.feed.as_ref()?;
        let question = get(feed, feed.url.clone(), Read::Feed);
        Some((format!("channel `{}`", channel.name), question))
    });
    let log = of_log(vendor).filter(|log| log.read == Read::Feed);
    channels.chain(log.map(|question| ("the outage log".to_owned(), question)))
}

/// Every page of a channel, by what it is called; one that is its own feed is asked as that.
pub(super) fn pages(vendor: &Vendor) -> impl Iterator<Item = (String, Question)> + '_ {
    vendor.channels.iter().filter_map(|channel| {
        let page = channel.url.as_ref()?;
        let is_feed = (channel.feed.as_ref()).is_some_and(|feed| feed.url == page.url);
        let question = get(page, page.url.clone(), Read::Nothing);
        (!is_feed).then(|| (format!("channel `{}`", channel.name), question))
    })
}

/// What the runner asks.
pub(super) fn asked_here(vendor: &Vendor) -> impl Iterator<Item = &Monitoring> {
    let all = vendor.monitoring.iter();
    all.filter(|one| one.is_asked_here())
}

/// What that host asks.
pub(super) fn asked_from<'a>(
    vendor: &'a Vendor,
    host: &'a str,
) -> impl Iterator<Item = &'a Monitoring> {
    let all = vendor.monitoring.iter();
    all.filter(move |one| one.from.iter().any(|from| from == host))
}

pub(super) fn of_monitoring(one: &Monitoring) -> Question {
    let read = match &one.fresh {
        Some(fresh) => Read::Time(fresh.at.clone()),
        None => Read::Nothing,
    };
    Question {
        status: one.status,
        samples: one.samples,
        ..get(&one.link, one.link.url.clone(), read)
    }
}

/// The same by a host: it follows no redirect, and trusts what the host trusts.
pub(super) fn on_host(one: &Monitoring, host: &str) -> Question {
    Question {
        how: How::Curl,
        from: Some(host.to_owned()),
        redirects: 0,
        ca: one.host_ca.as_ref().map(Into::into),
        ..of_monitoring(one)
    }
}

/// Every address that somebody may have to write to, with what it belongs to.
pub(super) fn mailboxes(vendor: &Vendor) -> Vec<(String, &str)> {
    let people = addresses(vendor).into_iter();
    let people = people.map(|(whose, address, _)| (whose, address));
    let teams = subscriptions(vendor).filter(|(_, address)| address.contains('@'));
    let intake = vendor.intake.iter().filter_map(|intake| match &intake.to {
        IntakeTo::Email { to, .. } => Some(("the intake".to_owned(), to.as_str())),
        _ => None,
    });
    people.chain(teams).chain(intake).collect()
}

/// What receives the channels, with what it belongs to.
pub(super) fn subscriptions(vendor: &Vendor) -> impl Iterator<Item = (String, &str)> + '_ {
    vendor.channels.iter().flat_map(|channel| {
        channel.subscribed.iter().filter_map(|one| {
            let whose = format!("team `{}` on channel `{}`", one.team, channel.name);
            Some((whose, one.address.as_deref()?))
        })
    })
}

/// Every address of a person or a level, with what it belongs to, and whether its mail server may be asked about it.
pub(super) fn addresses(vendor: &Vendor) -> Vec<(String, &str, bool)> {
    let contacts = vendor.contacts.iter().filter_map(|contact| {
        let email = contact.email.as_deref()?;
        Some((format!("contact `{}`", contact.key), email, contact.probe))
    });
    let is_mail = |level: &&Level| matches!(level.means, Means::Email | Means::EmergencyEmail);
    let levels = vendor.escalation.iter().filter(is_mail);
    let levels = levels.map(|level| {
        let whose = format!("level `{}`", level.name);
        (whose, level.to.as_str(), level.probe)
    });
    contacts.chain(levels).collect()
}

fn probed(vendor: &Vendor) -> impl Iterator<Item = Question> + '_ {
    let all = addresses(vendor).into_iter();
    let all = all.filter(|(.., probe)| *probe);
    all.map(|(_, address, _)| of_mailbox(vendor, address))
}

/// What the mail server of an address is asked.
pub(super) fn of_mailbox(vendor: &Vendor, address: &str) -> Question {
    let sender = Sender {
        resolver: vendor.resolver,
        from: vendor.probe_from.clone().unwrap_or_default(),
    };
    Question::new(How::Rcpt(Box::new(sender)), address, Read::Nothing)
}

/// The domain of an address, as DNS is asked for it.
pub(super) fn of_address(vendor: &Vendor, address: &str) -> Option<Question> {
    let (_, domain) = address.rsplit_once('@')?;
    let domain = domain.to_ascii_lowercase();
    Some(Question::new(
        How::Mx(vendor.resolver),
        domain,
        Read::Nothing,
    ))
}

pub(super) fn of_intake(vendor: &Vendor, intake: &Intake) -> Vec<Question> {
    match &intake.to {
        IntakeTo::Https { link, .. } => vec![Question {
            how: How::Head,
            ..get(link, link.url.clone(), Read::Nothing)
        }],
        IntakeTo::Email { to, by } => {
            let by = by.as_ref().map(|by| Question {
                ca: by.ca.clone(),
                ..Question::new(
                    How::Smtp(Box::new(by.desk.clone())),
                    crate::text::endpoint(&by.desk.host, by.desk.port),
                    Read::Nothing,
                )
            });
            of_address(vendor, to).into_iter().chain(by).collect()
        }
        IntakeTo::Sftp {
            host,
            port,
            user,
            directory,
            host_key,
            login,
        } => {
            let drop = Drop {
                host: host.clone(),
                port: *port,
                user: user.clone(),
                host_key: host_key.clone(),
                login: login.clone(),
                directory: directory.clone(),
            };
            let target = format!("{user}@{}", crate::text::endpoint(host, *port));
            vec![Question::new(
                How::Sftp(Box::new(drop)),
                target,
                Read::Nothing,
            )]
        }
    }
}
