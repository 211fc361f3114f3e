//! `verify --drills FOLDER`, and `drill:` of a policy: whether the support process was rehearsed lately with each
//! vendor of the run. What a drill is and which one counts is `report/drill/`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;

use super::args::{Verify, duration};
use super::fault::{Exit, Fault};
use super::{people, signers};
use crate::case::rehearsed;
use crate::inventory::Drill;
use crate::inventory::policy::Rehearsed;
use crate::report::drill::{Folder, Sealed};
use crate::report::verify::{Ruling, Verified};
use crate::run::again;
use crate::sign::allowed_signers::AllowedSigners;
use crate::text::escape;
use crate::time;

/// What is demanded of drills.
#[derive(Args, Clone, Default, PartialEq, Eq)]
pub(super) struct Drilled {
    /// The folder of all sealed drills: with each vendor of the run's inventory there must be one of this
    /// environment that verifies, passed, and was signed off; --allowed-signers says who seals drills, too
    #[arg(long, value_name = "FOLDER", help_heading = "Drills")]
    pub drills: Option<PathBuf>,
    /// Who may sign drills off: names and keys in the format of allowed_signers
    #[arg(long, value_name = "FILE", help_heading = "Drills")]
    pub drill_people: Option<PathBuf>,
    /// Most time since the drill began [default: 92d]
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Drills")]
    pub drill_within: Option<Duration>,
    /// With this vendor, whatever the inventory has, instead of with each of it
    #[arg(long, value_name = "NAME", help_heading = "Drills")]
    pub drill_vendor: Vec<String>,
}

impl Drilled {
    fn is_asked(&self) -> bool {
        *self != Self::default()
    }

    /// What a policy demands beside the flags; the stricter holds.
    pub(super) fn tighten(&mut self, demanded: &Rehearsed) {
        let given = self
            .drill_within
            .map_or(demanded.within, |given| given.min(demanded.within));
        self.drill_within = Some(given);
        // Who names none demands all: a flag must not make it one.
        match demanded.vendors.is_empty() {
            true => self.drill_vendor.clear(),
            false if self.drill_vendor.is_empty() => {
                self.drill_vendor.clone_from(&demanded.vendors)
            }
            false => self.drill_vendor.extend(demanded.vendors.iter().cloned()),
        }
    }
}

/// Holds the run to the drills that are demanded; nothing where none is.
///
/// # Errors
/// When what was given cannot be read: nothing is judged.
pub(super) fn hold(
    args: &Verify,
    allowed: &AllowedSigners,
    verified: &Verified,
) -> Result<Ruling, Fault> {
    let asked = &args.drilled;
    if !asked.is_asked() {
        return Ok(Ruling::default());
    }
    let refuse = |message: String, hint: &str| Fault::new(Exit::Refused, message, hint);
    let (Some(path), Some(who)) = (&asked.drills, &asked.drill_people) else {
        return Err(refuse(
            "a drill is demanded, and not said where drills lie, or who signs them off".to_owned(),
            "--drills FOLDER names where all sealed drills are kept, --drill-people FILE who may sign them off",
        ));
    };
    if !path.is_dir() {
        let shown = path.to_string_lossy();
        return Err(refuse(
            format!("there is no folder `{}`", escape(&shown)),
            "--drills names the folder in which all sealed drills are kept",
        ));
    }
    let revoked = args.revoked.as_deref().map(signers::revoked).transpose()?;
    let people = people::people(who)?.without(revoked.unwrap_or_default());
    let folder = match Folder::read(path) {
        Ok(folder) => folder,
        // The chain is no input of whoever asks: it is what does not hold.
        Err(why) => return Ok(short(vec![format!("drills: {why}")])),
    };
    let vendors = match vendors(args, verified) {
        Ok(vendors) => vendors,
        Err(why) => return Ok(short(vec![why])),
    };
    let sealed = Sealed {
        path,
        folder,
        allowed,
        people: &people,
        opened: &rehearsed::held,
    };
    let within = asked.drill_within.unwrap_or_else(quarter);
    let environment = &verified.report().run.scope.environment;
    let (now, mut ruling) = (time::now(), Ruling::default());
    for vendor in &vendors {
        one(&sealed, vendor, environment, within, now, &mut ruling);
    }
    Ok(ruling)
}

/// What `drill: interval` of a vendor is, too, where nothing is said.
fn quarter() -> Duration {
    Duration::from_secs(u64::from(Drill::INTERVAL) * 86_400)
}

fn short(reasons: Vec<String>) -> Ruling {
    Ruling {
        reasons,
        ..Ruling::default()
    }
}

/// With whom a drill is demanded.
fn vendors(args: &Verify, verified: &Verified) -> Result<BTreeSet<String>, String> {
    let named = &args.drilled.drill_vendor;
    if !named.is_empty() {
        return Ok(named.iter().cloned().collect());
    }
    let plan = again(verified.report(), &args.run)
        .map_err(|why| format!("drills: with whom is not known, the run's inventory: {why}"))?;
    let vendors = plan.inventory.vendors.iter();
    let vendors: BTreeSet<String> = vendors.map(|vendor| vendor.name.clone()).collect();
    match vendors.is_empty() {
        true => {
            Err("drills: the run's inventory has no vendor, and a drill is with one".to_owned())
        }
        false => Ok(vendors),
    }
}

fn one(
    sealed: &Sealed<'_>,
    vendor: &str,
    environment: &str,
    within: Duration,
    now: Timestamp,
    ruling: &mut Ruling,
) {
    let (counted, against) = sealed.newest(vendor, environment, now);
    let with = format!(
        "drill with `{}` in `{}`",
        escape(vendor),
        escape(environment)
    );
    let Some(counted) = counted else {
        let why = match against.is_empty() {
            true => "there is none".to_owned(),
            false => against.join("; "),
        };
        ruling.reasons.push(format!("{with}: {why}"));
        return;
    };
    let told = against.iter().map(|why| format!("{with}: {why}"));
    ruling.warnings.extend(told);
    let unproven = counted.unproven.iter();
    let unproven = unproven.map(|why| format!("{with}: `{}`: {why}", escape(&counted.name)));
    ruling.warnings.extend(unproven);
    // No reason tells the time of day: two people break the one that they have seen.
    let age = now.duration_since(counted.began);
    let is_old = Duration::try_from(age).is_ok_and(|age| age > within);
    let name = escape(&counted.name).into_owned();
    if is_old {
        ruling.reasons.push(format!(
            "{with}: `{name}`, the newest that counts, began on {}, and at most {} since then is demanded",
            counted.day(),
            time::say(within)
        ));
    }
    for finding in counted.overdue(now) {
        ruling.warnings.push(format!(
            "{with}: finding {} of `{name}` was due on {}, and whether it is done the next drill tells: {}",
            finding.id,
            finding.due,
            escape(&finding.what)
        ));
    }
}
