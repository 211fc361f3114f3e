//! `verify --policy FILE` and `gonogo policy FILE`. A policy and the command line are read as one demand: the
//! stricter holds, and what contradicts each other is refused, so that no flag loosens what was reviewed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::args::Verify;
use super::fault::{Exit, Fault};
use super::{people, signers, term, timestamp};
use crate::digest::Sha256;
use crate::feature_files;
use crate::inventory::policy::{Bound, Folder, Policy};
use crate::problem::{Problem, Problems};
use crate::report::verify::STAMPED_WITHIN;
use crate::sign::allowed_signers::AllowedSigners;
use crate::sign::manifest::read_regular;
use crate::text::{defuse, escape};
use crate::time;

/// The namespace of signatures over policies.
const NAMESPACE: &str = "gonogo-policy@gonogo";
const MOST_BYTES: u64 = 64 << 20;

/// What a run is held to beside the flags.
#[derive(Args, Clone, Default)]
pub(super) struct Under {
    /// What is demanded of the run, in one reviewed file; where a flag demands more, that holds
    #[arg(long, value_name = "FILE", conflicts_with_all = ["signed_at", "allow_partial"], help_heading = "Policy")]
    pub policy: Option<PathBuf>,
    /// Who may sign policies (allowed_signers): FILE.sig beside the policy must be signed by one of them in the
    /// namespace gonogo-policy@gonogo
    #[arg(
        long,
        value_name = "FILE",
        requires = "policy",
        help_heading = "Policy"
    )]
    pub policy_signers: Option<PathBuf>,
    /// An earlier GO of the same environment: what it had must be in the run, as the policy's `coverage` says
    #[arg(long, value_name = "RUN", requires = "policy", help_heading = "Policy")]
    pub against: Option<PathBuf>,
}

/// Reads a policy as `verify --policy` does, needs no run, and says what it demands and what it does not. The
/// files that it names are read too. Exits with 2 when something is wrong with any of them.
#[derive(Args)]
pub(super) struct PolicyFile {
    /// The policy
    #[arg(value_name = "FILE")]
    pub policy: PathBuf,
    /// Who may sign policies: FILE.sig must be signed by one of them
    #[arg(long, value_name = "FILE")]
    pub policy_signers: Option<PathBuf>,
}

/// `gonogo policy`.
pub(super) fn policy(args: &PolicyFile) -> Result<Exit, Fault> {
    let policy = open(&args.policy, args.policy_signers.as_deref())?;
    let mut problems = Vec::new();
    files(&policy, &mut problems);
    Problems::unless_none(problems, ())?;
    let mut told = format!("policy       sha256:{}\n", policy.digest);
    for line in policy.say() {
        told += &format!("- {}\n", defuse(&escape(&line)));
    }
    term::out(&told);
    Ok(Exit::Go)
}

/// The arguments with everything in them that the policy demands, and the policy.
pub(super) fn rule(args: &Verify) -> Result<(Verify, Option<Policy>), Fault> {
    let mut args = args.clone();
    let Some(path) = &args.policy.policy else {
        if args.accept_version.is_some() && args.max_age.is_none() {
            let message = "--accept-version needs --max-age, or a policy";
            let hint = "without an age a run of any version is read";
            return Err(Fault::new(Exit::Refused, message, hint));
        }
        return Ok((args, None));
    };
    let policy = open(path, args.policy.policy_signers.as_deref())?;
    let mut problems = Vec::new();
    files(&policy, &mut problems);
    let mut both = Both {
        policy: &policy,
        problems,
    };
    both.names(&mut args);
    both.files(&mut args);
    both.named_there(&mut args);
    both.people(&mut args);
    both.older(&args);
    both.rehearsed(&mut args);
    Problems::unless_none(both.problems, ())?;
    let policy = Some(policy);
    Ok((args, policy))
}

/// The older versions whose runs are taken: of those that a policy takes, the one that a flag names.
pub(super) fn older(args: &Verify, policy: Option<&Policy>) -> Vec<String> {
    match (&args.accept_version, policy) {
        (Some(version), _) => vec![version.clone()],
        (None, Some(policy)) => policy.accept_versions.clone(),
        (None, None) => Vec::new(),
    }
}

