//! Handing a finished file to the vendor: every rule of the intake is checked before anything is opened, and
//! what was handed over is told in a receipt. What crosses the wire is `intake/`'s.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use jiff::{Timestamp, ToSpan as _};

use super::archive::Packing;
use super::receipt::{self, Receipt};
use super::{letter, receivers, sent, split};
use crate::digest::{Sha256, Stream};
use crate::encryption::{self, ENDS, Lock, MOST_HEAD, written};
use crate::intake::{self, Parcel};
use crate::inventory::{Drill, Intake, IntakeTo, Inventory, Vendor};
use crate::{text, time};

/// What is asked for.
pub struct Order<'a> {
    /// What is said of vendors.
    pub inventory: &'a Inventory,
    /// Which of them.
    pub vendor: &'a str,
    /// Which of its ways, from 1.
    pub way: Option<usize>,
    /// The finished file.
    pub bundle: &'a Path,
    /// The digest that it must have.
    pub sha256: Option<Sha256>,
    /// Whether it may be something else than a bundle.
    pub is_any: bool,
    /// The vendor's number of the case.
    pub case: Option<&'a str>,
    /// What the case is about.
    pub instance: Option<&'a str>,
    /// The file with the request that goes along.
    pub request: Option<&'a Path>,
    /// Whether it only tries the process.
    pub is_test: bool,
    /// Whether it is tried again within a quarter.
    pub is_forced: bool,
    /// Where receipts are kept.
    pub receipts: &'a Path,
    /// Now.
    pub now: Timestamp,
}

/// What would be sent, every rule of the intake kept.
#[derive(Debug)]
pub struct Plan<'a> {
    /// Where.
    pub intake: &'a Intake,
    /// Which of the vendor's ways it is, from 1.
    pub way: usize,
    /// What.
    pub parcel: Parcel,
    /// The vendor.
    pub vendor: &'a Vendor,
    /// Words that a person should read before.
    pub notes: Vec<String>,
}

/// What is wrong, and what to do about it.
pub type Wrong = (String, String);

