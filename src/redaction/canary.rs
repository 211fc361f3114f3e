//! Secrets of our own, planted before every bundle: a redactor that lets one of them through is broken,
//! whatever the rules that were added to it, and builds no bundle.

use super::Counts;
use super::engine::Engine;

/// Stands where a secret would; its letters are of no other text.
const PLANTED: &str = "Zq7-Canary-4xV1";

/// What came through of that which was planted: nothing, when the redactor is sound.
#[must_use]
pub fn sound(engine: &Engine) -> Vec<&'static str> {
    let forms: [(&str, String); 12] = [
        ("password=", format!("user=bob password={PLANTED} host=x\n")),
        ("XML", format!("<A><Password>{PLANTED}</Password></A>\n")),
        ("URL", format!("tcp://bob:{PLANTED}@host:9007/amps\n")),
        (
            "percent signs",
            format!("u=tcp%3A%2F%2Fbob%3A{PLANTED}%40host\n"),
        ),
        ("references", format!("tcp://bob:{PLANTED}&#64;host/\n")),
        ("JSON", format!("{{\"db_password\":\"{PLANTED}\"}}\n")),
        ("YAML block", format!("password: |\n  {PLANTED}\nnext: 1\n")),
        (
            "header",
            format!("Authorization: Bearer {PLANTED}{PLANTED}\n"),
        ),
        ("cookie", format!("Set-Cookie: id={PLANTED}\n")),
        ("command", format!("mysql -u root -p{PLANTED}\n")),
        (
            "key",
            format!("-----BEGIN PRIVATE KEY-----\n{PLANTED}\n-----END PRIVATE KEY-----\n"),
        ),
        (
            "user in a URL",
            "tcp://Zq7-Canary-4xV1@db.example/\n".to_owned(),
        ),
    ];
    let through = forms.into_iter().filter(|(_, text)| {
        let framed = format!("before\n{text}after\n");
        let clean = engine.redact_text(&framed, &mut Counts::new());
        clean.contains(PLANTED) || !clean.starts_with("before\n") || !clean.ends_with("after\n")
    });
    through.map(|(form, _)| form).collect()
}
