//! What a logrotate(8) configuration promises of a log: which block is about it, how often it rotates,
//! how many rotations stay. Only what bears on time is read; scripts are skipped, includes not followed.
//!
//! Source of every rule: logrotate.conf(5) of logrotate 3.21, and its compiled-in defaults (no rotation
//! by time, `rotate 0`).

use std::time::Duration;

use globset::GlobBuilder;

use super::promise::{Kept, Promise};

const DAY: Duration = Duration::from_secs(86_400);
/// Words that open a script, which ends with `endscript`.
const SCRIPTS: [&str; 5] = [
    "prerotate",
    "postrotate",
    "firstaction",
    "lastaction",
    "preremove",
];

/// What is said of a log, or of all that follow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directives {
    /// `daily` and the like; `None`: by size alone. The last of both that is written counts.
    every: Option<(&'static str, Duration)>,
    maxsize: bool,
    rotate: i64,
    maxage: Option<u64>,
}

/// One block: the logs that it is about, and what it says of them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Block {
    patterns: Vec<String>,
    said: Directives,
    line: usize,
}

/// One file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logrotate {
    path: String,
    blocks: Vec<Block>,
    /// What stands outside of blocks: files that are included afterwards begin with it.
    pub defaults: Directives,
    /// It asks for other files.
    pub includes: bool,
}

impl Logrotate {
    /// Reads the text of the file at `path`, which begins with `defaults`.
    #[must_use]
    pub fn read(path: &str, text: &str, defaults: Directives) -> Self {
        let mut file = Self {
            path: path.to_owned(),
            defaults,
            ..Self::default()
        };
        let mut open: Option<Block> = None;
        // Paths of a block whose brace has not come yet.
        let mut waiting: Vec<String> = Vec::new();
        let mut script = false;
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if script {
                script = line != "endscript";
                continue;
            }
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(block) = &mut open {
                if line.starts_with('}') {
                    file.blocks.extend(open.take());
                } else {
                    script = block.said.take(line);
                }
                continue;
            }
            let (paths, behind) = match line.split_once('{') {
                Some((paths, behind)) => (paths, Some(behind.trim())),
                None => (line, None),
            };
            let is_path = paths.starts_with(['/', '"', '\'', '~', '*']);
            if is_path {
                waiting.extend(words(paths));
            }
            if let Some(behind) = behind {
                let mut block = Block {
                    patterns: std::mem::take(&mut waiting),
                    said: file.defaults.clone(),
                    line: number + 1,
                };
                match behind.split_once('}') {
                    Some((only, _)) => {
                        block.said.take(only.trim());
                        file.blocks.push(block);
                    }
                    None => {
                        script = block.said.take(behind);
                        open = Some(block);
                    }
                }
            } else if !is_path {
                file.includes |= key(line).0 == "include";
                script = file.defaults.take(line);
            }
        }
        file
    }

    /// The least that any block promises that is about one of these files; `None` when none is.
    #[must_use]
    pub fn promise(&self, paths: &[&str]) -> Option<Promise> {
        let about = |block: &&Block| {
            let mut globs = block.patterns.iter().filter_map(|pattern| {
                let built = GlobBuilder::new(pattern)
                    .literal_separator(true)
                    .backslash_escape(true)
                    .build();
                built.ok().map(|glob| glob.compile_matcher())
            });
            globs.any(|glob| paths.iter().any(|path| glob.is_match(path)))
        };
        let promises = self.blocks.iter().filter(about).map(|block| Promise {
            kept: block.said.kept(),
            rule: block.said.rule(),
            source: self.path.clone(),
            line: block.line,
        });
        promises.min_by_key(|promise| promise.kept)
    }
}

impl Directives {
    /// Takes one line; true when a script begins.
    fn take(&mut self, line: &str) -> bool {
        let (key, value) = key(line);
        match key {
            "hourly" => self.every = Some(("hourly", Duration::from_secs(3600))),
            "daily" => self.every = Some(("daily", DAY)),
            "weekly" => self.every = Some(("weekly", 7 * DAY)),
            // The shortest month and the shortest year.
            "monthly" => self.every = Some(("monthly", 28 * DAY)),
            "yearly" => self.every = Some(("yearly", 365 * DAY)),
            "size" => self.every = None,
            "maxsize" => self.maxsize = true,
            "rotate" => self.rotate = value.parse().unwrap_or(0),
            "maxage" => self.maxage = value.parse().ok(),
            word => return SCRIPTS.contains(&word),
        }
        false
    }

    fn kept(&self) -> Kept {
        let age = |days: u64| {
            let days = u32::try_from(days).unwrap_or(u32::MAX);
            Kept::For(DAY.saturating_mul(days))
        };
        let by_age = self.maxage.map_or(Kept::Forever, age);
        // Right after a rotation there is nothing but the rotated files: so many times the period.
        let by_count = match (u32::try_from(self.rotate), self.every) {
            (Ok(0), _) => Kept::NotByTime,
            (Err(_), _) => Kept::Forever,
            (Ok(_), None) => Kept::NotByTime,
            (Ok(_), _) if self.maxsize => Kept::NotByTime,
            (Ok(times), Some((_, period))) => Kept::For(period.saturating_mul(times)),
        };
        by_age.min(by_count)
    }