/// Checks everything that can be known here.
///
/// # Errors
/// All that is against it.
pub fn plan<'a>(order: &Order<'a>) -> Result<Plan<'a>, Vec<Wrong>> {
    let (vendor, way, intake) =
        way(order.inventory, order.vendor, order.way).map_err(|wrong| vec![wrong])?;
    let (bytes, sha256, head) = look(order.bundle).map_err(|wrong| vec![wrong])?;
    let (mut wrong, mut notes) = (Vec::new(), Vec::new());
    let own = order.bundle.file_name().unwrap_or_default();
    let own = own.to_string_lossy().into_owned();
    let meant = match (order.sha256, order.is_any) {
        (Some(_), _) => Some("the digest that was stated"),
        (None, true) => Some("--any-file"),
        (None, false) => None,
    };
    let mut packing = None;
    match sent::look(order.bundle, meant) {
        Ok(found) => {
            packing = found.packing;
            notes.extend(found.notes);
        }
        Err(all) => wrong.extend(all),
    }
    if own.contains(".unreviewed.") && !wrong.iter().any(|(why, _)| why.contains("not reviewed")) {
        wrong.push((
            format!("`{own}` was not reviewed"),
            "look at it, then build it again with `--reviewed-by NAME`".to_owned(),
        ));
    }
    if order.sha256.is_some_and(|meant| meant != sha256) {
        wrong.push((
            format!("`{own}` is not the file that is meant: its SHA-256 is {sha256}"),
            "name the file whose digest `gonogo case build` printed".to_owned(),
        ));
    }
    let name = name(order, intake, vendor, &own).unwrap_or_else(|missing| {
        wrong.extend(missing);
        String::new()
    });
    let ends = |end: &String| name.ends_with(end.as_str());
    if !name.is_empty() && !intake.extensions.is_empty() && !intake.extensions.iter().any(ends) {
        wrong.push((
            format!("this intake takes no `{name}`"),
            format!("it takes {}", intake.extensions.join(", ")),
        ));
    }
    // What a name says at the intake is what the file is here.
    let is_kept = packing.is_some_and(|packing| name.contains(packing.end()));
    if !(is_kept || intake.extensions.is_empty() || name.is_empty())
        && intake.extensions.iter().any(ends)
        && !(intake.extensions.iter()).any(|end| own.ends_with(end.as_str()))
    {
        wrong.push((
            format!("`{own}` would arrive as `{name}`, which is another kind of file"),
            format!("this intake takes {}", intake.extensions.join(", ")),
        ));
    }
    if let (Some(is), Some(told)) = (packing, Packing::of(&name))
        && is != told
    {
        wrong.push((
            format!(
                "`{own}` is packed as {}, and would arrive as `{name}`",
                is.end()
            ),
            format!(
                "build it as {}, or correct `name:` of this intake",
                told.end()
            ),
        ));
    }
    let is_mail = matches!(intake.to, IntakeTo::Email { .. });
    if let Some(most) = intake.max_bytes.filter(|most| bytes > *most && !is_mail) {
        wrong.push((
            format!(
                "`{own}` has {} ({bytes} bytes), and this intake takes {} ({most} bytes)",
                text::size(bytes),
                text::size(most)
            ),
            "send it in parts (`gonogo case split`), leave something out (`case build --without ARTIFACT`), or name another way with --intake".to_owned(),
        ));
    }
    if !intake.encrypt_to.is_empty() {
        match is_encrypted_to(intake, &head, order.now) {
            Ok(told) => notes.extend(told),
            Err(all) => wrong.extend(all),
        }
    }
    if let IntakeTo::Https { link, .. } = &intake.to
        && link.url.contains(['?', '#'])
    {
        wrong.push((
            "the address of the intake has a query or a fragment".to_owned(),
            "write the address of a folder, below which files are put".to_owned(),
        ));
    }
    let letter = letter::of(order, intake, vendor, &own, bytes).unwrap_or_else(|all| {
        wrong.extend(all);
        None
    });
    if letter
        .as_ref()
        .is_some_and(|letter| !letter.text.is_empty())
        && !intake.encrypt_to.is_empty()
    {
        notes
            .push("the request goes in plain text: what is encrypted is the file alone".to_owned());
    }
    if let IntakeTo::Sftp {
        host_key, login, ..
    } = &intake.to
    {
        if host_key.is_none() {
            wrong.push(intake::unpinned().into());
        }
        if login.is_none() {
            wrong.push(intake::no_login().into());
        }
    }
    if order.is_test {
        let tested = tested_lately(order).unwrap_or_else(|why| {
            wrong.push(why);
            None
        });
        match tested {
            Some(last) if !order.is_forced => wrong.push((
                format!(
                    "the process was tried with `{}` on {last} already",
                    vendor.name
                ),
                format!(
                    "once in {} days is enough for a vendor; --force does it all the same",
                    Drill::INTERVAL
                ),
            )),
            Some(last) => notes.push(format!("forced: the last process test was on {last}")),
            None => {}
        }
    }
    let path = order.bundle.to_owned();
    match wrong.is_empty() {
        false => Err(wrong),
        true => Ok(Plan {
            intake,
            way,
            parcel: Parcel {
                path,
                name,
                bytes,
                sha256,
                letter,
            },
            vendor,
            notes,
        }),
    }
}

impl Plan<'_> {
    /// Where it goes, as people write it.
    #[must_use]
    pub fn place(&self) -> String {
        place(self.intake, &self.parcel.name)
    }

    /// How it goes, a line each.
    #[must_use]
    pub fn how(&self) -> Vec<String> {
        match &self.intake.to {
            IntakeTo::Sftp { host_key, .. } => vec![
                format!("host key {}", host_key.as_deref().unwrap_or("not pinned")),
                "written under a temporary name, read back, then renamed; nothing is written over"
                    .to_owned(),
            ],
            IntakeTo::Https { token_env, .. } => vec![
                match token_env {
                    Some(env) => format!("with the token in {env}"),
                    None => "without a token".to_owned(),
                },
                "only where nothing of that name is; read back where the intake lets us".to_owned(),
            ],
            IntakeTo::Email { by, .. } => by
                .as_ref()
                .map_or_else(Vec::new, |by| letter::how(by, &self.parcel)),
        }
    }
}

/// The vendor, and which of its ways is meant, from 1.
///
/// # Errors
/// Why none is.
pub fn way<'a>(
    inventory: &'a Inventory,
    vendor: &str,
    way: Option<usize>,
) -> Result<(&'a Vendor, usize, &'a Intake), Wrong> {
    let all = inventory.vendors.iter();
    let named = vendor;
    let vendor = inventory.vendor(named).ok_or_else(|| {
        let near = text::did_you_mean(named, all.map(|one| one.name.as_str()));
        (format!("the inventory knows no vendor `{}`", vendor), near)
    })?;
    let ways = &vendor.intake;
    let listed = || {
        let words = ways.iter().enumerate().map(|(at, one)| {
            let kind = receipt::kind(&one.to);
            format!("{} {kind}", at + 1)
        });
        words.collect::<Vec<_>>().join(", ")
    };
    match (way, ways.as_slice()) {
        (_, []) => Err((
            format!("the inventory says no `intake` of vendor `{}`", vendor.name),
            "write how it takes evidence: `intake: [{kind: sftp, …}]`".to_owned(),
        )),
        (None, [only]) => Ok((vendor, 1, only)),
        (None, _) => Err((
            format!("vendor `{}` has {} intakes", vendor.name, ways.len()),
            format!("choose one with --intake: {}", listed()),
        )),
        (Some(way), _) => match way.checked_sub(1).and_then(|at| ways.get(at)) {
            Some(intake) => Ok((vendor, way, intake)),
            None => Err((
                format!("vendor `{}` has no intake {way}", vendor.name),
                format!("it has {}", listed()),
            )),
        },
    }
}

