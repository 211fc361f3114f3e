//! Programs that start other programs, and how their own options are told from what they start (their man
//! pages). What is unknown of them is said to be strange, and then every word is looked at.

/// Where the rest of a wrapper's words goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// A program and its arguments.
    Program,
    /// A shell, as one string.
    Shell,
}

/// A program that starts another.
pub(super) struct Wrapper {
    /// Letters of options that stand alone.
    flags: &'static str,
    /// Letters of options that take a value.
    values: &'static str,
    /// Letters of options whose value is a string for a shell.
    strings: &'static str,
    /// Long options that take the next word.
    long: &'static [&'static str],
    /// Words between its options and what it starts.
    before: usize,
    pub then: Then,
}

/// Its own part of the words.
pub(super) struct Options {
    /// How many of the words are its own.
    pub taken: usize,
    /// What it hands to a shell.
    pub strings: Vec<String>,
    /// Some option is not known.
    pub is_strange: bool,
}

const fn plain(flags: &'static str, values: &'static str, before: usize) -> Wrapper {
    Wrapper {
        flags,
        values,
        strings: "",
        long: &[],
        before,
        then: Then::Program,
    }
}

/// The wrapper of that name.
pub(super) fn named(base: &str) -> Option<Wrapper> {
    Some(match base {
        "sudo" | "sudoedit" => Wrapper {
            long: &[
                "user",
                "group",
                "host",
                "prompt",
                "close-from",
                "role",
                "type",
            ],
            ..plain("AbBEeHiKklnNPSsVv", "ugpCrtTUDRh", 0)
        },
        "doas" => plain("Lns", "aCu", 0),
        "env" => Wrapper {
            strings: "S",
            long: &["unset", "chdir"],
            ..plain("i0v", "uC", 0)
        },
        "nice" => Wrapper {
            long: &["adjustment"],
            ..plain("0123456789", "n", 0)
        },
        "ionice" => plain("t", "cnpPu", 0),
        "chrt" => plain("abdfimorv", "TPD", 1),
        "taskset" => plain("ac", "", 1),
        "timeout" => Wrapper {
            long: &["signal", "kill-after"],
            ..plain("v", "sk", 1)
        },
        "time" => plain("pvaq", "fo", 0),
        "xargs" => Wrapper {
            long: &[
                "arg-file",
                "delimiter",
                "max-args",
                "max-procs",
                "max-lines",
                "replace",
            ],
            ..plain("0rtpx", "InLPsdEae", 0)
        },
        "nohup" | "command" | "busybox" | "toybox" | "unbuffer" | "catchsegv" | "linux32"
        | "linux64" | "setsid" | "exec" | "builtin" => plain("cfwpvV", "", 0),
        "stdbuf" => Wrapper {
            long: &["input", "output", "error"],
            ..plain("", "ioe", 0)
        },
        "flock" => Wrapper {
            strings: "c",
            ..plain("senoxuF", "wE", 1)
        },
        "chroot" => plain("", "", 1),
        "setarch" => plain("BFILRSTXZ3v", "", 1),
        "strace" | "ltrace" => plain("cCdfFhiqrtTvVxyz", "abeEIoOpPsSuUX", 0),
        "script" => Wrapper {
            strings: "c",
            ..plain("aefqt", "EImoO", 0)
        },
        "watch" => Wrapper {
            then: Then::Shell,
            long: &["interval"],
            ..plain("bcdegptx", "n", 0)
        },
        "ssh" => Wrapper {
            then: Then::Shell,
            ..plain("46AaCfGgKkMNnqsTtVvXxYy", "BbcDEeFIiJLlmOopQRSWw", 1)
        },
        // Their own options are too many to know: every word counts.
        "su" | "runuser" | "parallel" | "nsenter" | "unshare" | "systemd-run" | "machinectl"
        | "docker" | "podman" | "nerdctl" | "kubectl" | "crictl" | "lxc" | "lxc-attach"
        | "tmux" | "screen" | "setpriv" | "numactl" | "capsh" | "firejail" | "expect" | "at"
        | "batch" | "rlwrap" | "faketime" | "pkexec" | "prlimit" | "choom" | "systemd-cat"
        | "systemd-inhibit" | "fakeroot" | "gosu" | "su-exec" | "setuidgid" | "chpst" | "sg"
        | "runcon" | "aa-exec" | "dbus-run-session" | "bwrap" | "cgexec" | "perf" | "valgrind"
        | "logsave" | "sshpass" | "eatmydata" | "chronic" | "entr" => plain("?", "", usize::MAX),
        // The dynamic linker (ld.so(8)) runs the program that it is told.
        base if base.starts_with("ld-linux") || base.starts_with("ld-musl") || base == "ld.so" => {
            plain("?", "", usize::MAX)
        }
        _ => return None,
    })
}

