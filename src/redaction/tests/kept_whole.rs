//! Files of which no bundle could be built: each keeps its form, and what must not leave is gone all the same.

use super::*;
use crate::inventory::Format;

/// `§` stands for a secret of two words; `kept` must stay.
fn whole(shape: Shape, file: &str, kept: &[&str]) {
    let (clean, counts) = built(shape, file, kept);
    assert!(!counts.contains_key(FORM_LOST), "{clean}");
}

/// The same, perhaps as lines.
fn built(shape: Shape, file: &str, kept: &[&str]) -> (String, Counts) {
    let home = tempfile::tempdir().unwrap();
    let (from, to) = (home.path().join("from"), home.path().join("to"));
    fs::write(&from, file.replace('§', "carry-shuffled")).unwrap();
    let mut engine = engine();
    learn(&mut engine, shape, &from).unwrap();
    engine.settle();
    let counts = redact(&engine, shape, &from, &to).unwrap();
    let clean = fs::read_to_string(&to).unwrap();
    assert!(!clean.contains("carry-shuffled"), "{clean}");
    for part in kept {
        assert!(clean.contains(part), "{part:?} is lost: {clean}");
    }
    (clean, counts)
}

#[test]
fn properties_and_ini() {
    whole(
        Shape::Settings(Format::Properties),
        "db.password=\nport=9007\ntoken\nlevel=info\nsecret=§\n",
        &["db.password=\nport=9007\n", "level=info"],
    );
    whole(
        Shape::Settings(Format::Ini),
        "[secrets]\n[empty]\nport = 9007\n[client]\npassword =\nport = 3306\n[secrets.prod]\nvalue = §\n",
        &[
            "[secrets]\n[empty]\nport = 9007\n",
            "password =\nport = 3306\n",
        ],
    );
}

#[test]
fn nginx() {
    built(
        Shape::Settings(Format::Nginx),
        "http {\n map $http_authorization $auth_ok { default 0; \"~^Bearer §\" 1; }\n map $http_authorization $tenant {\n  default 0;\n  \"Bearer §\" 1;\n }\n \
         map $cookie_session $pool { default a; ~^b b; § 1; }\n server {\n  listen 8080;\n  return 302 https://localhost/login?token=§;\n  \
         rewrite ^/a$ /b?key=§ break;\n  if ($http_x_secret != §) { return 401; }\n  set_by_lua_block $x { return \"§\" }\n  \
         access_by_lua_block { local secret = \"§\"; if ngx.var.arg_token ~= \"§\" then return end }\n  perl_set $k 'sub { return \"§\"; }';\n  \
         proxy_ssl_certificate_key /etc/ssl/server.key;\n  location / { proxy_pass http://localhost:8080; }\n }\n}\n",
        &[
            "  listen 8080;\n",
            "{ return 401; }",
            "proxy_ssl_certificate_key /etc/ssl/server.key;",
            "location / { proxy_pass http://localhost:8080; }",
        ],
    );
}

#[test]
fn haproxy() {
    whole(
        Shape::Settings(Format::Haproxy),
        "frontend f\n  bind :443 ssl crt /etc/ssl/server.pem alpn h2\n  acl ok req.cook(session) -m beg §\n  acl ok3 url_param(token) §\nbackend b\n  \
         cookie SERVERID insert indirect nocache\n  server s 127.0.0.1:80 check agent-send \"§\"\n  maxconn 500\n",
        &[
            "insert indirect nocache",
            "alpn h2",
            "maxconn 500",
            "127.0.0.1:80 check",
        ],
    );
}

#[test]
fn blocks_of_yaml_stay_blocks() {
    whole(
        Shape::Yaml,
        "data:\n  log4j.properties: |\n    cat <<EOF\n    token\n    EOF\n  empty: \"\"\n  key: |+\n    text\n\nport: 9007\n",
        &[
            "log4j.properties: |\n    cat <<EOF\n",
            "empty: \"\"",
            "port: 9007",
        ],
    );
    whole(
        Shape::Yaml,
        "services:\n  db:\n    command: >\n      redis-server --requirepass §\n      --port 6379\n    secrets: [db_pw]\nsteps:\n  - run: |\n      echo § | docker login --password-stdin\n      make all\n  - run: make test\n",
        &[
            "command: >\n      ",
            "--port 6379",
            "- run: |\n      echo ",
            "\n      make all\n",
            "- run: make test",
        ],
    );
    whole(
        Shape::Yaml,
        "init:\n  chpasswd:\n    list: |\n      root:§\n      ops:§\n  level: info\n",
        &["chpasswd:\n", "level: info"],
    );
}

#[test]
fn what_cannot_keep_its_form_is_written_as_lines_and_counted() {
    let clean = text(
        Shape::Xml,
        "<A><harvest>info</harvest><Password>carry-shuffled</Password></A>\n",
    );
    assert!(
        !clean.contains("harvest") && !clean.contains("carry-shuffled"),
        "{clean}"
    );
}

#[test]
fn a_module_keeps_its_name() {
    let line = "error: 14-0005 module libauth_ldap.so failed\n";
    assert_eq!(text(Shape::Lines, line), line);
}

#[test]
fn a_long_log_comes_out_the_same_in_pieces_and_at_once() {
    let mut log = String::new();
    for at in 0..30_000 {
        log.push_str(&format!(
            "2026-11-21T09:18:00.{:03} [1] info: 00-0015 client-{} of kurtx-{} is connected\n",
            at % 1000,
            at % 97,
            at % 89
        ));
        if at % 501 == 0 {
            log.push_str(
                "name: db_password\n2026-11-21T09:18:00 [1] info: value: carry-shuffled\n",
            );
        }
    }
    let mut engine = engine();
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    fs::write(path("a"), &log).unwrap();
    for _ in 0..2 {
        learn(&mut engine, Shape::Lines, &path("a")).unwrap();
        engine.settle();
    }
    redact(&engine, Shape::Lines, &path("a"), &path("b")).unwrap();
    let at_once = engine.redact_text(&log, &mut Counts::new());
    assert!(fs::read_to_string(path("b")).unwrap() == at_once);
    assert!(!at_once.contains("carry-shuffled"));
}
