//! A script for `command=` and `ForceCommand` that runs the planned commands and nothing else. It takes the
//! request apart, compares it with the frame and with each planned command, and runs only what is equal.
//! Plain `sh`, no here-document (bash would write a file for it), no program but those it ends in.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{Asked, Granted, REQUESTS, Refusals, by_content, pattern};
use crate::inventory::Transport;
use crate::plan::{Planned, Visit, Word};
use crate::transport::{framed, quoted};

// No character of these stands in a frame.
const NONCE: &str = "\u{1}";
const COMMAND: &str = "\u{2}";

pub(super) fn write(asked: &Asked<'_>) -> Result<Granted, Refusals> {
    let mut bodies = Vec::new();
    for visit in &asked.visits {
        if visit.login.transport == Transport::Sftp {
            continue;
        }
        bodies.push((visit.host.clone(), body(visit)?));
    }
    if bodies.is_empty() {
        let message = format!(
            "team `{}` needs no script: it is sent no command",
            asked.team
        );
        let hint =
            "`--authorized-keys` and `--sshd-match` shut its accounts in internal-sftp".to_owned();
        return Err(vec![(message, hint)]);
    }
    let distinct = by_content(bodies);
    let [(hosts, body)] = &distinct[..] else {
        let hosts: Vec<String> = distinct.iter().map(|(hosts, _)| hosts.join(", ")).collect();
        let message = format!("hosts differ in what they need: {}", hosts.join(" · "));
        let hint = "print one script at a time with `--host`".to_owned();
        return Err(vec![(message, hint)]);
    };
    let head = asked.head(
        "the commands that an account may run",
        &remarks(asked, hosts),
    );
    Ok(Granted {
        text: format!("#!/bin/sh\n{head}\n{body}"),
        notes: Vec::new(),
    })
}

fn remarks(asked: &Asked<'_>, hosts: &[String]) -> Vec<String> {
    let script = asked.script();
    vec![
        format!("for {}", hosts.join(", ")),
        format!(
            "Install as root: sh -n FILE && install -D -o root -g root -m 0755 FILE {script}; it is named by \
             the rules of `gonogo plan --authorized-keys` and `--sshd-match`."
        ),
        "It runs in place of what the client asks for. From the request it takes the nonce of the frame, the size \
         of a file and a path that a planned pattern leads to; everything else has to be as it stands here."
            .to_owned(),
        "Not restricted: what a program does once it runs, which readable files SFTP reads, and other keys and \
         passwords of the account."
            .to_owned(),
    ]
}

fn body(visit: &Visit) -> Result<String, Refusals> {
    let planned = visit.planned();
    let mut out = BEGIN.to_owned();
    if visit.login.transport == Transport::Auto {
        out.push_str(&SFTP.replace("REQUESTS", REQUESTS));
    }
    out.push_str(UNQUOTE);
    let frame = framed(NONCE, COMMAND);
    let frame = inside(&frame).replace(NONCE, "$n");
    let (head, tail) = frame.split_once(COMMAND).unwrap_or((&frame, ""));
    let first = head.split("$n").next().unwrap_or_default();
    let _ = write!(
        out,
        "\n# The frame, whatever its nonce.\nn=${{s#\"{first}\"}} n=${{n%\"${{n#????????????????????????????????}}\"}}\n\
         case $n in *[!0-9a-f]*) refuse ;; esac\n[ ${{#n}} -eq 32 ] || refuse\n\
         head=\"{head}\"\ntail=\"{tail}\"\n\
         m=${{s#\"$head\"}} m=${{m%\"$tail\"}}\n[ \"$s\" = \"$head$m$tail\" ] || refuse\n"
    );
    if planned.iter().any(|planned| {
        planned
            .words
            .iter()
            .any(|word| !matches!(word, Word::Exact(_)))
    }) {
        out.push_str(LIKE);
    }
    out.push_str(FITS);
    out.push_str("\n# What was planned, and nothing else.\n");
    for line in lines(&planned)? {
        let _ = writeln!(out, "fits {line} && exec sh -c \"$s\"");
    }
    out.push_str("refuse\n");
    Ok(out)
}

fn lines(planned: &BTreeSet<Planned>) -> Result<Vec<String>, Refusals> {
    let (mut lines, mut refusals) = (Vec::new(), Vec::new());
    for planned in planned {
        match line(planned) {
            Some(line) => lines.push(line),
            None => refusals.push((
                format!("no script can allow exactly `{}`", planned.line()),
                "a pattern with such a bracket, or a control character in a word: name files more plainly, \
                 or let the account read by SFTP"
                    .to_owned(),
            )),
        }
    }
    match refusals.is_empty() {
        true => Ok(lines),
        false => Err(refusals),
    }
}