fn open(path: &Path, signed_by: Option<&Path>) -> Result<Policy, Fault> {
    let policy = Policy::load(path)?;
    let Some(file) = signed_by else {
        return Ok(policy);
    };
    let refuse = |message: String, hint: &str| Fault::new(Exit::Refused, message, hint);
    let unreadable = |path: &Path, error: std::io::Error| {
        let path = path.to_string_lossy();
        let hint = format!("sign the policy: ssh-keygen -Y sign -n {NAMESPACE} -f KEY POLICY");
        refuse(format!("cannot read `{}`: {error}", escape(&path)), &hint)
    };
    let lines = read_regular(file, MOST_BYTES).map_err(|error| unreadable(file, error))?;
    let mut name = path.as_os_str().to_owned();
    name.push(".sig");
    let name = PathBuf::from(name);
    let armour = read_regular(&name, MOST_BYTES).map_err(|error| unreadable(&name, error))?;
    let allowed = AllowedSigners::parse(&lines);
    let signed = allowed.verify(None, NAMESPACE, &policy.bytes, &armour, time::now());
    signed.map_err(|fault| {
        let shown = path.to_string_lossy();
        refuse(
            format!("the policy `{}` is not signed: {fault}", escape(&shown)),
            fault.hint(),
        )
    })?;
    Ok(policy)
}

