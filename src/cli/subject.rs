//! What a run is made for: `--commit` and `--release` of `run`, and how `verify` reads the same words. Nothing
//! is taken from the environment unless who runs it says so.

use clap::Args;
use jiff::Timestamp;

use super::fault::{Exit, Fault};
use crate::digest::Sha256;
use crate::report::schema::Subject;
use crate::report::subject::is_commit;
use crate::text::escape;

/// Variables in which CI servers tell the commit of their job: GitHub Actions, GitLab CI, Jenkins.
const VARIABLES: [&str; 3] = ["GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT"];
const WHOLE: &str = "a whole commit id is expected: 40 or 64 hexadecimal digits, lower case";

/// What the run is made for.
#[derive(Args, Clone, Default)]
pub(super) struct Made {
    /// The commit that is to go live on this run: 40 or 64 hexadecimal digits, or `ci` for what the CI server's
    /// own variable says (GITHUB_SHA, CI_COMMIT_SHA, GIT_COMMIT)
    #[arg(long, value_name = "SHA", value_parser = commit_or_ci)]
    pub commit: Option<String>,
    /// SHA-256 of the release that is to go live on this run
    #[arg(long, value_name = "sha256:…", value_parser = release)]
    pub release: Option<Sha256>,
}

/// What a run must have been made for.
#[derive(Args, Clone, Default)]
pub(super) struct MadeFor {
    /// The run must have been made for this commit: 40 or 64 hexadecimal digits
    #[arg(long, value_name = "SHA", value_parser = commit)]
    pub commit: Option<String>,
    /// The run must have been made for the release with this digest
    #[arg(long, value_name = "sha256:…", value_parser = release)]
    pub release: Option<Sha256>,
    /// The run must have been made for this very go-live, such as 2026-12-02T01:30:00-08:00, which is held to the
    /// release windows of the vendors in its inventory, asked for by its features or not
    #[arg(long, value_name = "TIME", value_parser = crate::time::instant)]
    pub go_live: Option<Timestamp>,
    /// And for a go-live that is over at this very time
    #[arg(long, value_name = "TIME", value_parser = crate::time::instant, requires = "go_live")]
    pub go_live_until: Option<Timestamp>,
}

impl Made {
    /// As the report tells it.
    pub(super) fn told(&self) -> Result<Option<Subject>, Fault> {
        let commit = match self.commit.as_deref() {
            Some("ci") => Some(of_ci(|name| std::env::var(name).ok())?),
            other => other.map(str::to_owned),
        };
        let release = self.release.map(|digest| digest.to_string());
        let is_said = commit.is_some() || release.is_some();
        Ok(is_said.then_some(Subject { commit, release }))
    }
}

/// Two variables that tell two commits tell none.
fn of_ci(variable: impl Fn(&str) -> Option<String>) -> Result<String, Fault> {
    let refuse = |message: String, hint: &str| Err(Fault::new(Exit::Refused, message, hint));
    let hint = "write the commit out: --commit SHA";
    let told = VARIABLES
        .iter()
        .filter_map(|name| Some((*name, variable(name)?)));
    let told: Vec<_> = told.filter(|(_, value)| !value.is_empty()).collect();
    match told.as_slice() {
        [] => refuse(
            format!(
                "no variable of a CI server tells the commit ({})",
                VARIABLES.join(", ")
            ),
            hint,
        ),
        [(name, first), rest @ ..] => {
            if let Some((other, _)) = rest.iter().find(|(_, value)| value != first) {
                return refuse(format!("{name} and {other} tell two commits"), hint);
            }
            match is_commit(first) {
                true => Ok(first.clone()),
                false => refuse(
                    format!("{name} tells no commit: `{}`", escape(first)),
                    WHOLE,
                ),
            }
        }
    }
}

fn commit_or_ci(text: &str) -> Result<String, String> {
    match text {
        "ci" => Ok(text.to_owned()),
        text => commit(text),
    }
}

/// A whole commit id.
pub(super) fn commit(text: &str) -> Result<String, String> {
    match is_commit(text) {
        true => Ok(text.to_owned()),
        false => Err(WHOLE.to_owned()),
    }
}

/// `sha256:` and the digest.
pub(super) fn release(text: &str) -> Result<Sha256, String> {
    let digits = text.strip_prefix("sha256:");
    let digest = digits.and_then(|digits| digits.parse().ok());
    digest.ok_or_else(|| "`sha256:` and 64 hexadecimal digits are expected".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_of_the_ci_server_is_one() {
        let (one, other) = ("ab".repeat(20), "cd".repeat(20));
        let ask = |told: &[(&str, &str)]| {
            let find = |name: &str| told.iter().find(|(known, _)| *known == name);
            of_ci(|name| find(name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(ask(&[("GITHUB_SHA", &one)]).unwrap(), one);
        let both = [("CI_COMMIT_SHA", one.as_str()), ("GIT_COMMIT", &one)];
        assert_eq!(ask(&both).unwrap(), one);
        assert_eq!(
            ask(&[("GITHUB_SHA", ""), ("GIT_COMMIT", &one)]).unwrap(),
            one
        );
        for bad in [
            &[][..],
            &[("GITHUB_SHA", "")],
            &[("GITHUB_SHA", "main")],
            &[("GITHUB_SHA", &one), ("GIT_COMMIT", &other)],
            &[("OTHER", &one)],
        ] {
            assert_eq!(ask(bad).unwrap_err().exit, Exit::Refused, "{bad:?}");
        }
    }

    #[test]
    fn a_release_is_a_digest() {
        let digest = Sha256::of(b"app");
        assert_eq!(release(&format!("sha256:{digest}")), Ok(digest));
        for bad in ["", "v1", "sha256:", "sha256:ab", &digest.to_string()] {
            assert!(release(bad).is_err(), "{bad}");
        }
        assert!(commit("ci").is_err());
        assert_eq!(commit_or_ci("ci").as_deref(), Ok("ci"));
    }
}