/// `"'head' '-c' '" SIZE "' '--' '/logs/" …`: literals, and between them what varies.
fn line(planned: &Planned) -> Option<String> {
    let (mut parts, mut literal) = (Vec::new(), String::new());
    let words = planned.sudo.iter().cloned().map(Word::Exact);
    for (at, word) in words.chain(planned.words.iter().cloned()).enumerate() {
        if at > 0 {
            literal.push(' ');
        }
        let hole = match &word {
            Word::Exact(word) if word.contains(char::is_control) => return None,
            Word::Exact(word) => {
                literal.push_str(&quoted(&[word]));
                continue;
            }
            // Both are digits that do not begin with 0.
            Word::Size | Word::Nonce => "SIZE".to_owned(),
            Word::Fresh { before, after } => {
                if before.contains(char::is_control) || after.contains(char::is_control) {
                    return None;
                }
                // Within one word: its quotes stay open around what varies.
                let (before, after) = (quoted(&[before]), quoted(&[after]));
                literal.push_str(before.strip_suffix('\'').unwrap_or(&before));
                parts.push(format!("\"{}\"", inside(&literal)));
                let after = after.strip_prefix('\'').unwrap_or(&after);
                // What varies ends at the next quote.
                let (known, rest) = after.split_at(after.find('\'').unwrap_or(after.len()));
                parts.push(format!("\"CHOSEN{}\"", inside(known)));
                rest.clone_into(&mut literal);
                continue;
            }
            Word::Path(path) if path.contains(|c: char| c.is_control() || c == '\'') => {
                return None;
            }
            Word::Path(path) => format!("\"{}\"", inside(&pattern::shell(path)?)),
        };
        literal.push('\'');
        parts.push(format!("\"{}\"", inside(&literal)));
        parts.push(hole);
        "'".clone_into(&mut literal);
    }
    parts.push(format!("\"{}\"", inside(&literal)));
    Some(parts.join(" "))
}

/// As it stands between double quotes.
fn inside(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if r#"\$`""#.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

const BEGIN: &str = r#"set -u
LC_ALL=C
export LC_ALL
refuse() {
  echo 'gonogo: this was not planned' >&2
  exit 126
}
c=${SSH_ORIGINAL_COMMAND-}
[ ${#c} -le 32768 ] || refuse
"#;

const SFTP: &str = r#"
# Files by SFTP: for reading alone, by these requests alone.
case $c in
  internal-sftp | internal-sftp\ * | */sftp-server | */sftp-server\ *)
    for d in /usr/lib/openssh /usr/libexec/openssh /usr/lib/ssh /usr/libexec; do
      [ -x "$d/sftp-server" ] && exec "$d/sftp-server" -R -p REQUESTS
    done
    refuse
    ;;
esac
"#;

const UNQUOTE: &str = r#"
# The script that `sh -c` was to run: a quote, a backslash and a `!` come outside of the quotes.
case $c in "sh -c '"*\') ;; *) refuse ;; esac
r=${c#"sh -c '"} r=${r%\'} s= q="'\\"
while :; do
  case $r in *"$q"?\'*) ;; *) break ;; esac
  s=$s${r%%"$q"*} r=${r#*"$q"}
  s=$s${r%"${r#?}"} r=${r#??}
done
s=$s$r
"#;

const LIKE: &str = r#"
# Is $1 a size, what mktemp chose, or a path of the pattern $2? Component by component, nothing hidden, no `..`.
like() {
  if [ "$2" = SIZE ]; then
    case $1 in '' | 0* | *[!0-9]*) return 1 ;; esac
    return 0
  fi
  case $2 in CHOSEN*)
    y=${2#CHOSEN} x=${1%"${2#CHOSEN}"}
    [ "$1" = "$x$y" ] || return 1
    case $x in *[!0-9A-Za-z]*) return 1 ;; ??????????) return 0 ;; esac
    return 1 ;;
  esac
  p=$1/ g=$2/
  while [ -n "$p" ] && [ -n "$g" ]; do
    x=${p%%/*} y=${g%%/*}
    case $x in $y) ;; *) return 1 ;; esac
    case $x in . | ..) return 1 ;; esac
    case $y in .* | '') ;; *) case $x in .* | '') return 1 ;; esac ;; esac
    p=${p#*/} g=${g#*/}
  done
  [ -z "$p$g" ]
}
"#;

const FITS: &str = r#"
# Is the command these literals, with what varies between them? That ends at the next quote.
fits() {
  r=$m
  while :; do
    case $r in "$1"*) r=${r#"$1"} ;; *) return 1 ;; esac
    shift
    if [ $# -eq 0 ]; then
      [ -z "$r" ]
      return
    fi
    w=${r%%\'*}
    r=${r#"$w"}
    like "$w" "$1" || return 1
    shift
  done
}
"#;