/// Size, digest and first bytes of a finished file.
fn look(path: &Path) -> Result<(u64, Sha256, Vec<u8>), Wrong> {
    let shown = path.display();
    let no = |why: String| {
        (
            format!("`{shown}` cannot be sent: {why}"),
            "name the file that `gonogo case build` printed".to_owned(),
        )
    };
    let found = fs::metadata(path).map_err(|error| no(error.to_string()))?;
    if !found.is_file() {
        return Err(no("it is no regular file".to_owned()));
    }
    let read = || -> io::Result<_> {
        let mut file = File::open(path)?;
        let (mut hash, mut bytes, mut head) = (Stream::default(), 0_u64, Vec::new());
        let mut buffer = vec![0; 256 << 10];
        loop {
            let n = file.read(&mut buffer)?;
            if n == 0 {
                return Ok((bytes, hash.finish(), head));
            }
            let room = MOST_HEAD - head.len().min(MOST_HEAD);
            head.extend_from_slice(&buffer[..n.min(room)]);
            hash.update(&buffer[..n]);
            bytes += n as u64;
        }
    };
    match read().map_err(|error| no(error.to_string()))? {
        (0, ..) => Err(no("it is empty".to_owned())),
        looked => Ok(looked),
    }
}

/// Whether its head tells that those can open it whom the intake names; words for what it does not tell.
fn is_encrypted_to(
    intake: &Intake,
    head: &[u8],
    now: Timestamp,
) -> Result<Vec<String>, Vec<Wrong>> {
    let Some(lock) = encryption::look(head) else {
        return Err(vec![(
            format!(
                "this intake takes only what is encrypted to {}",
                intake.encrypt_to.join(", ")
            ),
            "encrypt it by `gonogo case build … --encrypt-to RECIPIENT`, and deliver the result"
                .to_owned(),
        )]);
    };
    // Without the key nobody knows which subkeys it has.
    let is_untold =
        intake.openpgp_key.is_none() && !intake.encrypt_to.iter().all(|one| written(one));
    if is_untold && lock != Lock::Passphrase && !matches!(lock, Lock::Age(_)) {
        return Ok(vec![format!(
            "whom it is encrypted to cannot be told without `openpgp_key`: it must be {}",
            intake.encrypt_to.join(", ")
        )]);
    }
    let all = receivers::of_intake(intake, now)?;
    lock.is_for(&all).map_err(|why| vec![why])
}

const PORTABLE: &str =
    "such names have letters, digits and `._-`, and begin with a letter or digit";

fn is_portable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && (name.chars()).all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

/// What the file is called there.
fn name(
    order: &Order<'_>,
    intake: &Intake,
    vendor: &Vendor,
    own: &str,
) -> Result<String, Vec<Wrong>> {
    let Some(pattern) = &intake.name else {
        return match is_portable(own) {
            true => Ok(own.to_owned()),
            false => Err(vec![(
                format!("`{own}` is no name for a file at an intake"),
                "rename it to letters, digits and `._-`, or write `name:` for this intake"
                    .to_owned(),
            )]),
        };
    };
    let (name, mut wrong) = filled(
        order,
        vendor,
        pattern,
        "the name of the file at this intake",
        true,
    );
    let mut name = split::as_part(own, &name);
    if let Some(end) = ENDS.iter().find(|end| own.ends_with(**end))
        && !name.ends_with(end)
    {
        name.push_str(end);
    }
    if name.starts_with(['.', '-']) {
        wrong.push((
            format!("`{name}` is no name for a file at an intake"),
            "see `name:` and --case".to_owned(),
        ));
    }
    match wrong.is_empty() {
        true => Ok(name),
        false => Err(wrong),
    }
}

