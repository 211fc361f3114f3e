//! Whether two people take it upon themselves to deploy although an accepted run says NO-GO or HOLD. The verdict
//! stays what it is; only `gonogo break-glass check` asks for this.

use jiff::Timestamp;

use super::Verified;
use super::demands::SKEW;
use super::people::makers;
use crate::report::answer::Answer;
use crate::report::beside::{Paper, Purpose, papers};
use crate::report::break_glass::{BreakGlass, beyond, noes};
use crate::sign::allowed_signers::{AllowedSigners, Signer};
use crate::sign::people::{BREAK_GLASS, People};
use crate::text::escape;
use crate::time::rfc3339;
use crate::verdict::Decision;

/// Who may break it, and whose keys are for something else.
#[derive(Clone, Copy, Debug)]
pub struct Breakers<'a> {
    /// Who may, with keys for this alone.
    pub signers: &'a People,
    /// Who may sign runs.
    pub runners: &'a AllowedSigners,
    /// Who may approve, and who may answer.
    pub others: &'a [&'a People],
    /// Whether it was said who may answer: else a `failed` among the answers is not heard.
    pub heard: bool,
    /// Whether it was said who may approve waivers: else failures may be hidden behind them.
    pub proven: bool,
    /// What the gate says, and why: as `verify` tells it with the same options.
    pub gate: (Decision, &'a [String]),
    /// SHA-256 of the policy under which it says so.
    pub policy: Option<&'a str>,
    /// Now.
    pub now: Timestamp,
}

/// What was found of requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Broken {
    /// The request that holds: until when, by whom, why, in one line. Nothing where none does.
    pub allowed: Option<String>,
    /// What does not count, each with its reason.
    pub warnings: Vec<String>,
}

impl Verified {
    /// Looks for a request beside the run that two people signed, and that holds now. A GO needs none.
    #[must_use]
    pub fn broken(&self, breakers: &Breakers<'_>) -> Broken {
        let found = match papers(&self.sealed().dir, Purpose::BreakGlass) {
            Ok(found) => found,
            Err(cause) => {
                return Broken {
                    allowed: None,
                    warnings: vec![format!("break-glass requests cannot be read: {cause}")],
                };
            }
        };
        let mut broken = Broken::default();
        let scope = &self.report().run.scope;
        if scope.partial || scope.shard.is_some() || self.report().run.aborted.is_some() {
            let part = "a run that was filtered, ended early or is a shard tells of a part: nobody breaks the glass over it";
            broken.warnings.push(part.to_owned());
            return broken;
        }
        if !breakers.heard && !self.is_unanswered() {
            let unheard = "answers lie beside the run, and a `failed` may be among them: break-glass needs --answerers FILE";
            broken.warnings.push(unheard.to_owned());
            return broken;
        }
        if !breakers.proven && self.report().counts.waived > 0 {
            let unproven = "failures are waived in the run, and nobody said who may approve that: break-glass needs --approvers FILE";
            broken.warnings.push(unproven.to_owned());
            return broken;
        }
        for paper in &found {
            match self.holds(paper, breakers) {
                Ok(told) => broken.allowed = broken.allowed.or(Some(told)),
                Err(why) => broken.warnings.push(format!(
                    "a break-glass request does not count: {}: {}",
                    escape(&paper.name),
                    escape(&why)
                )),
            }
        }
        if found.is_empty() {
            let none = "no break-glass request lies beside the run";
            broken.warnings.push(none.to_owned());
        }
        broken
    }

    fn is_unanswered(&self) -> bool {
        let answers = papers(&self.sealed().dir, Purpose::Answer);
        answers.is_ok_and(|answers| answers.is_empty())
    }

    fn holds(&self, paper: &Paper, breakers: &Breakers<'_>) -> Result<String, String> {
        let bytes = paper.bytes.as_ref().map_err(ToString::to_string)?;
        let request = BreakGlass::read(bytes)?;
        self.is_of_this_run(&request)?;
        let [from, until] = request.life()?;
        self.knew(&request, from)?;
        self.is_of_this_gate(&request, breakers)?;
        let now = breakers.now;
        if from.duration_since(now) > SKEW {
            return Err(format!(
                "it holds from {} on, it is {} now",
                rfc3339(from),
                rfc3339(now)
            ));
        }
        if now >= until {
            return Err(format!(
                "it ended at {}, it is {} now",
                rfc3339(until),
                rfc3339(now)
            ));
        }
        let people = self.signers(paper, bytes, breakers)?;
        let is_requester =
            |one: &Signer| breakers.signers.are_one(&one.identity, &request.requester);
        if !people.iter().flatten().any(is_requester) {
            let requester = &request.requester;
            return Err(format!("`{requester}`, who asks for it, did not sign it"));
        }
        let names = people.iter().filter_map(|person| person.first());
        let names: Vec<_> = names
            .map(|one| format!("{} ({})", one.identity, one.fingerprint))
            .collect();
        Ok(format!(
            "{}, deployment allowed by break-glass until {} by {}, {}: {}",
            breakers.gate.0.as_str(),
            rfc3339(until),
            names.join(" and "),
            request.ticket,
            request.reason
        ))
    }

    fn is_of_this_run(&self, request: &BreakGlass) -> Result<(), String> {
        let report = self.report();
        if request.manifest != self.sealed().digest.to_string() || request.run != report.run.id {
            return Err(format!("it is for run {}, not for this one", request.run));
        }
        if request.environment != report.run.scope.environment {
            return Err(format!("it is for environment `{}`", request.environment));
        }
        let counts = &report.counts;
        match (request.failed, request.pending) == (counts.failed, counts.pending) {
            true => Ok(()),
            false => Err("it tells other sums than the run".to_owned()),
        }
    }