/// True for a shell.
pub(super) fn is_shell(base: &str) -> bool {
    let base = base.trim_start_matches('-');
    [
        "sh", "bash", "dash", "ash", "ksh", "ksh93", "mksh", "zsh", "rbash", "yash", "fish", "csh",
        "tcsh",
    ]
    .contains(&base)
}

/// True for what runs a program text of its own.
pub(super) fn is_interpreter(base: &str) -> bool {
    let bare = base.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    [
        "python", "perl", "ruby", "node", "nodejs", "lua", "php", "tclsh", "expect", "awk", "gawk",
        "mawk",
    ]
    .contains(&bare)
}

impl Wrapper {
    /// Tells its options from what it starts.
    pub fn options(&self, arguments: &[String]) -> Options {
        let mut options = Options {
            taken: 0,
            strings: Vec::new(),
            is_strange: self.before == usize::MAX,
        };
        let mut left = self.before;
        while let Some(word) = arguments.get(options.taken) {
            if word == "--" {
                options.taken += 1;
                break;
            }
            if let Some(name) = word.strip_prefix("--") {
                options.taken += 1;
                self.long_option(name, arguments, &mut options);
            } else if word.len() > 1 && word.starts_with('-') {
                options.taken += 1;
                self.letters(&word[1..], arguments, &mut options);
            } else if left > 0 {
                left -= 1;
                options.taken += 1;
            } else if word
                .split_once('=')
                .is_some_and(|(name, _)| !name.contains('/'))
            {
                // `env A=1 PROGRAM`, `sudo A=1 PROGRAM`.
                options.taken += 1;
            } else {
                break;
            }
        }
        while left > 0 && left != usize::MAX && options.taken < arguments.len() {
            left -= 1;
            options.taken += 1;
        }
        options
    }

    fn long_option(&self, name: &str, arguments: &[String], options: &mut Options) {
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (name, None),
        };
        if matches!(name, "command" | "split-string" | "session-command") {
            let next = arguments.get(options.taken);
            let string = value.or(next.map(String::as_str)).unwrap_or_default();
            options.strings.push(string.to_owned());
            options.taken += usize::from(value.is_none() && next.is_some());
        } else if value.is_none() && self.long.contains(&name) {
            options.taken = arguments.len().min(options.taken + 1);
        } else if value.is_none() {
            options.is_strange = true;
        }
    }

    fn letters(&self, letters: &str, arguments: &[String], options: &mut Options) {
        for (at, letter) in letters.char_indices() {
            let rest = &letters[at + letter.len_utf8()..];
            let takes = self.values.contains(letter);
            let string = self.strings.contains(letter);
            if takes || string {
                let next = arguments.get(options.taken).filter(|_| rest.is_empty());
                if string {
                    let string = next.map_or(rest, String::as_str);
                    options.strings.push(string.to_owned());
                }
                options.taken += usize::from(next.is_some());
                return;
            }
            if !self.flags.contains(letter) {
                options.is_strange = true;
            }
        }
    }
}