/// A pattern of the inventory with what is said for its fields, and what is not.
pub(super) fn filled(
    order: &Order<'_>,
    vendor: &Vendor,
    pattern: &str,
    what: &str,
    is_name: bool,
) -> (String, Vec<Wrong>) {
    let instance = order.instance.map(|name| order.inventory.instance(name));
    let mut wrong = Vec::new();
    if let (Some(name), Some(None)) = (order.instance, &instance) {
        wrong.push((
            format!("the inventory knows no instance `{name}`"),
            String::new(),
        ));
    }
    let instance = instance.flatten();
    let test_case = vendor.process_test.as_ref();
    let test_case = test_case
        .and_then(|test| test.case.as_deref())
        .filter(|_| order.is_test);
    let mut name = String::new();
    let mut rest = pattern;
    while let Some((before, behind)) = rest.split_once('{') {
        let (field, behind) = behind.split_once('}').unwrap_or((behind, ""));
        name.push_str(before);
        let said = match field {
            "case" => match order.case.or(test_case) {
                Some(case) if !is_name || is_portable(case) => Ok(case.to_owned()),
                Some(case) => {
                    let why = format!("the case `{case}` is no part of a file's name");
                    wrong.push((why, PORTABLE.to_owned()));
                    Ok(String::new())
                }
                None => Err("name it with --case"),
            },
            "vendor" => Ok(vendor.name.clone()),
            "environment" => Ok(order.inventory.environment.clone()),
            "instance" => instance
                .map(|one| one.name.clone())
                .ok_or("name it with --instance"),
            "host" => instance
                .map(|one| one.host.clone())
                .ok_or("name its --instance"),
            "utc" => Ok(order.now.strftime("%Y%m%dT%H%M%SZ").to_string()),
            _ => Err("it stands for nothing"),
        };
        match said {
            Ok(value) if is_name => {
                name.push_str(&crate::sign::manifest::portable_name(&value).replace('/', "_"));
            }
            Ok(value) => name.push_str(&value),
            Err(hint) => {
                let why = format!("{what} needs `{{{field}}}`");
                let known = (why, hint.to_owned());
                if !wrong.contains(&known) {
                    wrong.push(known);
                }
            }
        }
        rest = behind;
    }
    name.push_str(rest);
    (name, wrong)
}

/// The last process test with this vendor that is less than a quarter ago, by the receipts that are kept.
fn tested_lately(order: &Order<'_>) -> Result<Option<String>, Wrong> {
    let since = order.now - (i64::from(Drill::INTERVAL) * 24).hours();
    let all = receipt::read_all(order.receipts)?;
    let last = all
        .into_iter()
        .filter(|one| one.process_test && one.vendor == order.vendor)
        .filter_map(|one| one.started.parse::<Timestamp>().ok())
        .filter(|at| *at > since)
        .max();
    Ok(last.map(time::rfc3339))
}

/// What came of it.
pub struct Delivered {
    /// The receipt.
    pub receipt: Receipt,
    /// Why it failed, where it did.
    pub refused: Option<intake::Refused>,
}

/// Sends it.
///
/// # Errors
/// Why it was not sent at all.
pub fn send(
    order: &Order<'_>,
    plan: &Plan<'_>,
    deadline: std::time::Duration,
) -> Result<Delivered, intake::Refused> {
    intake::ready(plan.intake)?;
    let started = time::now();
    let sent = intake::deliver(plan.intake, &plan.parcel, deadline);
    let refused = match &sent {
        Ok(_) => None,
        Err(refused) => Some(refused.clone()),
    };
    if let Some(refused) = &refused
        && refused.left.is_none()
        && !refused.damaged
    {
        return Err(refused.clone());
    }
    let receipt = Receipt::of(order, plan, &sent, started, time::now());
    Ok(Delivered { receipt, refused })
}

/// Where a file of that name goes by this way, as people write it.
pub(super) fn place(intake: &Intake, name: &str) -> String {
    match &intake.to {
        IntakeTo::Sftp {
            host,
            port,
            user,
            directory,
            ..
        } => {
            let folder = directory.as_deref().map_or_else(
                || "~/".to_owned(),
                |folder| format!("{}/", folder.trim_end_matches('/')),
            );
            format!(
                "sftp {user}@{}, {folder}{name}",
                text::endpoint(host, *port)
            )
        }
        IntakeTo::Https { link, .. } => {
            format!("https PUT {}/{name}", link.url.trim_end_matches('/'))
        }
        IntakeTo::Email { to, by } => {
            let by = by.as_ref();
            let by = by.map_or_else(String::new, |by| {
                format!(
                    " from {} by {}",
                    by.from,
                    text::endpoint(&by.desk.host, by.desk.port)
                )
            });
            format!("e-mail to {to}{by}, attachment {name}")
        }
    }
}

/// Where receipts are kept when nobody says: beside the bundle.
#[must_use]
pub fn beside(bundle: &Path) -> PathBuf {
    let folder = bundle
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_owned()
}
