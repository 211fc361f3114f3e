//! Each format's own words: what is read of a sample, and at which line and column a fault is named.

use std::io::Write as _;

use super::reader::Parsed;
use super::*;
use crate::evidence::Content;
use crate::evidence::reader::Reader as _;
use crate::failure::{Failure, FailureKind};
use crate::inventory::Format;

pub(super) fn read(format: Format, bytes: impl AsRef<[u8]>) -> Result<Settings, Failure> {
    let mut reader = Parsed::new(format);
    for piece in bytes.as_ref().chunks(1000) {
        reader.write_all(piece).unwrap();
    }
    match Box::new(reader).finish()? {
        Content::Settings(found) => Ok(*found),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn lists(format: Format, text: &str, expected: &[(usize, &str, &str)]) {
    let found = read(format, text).unwrap();
    let list: Vec<_> = (found.list.iter())
        .map(|one| (one.line, one.path.as_str(), one.value.as_str()))
        .collect();
    assert_eq!(list, expected);
}

#[track_caller]
fn asks_for(format: Format, text: &str, expected: &[(usize, &str, &str)]) {
    let found = read(format, text).unwrap();
    let list: Vec<_> = (found.includes.iter())
        .map(|one| (one.line, one.within.as_str(), one.path.as_str()))
        .collect();
    assert_eq!(list, expected);
}

#[track_caller]
fn breaks(format: Format, cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let failure = read(format, text).expect_err(text);
        assert_eq!(failure.kind, FailureKind::Corrupt, "{text}");
        assert!(
            failure.actual.starts_with(expected),
            "{text}\n{}\n{expected}",
            failure.actual
        );
        assert!(!failure.hint.is_empty());
        assert!(!failure.actual.contains("hunter2"), "{}", failure.actual);
    }
}

const ALL: [Format; 8] = [
    Format::Xml,
    Format::Yaml,
    Format::Json,
    Format::Ini,
    Format::Conf,
    Format::Properties,
    Format::Nginx,
    Format::Haproxy,
];

#[test]
fn xml() {
    let text = "<AMPSConfig>\n <Name>orders</Name>\n <Logging>\n  <Target a='1'><Level>info</Level></Target>\n  <Target/>\n </Logging>\n <Include> more.xml </Include>\n</AMPSConfig>";
    lists(
        Format::Xml,
        text,
        &[
            (1, "AMPSConfig", ""),
            (2, "AMPSConfig/Name", "orders"),
            (3, "AMPSConfig/Logging", ""),
            (4, "AMPSConfig/Logging/Target", ""),
            (4, "AMPSConfig/Logging/Target/@a", "1"),
            (4, "AMPSConfig/Logging/Target/Level", "info"),
            (5, "AMPSConfig/Logging/Target", ""),
        ],
    );
    asks_for(Format::Xml, text, &[(7, "AMPSConfig", "more.xml")]);
    assert_eq!(read(Format::Xml, text).unwrap().name.unwrap(), "orders");
}

#[test]
fn yaml() {
    lists(
        Format::Yaml,
        "# mongod\nsystemLog:\n  destination: file\n  quiet: ~\nnet: {port: 27017, bindIp: \"127.0.0.1\"}\nlist:\n- a\n- b: 1\n",
        &[
            (2, "systemLog", ""),
            (3, "systemLog/destination", "file"),
            (4, "systemLog/quiet", ""),
            (5, "net", ""),
            (5, "net/port", "27017"),
            (5, "net/bindIp", "127.0.0.1"),
            (7, "list", "a"),
            (8, "list", ""),
            (8, "list/b", "1"),
        ],
    );
    let text = "a: &x {k: 1}\nb: *x\nc:\n  <<: *x\n  l: 2\n";
    let found = read(Format::Yaml, text).unwrap();
    let paths: Vec<_> = found.list.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(paths, ["a", "a/k", "b", "b/k", "c", "c", "c/k", "c/l"]);
    breaks(
        Format::Yaml,
        &[
            (
                "a: 1\na: hunter2\n",
                "line 2, column 1: a key that the mapping has already",
            ),
            ("a: [1, 2\n", "line 1, column 4: unclosed"),
            ("a:\n\tb: 1\n", "line 2, column "),
            ("a: *x\n", "line 1, column 4: an alias without an anchor"),
            (
                "a: &x [*x]\n",
                "line 1, column 8: an alias inside of what it repeats",
            ),
            ("a: 1\n b: hunter2\n", "line 2, column "),
        ],
    );
}

#[test]
fn json() {
    lists(
        Format::Json,
        "{\"a\": {\"b\\\"\": \"x,\\n\", \"n\": -1.5e3},\n \"l\": [true, {\"k\": null}],\n\t\"e\": {}}\n",
        &[
            (1, "a", ""),
            (1, "a/b\"", "x,\n"),
            (1, "a/n", "-1.5e3"),
            (2, "l", "true"),
            (2, "l", ""),
            (2, "l/k", "null"),
            (3, "e", ""),
        ],
    );
    breaks(
        Format::Json,
        &[
            ("{\"a\": 1,}", "line 1, column 9: key must be a string"),
            ("// x\n{}", "line 1, column 1: expected value"),
            (
                "{\"a\": \"hunter2}",
                "line 1, column 15: EOF while parsing a string",
            ),
            (
                "{\"a\": 1,\n \"a\": \"hunter2\"}",
                "line 2, column 2: a key that the object has already",
            ),
            (
                "{\"a\": 1} hunter2",
                "line 1, column 10: trailing characters",
            ),
            ("{'a': 1}", "line 1, column 2: key must be a string"),
        ],
    );
}

#[test]
fn option_files() {
    let text = "# x\n!includedir /etc/mysql/conf.d/\n[mysqld]\nskip-name-resolve\nlog-error = /var/log/e.log # why\npw=\"a # b\" ; x\n[client] # y\n port=3306\n!include /x.cnf\n";
    lists(
        Format::Ini,
        text,
        &[
            (3, "mysqld", ""),
            (4, "mysqld/skip_name_resolve", ""),
            (5, "mysqld/log_error", "/var/log/e.log"),
            (6, "mysqld/pw", "\"a # b\" ; x"),
            (7, "client", ""),
            (8, "client/port", "3306"),
        ],
    );
    asks_for(
        Format::Ini,
        text,
        &[(2, "", "/etc/mysql/conf.d/"), (9, "client", "/x.cnf")],
    );
    breaks(
        Format::Ini,
        &[
            ("port=1\n[mysqld]\n", "line 1, column 1: an option before"),
            ("[mysqld\nport=1\n", "line 1, column 1: a `[` without"),
            ("[m]\n  = hunter2\n", "line 2, column 3: a `=` without"),
            ("[m]\nthe hunter2 password\n", "line 2, column 1: neither"),
            ("[m]\n!incldue /x\n", "line 2, column 1: a `!`"),
            ("[]\n", "line 1, column 1: a group without a name"),
        ],
    );
}

#[test]
fn name_value() {
    let text = "# pg\nPort = 5432 # x\nlog_line_prefix = '%m [%p] it''s \\'q\\' '\nshared_buffers=128MB\ninclude_dir 'conf.d'\ninclude_if_exists 'x.conf'\nsave 3600 1 300 100\nrequirepass \"a b\"\nlogfile \"\"\ninclude /etc/redis/l.conf\n";
    lists(
        Format::Conf,
        text,
        &[
            (2, "port", "5432"),
            (3, "log_line_prefix", "%m [%p] it's 'q' "),
            (4, "shared_buffers", "128MB"),
            (7, "save", "3600 1 300 100"),
            (8, "requirepass", "a b"),
            (9, "logfile", ""),
        ],
    );
    let found = read(Format::Conf, text).unwrap();
    let flags: Vec<_> = (found.includes.iter())
        .map(|one| (one.path.as_str(), one.is_directory, one.is_optional))
        .collect();
    assert_eq!(
        flags,
        [
            ("conf.d", true, false),
            ("x.conf", false, true),
            ("/etc/redis/l.conf", false, false)
        ]
    );
    breaks(
        Format::Conf,
        &[
            (
                "a = 'hunter2\n",
                "line 1, column 5: a quote that is not closed",
            ),
            ("a = 1\nb\n", "line 2, column 2: a name without a value"),
            ("b =\n", "line 1, column 4: a name without a value"),
            ("port = 5432 hunter2\n", "line 1, column 13: a second value"),
            (
                "requirepass \"x\"hunter2\n",
                "line 1, column 16: text right behind",
            ),
            (
                "{hunter2}\n",
                "line 1, column 1: a line that does not begin",
            ),
        ],
    );
}

#[test]
fn java_properties() {
    lists(
        Format::Properties,
        "# x\n! y\nbroker.id=1\nlisteners = A://:9092,\\\n    B://:9093\na\\:b c\nu=\\u00fc\\uD83D\\uDE00\nempty\n",
        &[
            (3, "broker.id", "1"),
            (4, "listeners", "A://:9092,B://:9093"),
            (6, "a:b", "c"),
            (7, "u", "ü😀"),
            (8, "empty", ""),
        ],
    );
    breaks(
        Format::Properties,
        &[("a=1\np=hunter2\\u12", "line 2, column 1: a `\\u` without")],
    );
}

#[test]
fn nginx() {
    let text = "user www-data;\nerror_log /var/log/nginx/error.log warn;\nhttp {\n  log_format main '$remote_addr; {'\n    \"x\";\n  include mime.types;\n  server { listen 80; # }\n    location ~ \\.php$ { set $a ${b}c; }\n  }\n  include /etc/nginx/conf.d/*.conf;\n}\n";
    lists(
        Format::Nginx,
        text,
        &[
            (1, "user", "www-data"),
            (2, "error_log", "/var/log/nginx/error.log warn"),
            (3, "http", ""),
            (4, "http/log_format", "main $remote_addr; { x"),
            (7, "http/server", ""),
            (7, "http/server/listen", "80"),
            (8, "http/server/location", "~ \\.php$"),
            (8, "http/server/location/set", "$a ${b}c"),
        ],
    );
    asks_for(
        Format::Nginx,
        text,
        &[
            (6, "http", "mime.types"),
            (10, "http", "/etc/nginx/conf.d/*.conf"),
        ],
    );
    read(
        Format::Nginx,
        "http { content_by_lua_block { if a then b = '}' -- }\n end } }\n",
    )
    .unwrap();
    breaks(
        Format::Nginx,
        &[
            (
                "a 1;\nb 2\n}\n",
                "line 3, column 1: unexpected `}`: a `;` is missing in line 2",
            ),
            (
                "http {\n server {\n }\n",
                "line 4, column 1: the file ends before the `}` of line 1",
            ),
            ("a 1;\n}\n", "line 2, column 1: unexpected `}`"),
            (
                "a 1;\nb hunter2",
                "line 2, column 10: the file ends before the `;` of line 2",
            ),
            (
                "worker_processes 4\nerror_log /x;\n",
                "line 2, column 1: `error_log` begins inside",
            ),
            (
                "a 'hunter2;\n}\n",
                "line 1, column 3: the file ends before this quote",
            ),
            ("a 'x'hunter2;\n", "line 1, column 6: text right behind"),
            ("; a 1;\n", "line 1, column 1: unexpected `;`"),
            ("{ a 1; }\n", "line 1, column 1: unexpected `{`"),
        ],
    );
}

#[test]
fn haproxy() {
    lists(
        Format::Haproxy,
        "global\n  log /dev/log local0 # x\ndefaults\n  mode http\n  errorfile 400 /a\\ b.http\nfrontend web\n  bind \"*:80\" name 'a b'\n",
        &[
            (1, "global", ""),
            (2, "global/log", "/dev/log local0"),
            (3, "defaults", ""),
            (4, "defaults/mode", "http"),
            (5, "defaults/errorfile", "400 /a b.http"),
            (6, "frontend", "web"),
            (7, "frontend/bind", "*:80 name a b"),
        ],
    );
    breaks(
        Format::Haproxy,
        &[
            (
                "glboal\n  log x\n",
                "line 1, column 1: no section is called `glboal` did you mean `global`?",
            ),
            (
                "global\n  log x y\nfrontned a\n  bind :80\n",
                "line 3, column 1: no section is called `frontned`",
            ),
            (
                "global\n  stats auth \"a:hunter2\n",
                "line 2, column 14: a quote that is not closed",
            ),
            (
                "global\n  log x\\xzz y\n",
                "line 2, column 8: a `\\x` without",
            ),
            (
                "global\nfrontend\n",
                "line 2, column 1: the section `frontend` has no name",
            ),
            (
                "global\n maxconn 1",
                "line 2, column 11: the last line has no end",
            ),
        ],
    );
    // Indentation is nothing but taste.
    read(Format::Haproxy, "global\nlog x y\nmaxconn 10\n").unwrap();
}

#[test]
fn what_is_no_configuration_at_all_is_refused_in_every_format() {
    for format in ALL {
        for (bytes, kind, says) in [
            (&b""[..], FailureKind::Empty, "0 bytes"),
            (b" \n\t\n", FailureKind::Empty, "white space only"),
            (
                b"\n<!DOCTYPE html>\n<html><body>502</body></html>",
                FailureKind::Corrupt,
                "an HTML page",
            ),
            (b"<html></html>", FailureKind::Corrupt, "an HTML page"),
        ] {
            let failure = read(format, bytes).unwrap_err();
            assert_eq!(failure.kind, kind, "{format:?} {says}");
            assert!(failure.actual.starts_with(says), "{}", failure.actual);
        }
        if format == Format::Xml {
            continue;
        }
        for (bytes, says) in [
            (&b"a 1\n\0\0\0"[..], "NUL bytes from line 2 on"),
            (b"\x1f\x8b\x08 x", "NUL"),
            (b"a 1\n\x01\x02", "binary bytes in line 2"),
            (b"\xff\xfea\0b\0", "text in UTF-16"),
        ] {
            let failure = read(format, bytes).unwrap_err();
            assert_eq!(failure.kind, FailureKind::Corrupt);
            let is_binary = says == "NUL" && failure.actual.starts_with("binary");
            assert!(
                failure.actual.starts_with(says) || is_binary,
                "{}",
                failure.actual
            );
        }
    }
    let comments = [
        (Format::Yaml, "# x\n"),
        (Format::Ini, "# x\n; y\n"),
        (Format::Conf, "# x\n"),
        (Format::Properties, "! x\n"),
        (Format::Nginx, "# x\n"),
        (Format::Haproxy, "# x\n"),
    ];
    for (format, text) in comments {
        assert!(read(format, text).unwrap().list.is_empty(), "{format:?}");
    }
    // Umlauts in the comments of an old host.
    assert!(read(Format::Conf, b"# f\xfcr\na = 1\n").is_ok());
    let failure = read(Format::Yaml, b"a: 1\nb: f\xfcr\n").unwrap_err();
    assert_eq!(failure.actual, "bytes that are not UTF-8 in line 2");
}

/// Files made to fill the memory or to keep a reader busy: each ends at a bound, in time.
#[test]
fn bombs_are_refused_in_bounded_time() {
    let deep =
        |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let mut laughs = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (new, old) in ('b'..='j').zip('a'..) {
        laughs.push_str(&format!(
            "{new}: &{new} [{}]\n",
            vec![format!("*{old}"); 9].join(", ")
        ));
    }
    let entities = "<!DOCTYPE a [<!ENTITY b \"x\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>".to_owned();
    for (format, text, kind) in [
        (Format::Yaml, laughs, FailureKind::TooLarge),
        (Format::Yaml, deep("[", "]"), FailureKind::TooLarge),
        (Format::Yaml, deep("{a: ", "}"), FailureKind::TooLarge),
        (Format::Json, deep("[", "]"), FailureKind::TooLarge),
        (Format::Json, deep("{\"a\":", "}"), FailureKind::Corrupt),
        (Format::Xml, deep("<a>", "</a>"), FailureKind::TooLarge),
        (Format::Xml, entities, FailureKind::Corrupt),
        (Format::Nginx, deep("a {", "}"), FailureKind::TooLarge),
        (Format::Nginx, "a ".repeat(4 << 20), FailureKind::Corrupt),
        (
            Format::Haproxy,
            "a ".repeat(4 << 20) + "\n",
            FailureKind::Corrupt,
        ),
        (Format::Conf, "a 1\n".repeat(4 << 20), FailureKind::TooLarge),
        (Format::Ini, "[a]\n".repeat(4 << 20), FailureKind::TooLarge),
        (
            Format::Properties,
            "a\\\n".repeat(5 << 20),
            FailureKind::Corrupt,
        ),
        (
            Format::Properties,
            "x".repeat((16 << 20) + 1),
            FailureKind::TooLarge,
        ),
    ] {
        let begun = std::time::Instant::now();
        let judged = read(format, &text);
        let took = begun.elapsed();
        assert!(took.as_secs() < 20, "{format:?} took {took:?}");
        match judged {
            Err(failure) => assert_eq!(failure.kind, kind, "{format:?}: {}", failure.actual),
            Ok(_) => assert_eq!(format, Format::Properties, "accepted"),
        }
    }
}

/// What the products' own packages install, where they are: never refused.
#[test]
fn what_packages_install_is_well_formed() {
    for (format, path, at_least) in [
        (Format::Nginx, "/etc/nginx/nginx.conf", 10),
        (Format::Nginx, "/etc/nginx/mime.types", 50),
        (Format::Nginx, "/etc/nginx/sites-available/default", 5),
        (Format::Haproxy, "/etc/haproxy/haproxy.cfg", 10),
        (Format::Conf, "/etc/redis/redis.conf", 50),
        (Format::Conf, "/etc/postgresql/15/main/postgresql.conf", 5),
        (Format::Ini, "/etc/mysql/mariadb.cnf", 1),
        (Format::Ini, "/etc/mysql/mariadb.conf.d/50-server.cnf", 5),
    ] {
        let Ok(bytes) = std::fs::read(path) else {
            continue;
        };
        let found = read(format, bytes).unwrap_or_else(|failure| panic!("{path}: {failure}"));
        assert!(found.list.len() >= at_least, "{path}: {found:?}");
    }
}