    fn rule(&self) -> String {
        let mut rule = match self.every {
            None => "by size alone".to_owned(),
            Some((word, _)) => word.to_owned(),
        };
        if self.maxsize && self.every.is_some() {
            rule.push_str(", sooner by `maxsize`");
        }
        rule.push_str(&format!(", rotate {}", self.rotate));
        if let Some(days) = self.maxage {
            rule.push_str(&format!(", maxage {days}"));
        }
        rule
    }
}

/// `size 10M`, `size=10M`.
fn key(line: &str) -> (&str, &str) {
    let end = line.find(|c: char| c.is_whitespace() || c == '=');
    let (key, rest) = line.split_at(end.unwrap_or(line.len()));
    (
        key,
        rest.trim_start_matches(|c: char| c.is_whitespace() || c == '=')
            .trim_end(),
    )
}

/// Words, of which each may stand in quotes.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut rest) = (Vec::new(), line.trim_start());
    while let Some(first) = rest.chars().next() {
        let (word, behind) = match first {
            '"' | '\'' => rest[1..].split_once(first).unwrap_or((&rest[1..], "")),
            _ => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = behind.trim_start();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Debian 12 ships it.
    const NGINX: &str = "/var/log/nginx/*.log {\n\tdaily\n\tmissingok\n\trotate 14\n\tcompress\n\tdelaycompress\n\tnotifempty\n\tcreate 0640 www-data adm\n\tsharedscripts\n\tprerotate\n\t\tif [ -d /etc/logrotate.d/httpd-prerotate ]; then \\\n\t\t\trun-parts /etc/logrotate.d/httpd-prerotate; \\\n\t\tfi \\\n\tendscript\n\tpostrotate\n\t\trotate 0\n\t\tinvoke-rc.d nginx rotate >/dev/null 2>&1\n\tendscript\n}\n";

    fn promise(text: &str, path: &str) -> Option<Promise> {
        Logrotate::read("/etc/logrotate.d/x", text, Directives::default()).promise(&[path])
    }

    fn days(text: &str) -> Kept {
        promise(&format!("/l {{\n{text}\n}}\n"), "/l").unwrap().kept
    }

    #[test]
    fn debians_own_file_promises_a_fortnight() {
        let found = promise(NGINX, "/var/log/nginx/error.log").unwrap();
        assert_eq!(found.kept, Kept::For(14 * DAY));
        assert_eq!((found.rule.as_str(), found.line), ("daily, rotate 14", 1));
        assert_eq!(promise(NGINX, "/var/log/nginx/x/error.log"), None);
        assert_eq!(promise(NGINX, "/var/log/haproxy.log"), None);
    }

    #[test]
    fn each_rule_bears_on_time_as_the_man_page_says() {
        for (text, kept) in [
            ("weekly\nrotate 4", Kept::For(28 * DAY)),
            ("weekly 3\nrotate 4", Kept::For(28 * DAY)),
            ("monthly\nrotate 2", Kept::For(56 * DAY)),
            ("yearly\nrotate 1", Kept::For(365 * DAY)),
            ("hourly\nrotate 24", Kept::For(DAY)),
            ("rotate 4\nweekly\nmaxage 10", Kept::For(10 * DAY)),
            ("daily\nrotate 5\nmaxage 10", Kept::For(5 * DAY)),
            ("daily\nrotate -1", Kept::Forever),
            ("daily\nrotate -1\nmaxage 30", Kept::For(30 * DAY)),
            ("daily", Kept::NotByTime),
            ("daily\nrotate 0", Kept::NotByTime),
            ("size 10M\nrotate 99", Kept::NotByTime),
            ("size=10M\nrotate 99", Kept::NotByTime),
            ("daily\nsize 10M\nrotate 99", Kept::NotByTime),
            // The last one counts.
            ("size 10M\ndaily\nrotate 9", Kept::For(9 * DAY)),
            ("daily\nmaxsize 10M\nrotate 99", Kept::NotByTime),
            ("daily\nminsize 10M\nrotate 9", Kept::For(9 * DAY)),
            ("daily\nrotate many", Kept::NotByTime),
        ] {
            assert_eq!(days(text), kept, "{text}");
        }
    }

    #[test]
    fn what_stands_outside_is_the_default_of_what_follows() {
        let main = "# see man\nweekly\nrotate 4\n/early { }\ninclude /etc/logrotate.d\n";
        let main = Logrotate::read("/etc/logrotate.conf", main, Directives::default());
        assert!(main.includes);
        let text = "\"/var/log/a b.log\"\n/var/log/c.log\n{\n  missingok\n}\n/var/log/d.log {\n rotate 9\n}\n";
        let file = Logrotate::read("/etc/logrotate.d/x", text, main.defaults);
        for (path, weeks, line) in [
            ("/var/log/a b.log", 4, 3),
            ("/var/log/c.log", 4, 3),
            ("/var/log/d.log", 9, 6),
        ] {
            let found = file.promise(&[path]).unwrap();
            assert_eq!(found.kept, Kept::For(weeks * 7 * DAY), "{path}");
            assert_eq!(found.line, line);
        }
        // The least of several.
        let least = file.promise(&["/var/log/d.log", "/var/log/c.log"]).unwrap();
        assert_eq!(least.kept, Kept::For(28 * DAY));
    }

    #[test]
    fn garbage_promises_nothing_and_ends() {
        for text in [
            "",
            "{",
            "}",
            "/l {",
            "\"/l",
            "/l {\nprerotate\n",
            "\u{0}\u{ff}{{{}}}",
        ] {
            assert_eq!(promise(text, "/l"), None, "{text:?}");
        }
    }
}
