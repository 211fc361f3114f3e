//! Quoting for the far side's shells. Knows two layers: the POSIX `sh` that runs our script, and the
//! account's login shell, whatever it is, that is handed the whole line. Expands nothing.

/// `words` as POSIX shell words, so that `sh` sees exactly these arguments.
#[must_use]
pub fn words<S: AsRef<str>>(words: &[S]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| posix(word.as_ref())).collect();
    quoted.join(" ")
}

fn posix(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The line for the login shell: `sh -c` with the script as its one argument.
///
/// `'`, `\` and `!` stand outside the quotes, each behind a backslash: the one spelling on which
/// POSIX shells, csh (history in single quotes) and fish (backslash in single quotes) agree. No
/// `exec`, for a restricted shell refuses it. A newline stays; csh alone cannot take it.
pub(super) fn login_line(script: &str) -> String {
    let mut line = String::with_capacity(script.len() + 32);
    line.push_str("sh -c '");
    for c in script.chars() {
        match c {
            '\'' | '\\' | '!' => {
                line.push_str("'\\");
                line.push(c);
                line.push('\'');
            }
            c => line.push(c),
        }
    }
    line.push('\'');
    line
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const NASTY: [&str; 12] = [
        "plain",
        "",
        "two words",
        "it's",
        r"back\slash \\ \n",
        "$(id) `id` $HOME ${x}",
        "bang! !! !$",
        "*?[a-z]{a,b}~",
        "-n",
        "a\nb\tc",
        "; rm -rf / & | > <",
        "żółw 東京 '\\''",
    ];

    // Each shell gets the line as sshd would hand it over, and prints what arrived.
    #[test]
    fn every_word_arrives_as_it_was_in_every_shell_here() {
        let mut tried = 0;
        for shell in ["sh", "bash", "dash", "rbash", "zsh", "fish", "tcsh", "ksh"] {
            for nasty in NASTY {
                if shell == "tcsh" && nasty.contains('\n') {
                    continue;
                }
                let line = login_line(&words(&["printf", "%s", nasty]));
                let Ok(out) = Command::new(shell).arg("-c").arg(&line).output() else {
                    break;
                };
                tried += 1;
                assert_eq!(
                    String::from_utf8_lossy(&out.stdout),
                    nasty,
                    "{shell}: {line}"
                );
            }
        }
        assert!(tried >= NASTY.len(), "there is an sh on every runner");
    }

    #[test]
    fn the_line_keeps_dangerous_characters_out_of_the_quotes() {
        assert_eq!(login_line(r"a'b\c!d"), r"sh -c 'a'\''b'\\'c'\!'d'");
        assert_eq!(words(&["a", "it's"]), r"'a' 'it'\''s'");
    }
}