/// What is wrong with the files that the policy names.
fn files(policy: &Policy, problems: &mut Vec<Problem>) {
    let mut told = |key: &str, read: Result<(), Fault>| {
        if let Err(fault) = read {
            let hint = "paths in a policy start from its own folder";
            problems.push(policy.problem(key, fault.reason(), hint));
        }
    };
    if let Some(path) = &policy.inventory {
        told("inventory", digest(path).map(|_| ()));
    }
    if !policy.features.is_empty() {
        let found = feature_files::find(&policy.features);
        told("features", found.map(|_| ()).map_err(Fault::from));
    }
    if let Some(path) = &policy.revoked {
        told("revoked", signers::revoked(path).map(|_| ()));
    }
    if let Some(path) = &policy.approvers {
        told("approvers", people::people(path).map(|_| ()));
    }
    if let Some(path) = &policy.answerers {
        told("answerers", people::people(path).map(|_| ()));
    }
    if let Some(stamp) = &policy.time_stamp {
        let read = timestamp::authorities(&stamp.tsa_ca);
        told("time_stamp", read.map(|_| ()));
    }
    let drill = policy.drill.as_ref();
    if let Some(path) = drill.and_then(|drill| drill.people.as_ref()) {
        told("drill", people::people(path).map(|_| ()));
    }
    for (key, folder) in [
        ("history", policy.history.as_ref()),
        ("drill", drill.map(|drill| &drill.drills)),
    ] {
        if let Some(Folder::At(path)) = folder {
            let read = fs::read_dir(path).map(|_| ());
            let read = read.map_err(|error| unreadable(path, &error));
            told(key, read);
        }
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Fault {
    let message = format!("cannot read `{}`: {error}", escape(&path.to_string_lossy()));
    Fault::new(Exit::Refused, message, "")
}

fn digest(path: &Path) -> Result<Sha256, Fault> {
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
    Ok(Sha256::of(&bytes))
}

fn digests(paths: &[PathBuf]) -> Result<BTreeMap<String, Sha256>, Fault> {
    let found = feature_files::find(paths)?.into_iter();
    Ok(found.map(|file| (file.label, file.digest)).collect())
}

/// The policy and the command line beside each other.
struct Both<'p> {
    policy: &'p Policy,
    problems: Vec<Problem>,
}

impl Both<'_> {
    fn refuse(&mut self, key: &str, message: String, hint: &str) {
        self.problems.push(self.policy.problem(key, message, hint));
    }

    fn contradicts(&mut self, key: &str, flag: &str) {
        let message = format!("`{key}` and {flag} demand two things that exclude each other");
        self.refuse(
            key,
            message,
            "leave the flag out, or have the policy changed",
        );
    }

    /// Environment, age, signer.
    fn names(&mut self, args: &mut Verify) {
        let environment = &self.policy.environment;
        match &args.environment {
            Some(other) if other != environment => {
                self.contradicts("environment", "--environment");
            }
            _ => args.environment = Some(environment.clone()),
        }
        let most = self.policy.max_age;
        args.max_age = Some(args.max_age.map_or(most, |age| age.min(most)));
        let signers = &self.policy.signers;
        if let Some(identity) = &args.identity
            && !signers.is_empty()
            && !signers.contains(identity)
        {
            self.contradicts("signers", "--identity");
        }
    }

    /// One file of each kind: two that differ cannot both hold.
    fn files(&mut self, args: &mut Verify) {
        let policy = self.policy;
        let stamp = policy.time_stamp.as_ref();
        let tsa_ca = stamp.map(|stamp| stamp.tsa_ca.clone());
        let pairs = [
            (
                "inventory",
                "--inventory",
                &policy.inventory,
                &mut args.inventory,
            ),
            ("revoked", "--revoked", &policy.revoked, &mut args.revoked),
            (
                "approvers",
                "--approvers",
                &policy.approvers,
                &mut args.demand.approvers,
            ),
            (
                "answerers",
                "--answerers",
                &policy.answerers,
                &mut args.demand.answerers,
            ),
            ("time_stamp", "--tsa-ca", &tsa_ca, &mut args.tsa_ca),
        ];
        for (key, flag, demanded, given) in pairs {
            let Some(demanded) = demanded else { continue };
            match given
                .as_ref()
                .map(|given| (digest(given), digest(demanded)))
            {
                None => *given = Some(demanded.clone()),
                Some((Ok(one), Ok(other))) if one == other => {}
                // What cannot be read in the policy is told already.
                Some((_, Err(_))) => {}
                Some((Err(fault), _)) => self.refuse(key, fault.reason(), "see the flag"),
                Some(_) => self.contradicts(key, flag),
            }
        }
        if let Some(stamp) = stamp {
            args.require_timestamp = true;
            // What a policy leaves unsaid is a demand too: no flag makes it longer.
            let within = stamp.within.unwrap_or(STAMPED_WITHIN);
            let given = args.stamped_within;
            args.stamped_within = Some(given.map_or(within, |given| given.min(within)));
        }
        if policy.features.is_empty() {
            return;
        }
        if args.features.is_empty() {
            args.features.clone_from(&policy.features);
            return;
        }
        match (digests(&args.features), digests(&policy.features)) {
            (Ok(one), Ok(other)) if one != other => self.contradicts("features", "--features"),
            // What cannot be read is told by whoever reads it for `verify`.
            _ => {}
        }
    }

    /// What only the command line can know.
    fn named_there(&mut self, args: &mut Verify) {
        let policy = self.policy;
        let given = &mut args.made_for;
        let release = given.release.map(|digest| digest.to_string());
        let go_live = given.go_live.map(time::rfc3339);
        for (key, flag, bound, given) in [
            ("commit", "--commit SHA", &policy.commit, &given.commit),
            ("release", "--release sha256:…", &policy.release, &release),
            ("go_live", "--go-live TIME", &policy.go_live, &go_live),
        ] {
            match (bound, given) {
                (Some(Bound::Named), None) => self.not_given(key, flag),
                (Some(Bound::To(one)), Some(other)) if one != other => {
                    self.contradicts(key, flag);
                }
                _ => {}
            }
        }
        if let Some(Bound::To(commit)) = &policy.commit {
            given.commit = Some(commit.clone());
        }
        if let Some(Bound::To(release)) = &policy.release {
            given.release = release.parse().ok();
        }
        if let Some(Bound::To(go_live)) = &policy.go_live {
            given.go_live = go_live.parse().ok();
        }
        if policy.challenge && args.challenge.is_none() {
            self.not_given("challenge", "--challenge TEXT");
        }
        let whole = |path: &Path| path.canonicalize().ok();
        match (&policy.history, &args.history) {
            (Some(Folder::Named), None) => self.not_given("history", "--history DIR"),
            (Some(Folder::At(folder)), Some(other)) if whole(folder) != whole(other) => {
                self.contradicts("history", "--history");
            }
            (Some(Folder::At(folder)), _) => args.history = Some(folder.clone()),
            _ => {}
        }
        let has_base = args.history.is_some() || args.policy.against.is_some();
        if policy.coverage.is_some() && !has_base && policy.history.is_none() {
            self.not_given("coverage", "--history DIR, or --against RUN");
        }
        if policy.coverage.is_none() && args.policy.against.is_some() {
            let message = "--against without `coverage` in the policy".to_owned();
            let hint = "write `coverage: {last_go: required}` into it";
            self.refuse("", message, hint);
        }
    }

    fn not_given(&mut self, key: &str, flag: &str) {
        let message = format!("the policy demands `{key}`, and no {flag} is given");
        let hint = format!("give it to `verify`: {flag}");
        self.refuse(key, message, &hint);
    }

    fn people(&mut self, args: &mut Verify) {
        let demand = &mut args.demand;
        demand.require_approval = demand.require_approval.max(self.policy.approvals);
        demand.no_waivers |= self.policy.waivers.none;
        let within = [self.policy.answered_within, demand.answered_within];
        demand.answered_within = within.into_iter().flatten().min();
    }

    fn rehearsed(&mut self, args: &mut Verify) {
        let policy = self.policy;
        let Some(demanded) = &policy.drill else {
            return;
        };
        let given = &mut args.drilled;
        given.tighten(demanded);
        let whole = |path: &Path| path.canonicalize().ok();
        match (&demanded.drills, &given.drills) {
            (Folder::Named, None) => self.not_given("drill", "--drills FOLDER"),
            (Folder::At(folder), Some(other)) if whole(folder) != whole(other) => {
                self.contradicts("drill", "--drills");
            }
            (Folder::At(folder), _) => given.drills = Some(folder.clone()),
            (Folder::Named, Some(_)) => {}
        }
        match (&demanded.people, &given.drill_people) {
            (None, None) => self.not_given("drill", "--drill-people FILE"),
            (Some(file), None) => given.drill_people = Some(file.clone()),
            (Some(file), Some(other)) => match (digest(other), digest(file)) {
                (Ok(one), Ok(other)) if one != other => {
                    self.contradicts("drill", "--drill-people");
                }
                (Err(fault), _) => self.refuse("drill", fault.reason(), "see the flag"),
                _ => {}
            },
            (None, Some(_)) => {}
        }
    }

    /// A flag takes no run that the policy does not take.
    fn older(&mut self, args: &Verify) {
        let Some(version) = &args.accept_version else {
            return;
        };
        let known = &self.policy.accept_versions;
        if known.is_empty() {
            let message = "--accept-version without `accept_versions` in the policy".to_owned();
            let hint = format!("write `accept_versions: [{version}]` into it");
            self.refuse("", message, &hint);
        } else if !known.contains(version) {
            self.contradicts("accept_versions", "--accept-version");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// What a policy leaves unsaid of a stamp is 24 hours, and no flag makes it longer.
    #[test]
    fn the_shorter_time_to_a_stamp_holds() {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        for (within, given, holds) in [
            ("", None, 24),
            ("", Some(48), 24),
            ("", Some(1), 1),
            (", within: 2h", None, 2),
            (", within: 2h", Some(48), 2),
            (", within: 48h", Some(30), 30),
        ] {
            let stamp = format!("time_stamp: {{tsa_ca: tsa.pem{within}}}\n");
            let text = format!("environment: a\nmax_age: 24h\n{stamp}");
            let policy = Policy::parse(Path::new("policy.yaml"), text.into_bytes()).unwrap();
            let mut args = Verify {
                stamped_within: given.map(hours),
                ..Verify::default()
            };
            let mut both = Both {
                policy: &policy,
                problems: Vec::new(),
            };
            both.files(&mut args);
            assert!(both.problems.is_empty() && args.require_timestamp);
            assert_eq!(args.stamped_within, Some(hours(holds)), "{stamp}{given:?}");
        }
    }
}