    /// What two people break is a refusal that they knew: under this policy, of this verdict, for these reasons.
    fn is_of_this_gate(&self, request: &BreakGlass, breakers: &Breakers<'_>) -> Result<(), String> {
        let (decision, reasons) = breakers.gate;
        match (request.policy.as_deref(), breakers.policy) {
            (one, other) if one == other => {}
            (Some(other), Some(_)) => {
                return Err(format!(
                    "it is for a refusal under another policy, sha256:{other}"
                ));
            }
            (Some(other), None) => {
                return Err(format!(
                    "it is for a refusal under the policy sha256:{other}, and none is given: --policy FILE"
                ));
            }
            (None, _) => {
                let why = "it was asked for without the policy that refuses the run: ask for it with --policy FILE";
                return Err(why.to_owned());
            }
        }
        let own = &self.report().verdict.decision;
        let is_told = request.verdict == decision.as_str()
            || (request.policy.is_none() && request.verdict == *own);
        match decision {
            Decision::Go => return Err("the run is GO: there is nothing to break".to_owned()),
            _ if !is_told => return Err("it tells another verdict than the gate".to_owned()),
            _ => {}
        }
        let against = beyond(reasons, &self.verdict().reasons);
        match against.iter().find(|one| !request.against.contains(one)) {
            Some(more) => Err(format!(
                "the gate has more against the run than it tells: {more}"
            )),
            None => Ok(()),
        }
    }

    /// Nobody answers for what they could not know.
    fn knew(&self, request: &BreakGlass, from: Timestamp) -> Result<(), String> {
        let run = &self.report().run;
        let time = |text: &str| {
            text.parse::<Timestamp>()
                .map_err(|_| "the run tells no end".to_owned())
        };
        if time(&run.finished)?.duration_since(from) > SKEW {
            return Err("it was asked for before the run ended".to_owned());
        }
        let noes = noes(&self.sealed().dir, &request.manifest)?;
        if let Some(gone) = request.noes.iter().find(|one| !noes.contains_key(*one)) {
            return Err(format!(
                "an answer `failed` that it knows of lies here no more (sha256:{gone}): put it back, or ask anew why it is gone"
            ));
        }
        // No clock is asked: an answer that is not in the request was not known to who signed it.
        let unknown = noes
            .iter()
            .filter(|(digest, _)| !request.noes.contains(digest));
        let mut unknown = unknown.map(|(_, answer)| answer);
        match unknown.find(|answer| self.is_heard(answer)) {
            None => Ok(()),
            Some(answer) => Err(format!(
                "{} answered `failed`, at {}, which it does not know of: ask for it anew",
                answer.identity, answer.answered
            )),
        }
    }

    /// Whether that answer is one of those that count.
    fn is_heard(&self, answer: &Answer) -> bool {
        let mut checks = self.answered().checks.iter();
        let given = checks.find(|check| check.id == answer.check);
        given.is_some_and(|check| {
            check.answers.iter().any(|one| {
                !one.passed
                    && (&one.identity, &one.at, &one.statement)
                        == (&answer.identity, &answer.answered, &answer.statement)
            })
        })
    }

    /// Two people at least, with keys of their own for this alone.
    fn signers(
        &self,
        paper: &Paper,
        bytes: &[u8],
        breakers: &Breakers<'_>,
    ) -> Result<Vec<Vec<Signer>>, String> {
        let (mut signers, mut faults) = (Vec::new(), Vec::new());
        for (name, signature) in &paper.signatures {
            let people = breakers.signers;
            let judged = signature.as_ref().map_err(ToString::to_string);
            let judged = judged.and_then(|signature| {
                let verified = people.verify(None, BREAK_GLASS, bytes, signature, breakers.now);
                let one = verified.map_err(|fault| fault.to_string())?;
                self.may_break(&one, breakers).map(|()| one)
            });
            match judged {
                Ok(one) => signers.push(one),
                Err(why) => faults.push(format!("{name}: {why}")),
            }
        }
        let people = breakers.signers.apart(signers);
        if people.len() >= 2 {
            return Ok(people);
        }
        let names = people.iter().flatten().map(|one| one.identity.as_str());
        let names: Vec<_> = names.collect();
        let mut why = format!("{} of 2 people signed it", people.len());
        if !names.is_empty() {
            why += &format!(": {}", names.join(", also "));
        }
        for fault in faults {
            why += &format!("; {fault}");
        }
        Err(why)
    }

    fn may_break(&self, one: &Signer, breakers: &Breakers<'_>) -> Result<(), String> {
        let key = one.fingerprint.as_str();
        if breakers.signers.is_of([&one.identity, key], &makers(self)) {
            return Err("who signs the run does not break it".to_owned());
        }
        if one.certified.is_some() {
            return Err(
                "a certificate does not count here: the key itself is to be listed".to_owned(),
            );
        }
        if !one.named || crate::sign::people::is_role(&one.identity) {
            return Err("its line names nobody".to_owned());
        }
        if !breakers.signers.holds_only_for(key, BREAK_GLASS) {
            return Err(format!(
                "its line does not say namespaces=\"{BREAK_GLASS}\", and nothing else: this key is for breaking alone"
            ));
        }
        if breakers.runners.holds(key) || breakers.others.iter().any(|people| people.holds(key)) {
            return Err(
                "the key may sign runs, approve or answer too: this key is for breaking alone"
                    .to_owned(),
            );
        }
        Ok(())
    }
}
