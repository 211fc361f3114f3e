//! keyboard-interactive: answers to the questions that a server asks, from the environment or from
//! commands of ours. A question without an answer ends the connection before anything is sent, and
//! so does one for a *new* password: to answer that would change the account.

use ssh2::{KeyboardInteractivePrompt, Prompt};
use zeroize::Zeroizing;

use super::answer_command;
use super::story::Story;
use super::{Problem, keyring, own};
use crate::failure::Failure;
use crate::inventory::{Answer, AnswerFrom};
use crate::text;
use crate::transport::actor::Deadline;
use crate::transport::far::Far;

/// Answers with what the inventory gives.
pub(super) fn log_in(
    far: &Far,
    story: &mut Story,
    answers: &[Answer],
    deadline: &Deadline,
) -> Result<(), Problem> {
    // What is not set is found out before the server begins to ask.
    for answer in answers {
        if let AnswerFrom::Env(env) = &answer.from {
            keyring::variable(env, "answer")?;
        }
    }
    talk(far, story, answers.iter().collect(), false, deadline)
}

/// Gives a password to the first question that hides its answer, and to no other.
pub(super) fn log_in_by_password(
    far: &Far,
    story: &mut Story,
    env: &str,
    deadline: &Deadline,
) -> Result<(), Problem> {
    let answer = Answer {
        from: AnswerFrom::Env(env.to_owned()),
        prompt: None,
    };
    talk(far, story, vec![&answer], true, deadline)
}

fn talk(
    far: &Far,
    story: &mut Story,
    answers: Vec<&Answer>,
    hidden_only: bool,
    deadline: &Deadline,
) -> Result<(), Problem> {
    let mut talk = Talk {
        left: answers,
        hidden_only,
        given: 0,
        deadline,
        failure: None,
        hang_up: &|| far.kill(),
    };
    let user = &far.login.user;
    let done = far.session.userauth_keyboard_interactive(user, &mut talk);
    let Talk { given, failure, .. } = talk;
    story.tried_answer |= given > 0;
    match failure {
        Some(failure) => Err(Problem::Own(Box::new(failure))),
        None => done.map_err(Problem::Far),
    }
}

struct Talk<'a> {
    /// Answers not given yet.
    left: Vec<&'a Answer>,
    hidden_only: bool,
    given: usize,
    deadline: &'a Deadline,
    failure: Option<Failure>,
    /// Ends the connection, so that libssh2 cannot send what it got instead of answers.
    hang_up: &'a dyn Fn(),
}

impl KeyboardInteractivePrompt for Talk<'_> {
    fn prompt(&mut self, _: &str, instructions: &str, prompts: &[Prompt<'_>]) -> Vec<String> {
        let mut answers = Vec::with_capacity(prompts.len());
        for prompt in prompts {
            match self.answer(instructions, prompt) {
                Ok(answer) => answers.push(answer),
                Err(failure) => {
                    (self.hang_up)();
                    self.failure.get_or_insert(failure);
                    return Vec::new();
                }
            }
        }
        // libssh2 takes them over and frees them; there is no wiping behind that.
        answers.iter().map(|answer| answer.to_string()).collect()
    }
}

impl Talk<'_> {
    fn answer(
        &mut self,
        instructions: &str,
        prompt: &Prompt<'_>,
    ) -> Result<Zeroizing<String>, Failure> {
        let question = prompt.text.trim();
        let quoted = text::clip(question, 120);
        if wants_new_password(question) {
            return Err(own(
                "a login that asks for no new password",
                format!("the password has expired: the server asks \"{quoted}\""),
                "nothing was answered and nothing changed: log in by hand (`ssh`), set a new password, then \
                 run again (`chage -l` on the server shows the dates)",
            ));
        }
        let fits = |answer: &&Answer| match &answer.prompt {
            Some(pattern) => pattern.0.is_match(&prompt.text),
            None => !(self.hidden_only && prompt.echo),
        };
        // A pattern that fits says more than an order.
        let named = |answer: &&Answer| answer.prompt.is_some() && fits(answer);
        let at = self.left.iter().position(named);
        let Some(at) = at.or_else(|| self.left.iter().position(fits)) else {
            return Err(self.unanswered(instructions, &quoted));
        };
        let answer = self.left.remove(at);
        let value = match &answer.from {
            AnswerFrom::Env(env) => keyring::variable(env, "answer")?,
            AnswerFrom::Command(words) => answer_command::run(words, self.deadline)?,
        };
        self.given += 1;
        Ok(value)
    }

    fn unanswered(&self, instructions: &str, question: &str) -> Failure {
        let mut actual = format!("no answer is left that fits the question \"{question}\"");
        let instructions = instructions.trim();
        if !instructions.is_empty() {
            actual.push_str(&format!(
                ", before which it says \"{}\"",
                text::clip(instructions, 200)
            ));
        }
        let given = text::count(self.given, "question");
        if self.given > 0 {
            actual.push_str(&format!(" ({given} before it answered)"));
        }
        own(
            "an answer to each question of the server",
            actual,
            "add `{env: NAME}` or `{command: […]}` for it to `keyboard_interactive`, with a `prompt` that \
             fits; a question that comes again means that the answer before was wrong, and nothing is \
             answered twice",
        )
    }
}

/// PAM asks so when a password has expired (pam_unix(8), pam_chauthtok(3)), and a token server for a new
/// PIN. In English, which is what sshd and PAM speak unless somebody changed it.
fn wants_new_password(question: &str) -> bool {
    const CHANGES: [&str; 10] = [
        "new", "retype", "re", "reenter", "repeat", "confirm", "change", "changing", "current",
        "old",
    ];
    let low = question.to_lowercase();
    let mut words = low.split(|c: char| !c.is_alphanumeric());
    let is_secret = |word: &str| word.starts_with("passw") || word == "passphrase" || word == "pin";
    words.clone().any(is_secret) && words.any(|word| CHANGES.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_that_change_an_account_are_known() {
        for question in [
            "New password: ",
            "Retype new password:",
            "(current) UNIX password:",
            "Current password: ",
            "Enter new PIN:",
            "Confirm password",
            "Old Password: ",
            "You are required to change your password immediately.\nPassword: ",
        ] {
            assert!(wants_new_password(question), "{question}");
        }
        for question in [
            "Password: ",
            "Verification code: ",
            "(ops@h) Password:",
            "PIN:",
            "Wait for the token code to change, then enter the new token code:",
            "One-time password (OATH) for `ops':",
            "",
        ] {
            assert!(!wants_new_password(question), "{question}");
        }
    }
}
