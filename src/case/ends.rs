//! What a file is, by the end of its name; nothing of the name itself.

/// How long the end is that says what a file is: `.log`, `.tar.gz`, `.log.1`.
pub(super) fn end_of_file(name: &str) -> usize {
    const ENDS: &[&str] = &[
        "log",
        "txt",
        "out",
        "err",
        "gz",
        "zst",
        "xz",
        "bz2",
        "tar",
        "csv",
        "json",
        "xml",
        "yml",
        "yaml",
        "conf",
        "cfg",
        "cnf",
        "ini",
        "properties",
        "toml",
        "db",
        "sqlite",
        "html",
        "md",
        "sql",
    ];
    let labels: Vec<&str> = name.split('.').collect();
    let is_end = |label: &str| ENDS.contains(&label);
    // The number of its turn stands behind an end: `10.1.2.3.log` is an address.
    let is_turn = |at: usize| {
        let digits = labels[at];
        digits.len() <= 3
            && !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && is_end(labels[at - 1])
    };
    let mut begin = labels.len();
    while begin > 1 && (is_end(labels[begin - 1]) || is_turn(begin - 1)) {
        begin -= 1;
    }
    labels[begin..].iter().map(|label| label.len() + 1).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_the_end_that_says_what_it_is() {
        for (name, end) in [
            ("amps.log", ".log"),
            ("kurtx@bank.example.log.1.gz", ".log.1.gz"),
            ("10.1.2.3.log", ".log"),
            ("10.1.2.3", ""),
            ("config", ""),
            ("db7.zrh", ""),
            ("a.tar.zst", ".tar.zst"),
        ] {
            assert_eq!(&name[name.len() - end_of_file(name)..], end, "{name}");
        }
    }
}
