//! One piece of a line: what it says of what follows, and whether it stays.

use super::cues::Cue;
use super::line::{Line, Pending, known_at};
use super::map::Class;
use super::shape;
use super::vocabulary::is_few;
use crate::evidence::redact::MARK;

impl Line<'_> {
    /// One piece without colons: marks before it, the piece, what it says of what follows.
    pub fn piece(&mut self, from: usize, to: usize) {
        let text = &self.text[from..to];
        let lead = text.len()
            - text
                .trim_start_matches(['-', '+', '$', '~', '@', '%', '.'])
                .len();
        let (lead, core) = match shape::is_harmless(text)
            || text.starts_with('.')
                && !text[1..].contains(['/', '\\'])
                && lead == 1
                && !self.is_behind_known(from)
        {
            true => ("", text),
            false => text.split_at(lead),
        };
        let core_end = core.trim_end_matches(['.', '-', '+', '%', '~', '$']).len();
        let (core, tail) = match shape::is_harmless(core) {
            true => (core, ""),
            false => core.split_at(core_end),
        };
        self.out.push_str(lead);
        if core.is_empty() {
            self.out.push_str(tail);
            return;
        }
        if lead.contains('~') && self.forced.is_none() {
            self.forced = Some("user");
        }
        if let Some(dots) = core
            .contains('.')
            .then(|| core.find("..."))
            .flatten()
            .filter(|dots| self.engine.words.tell(&core[..*dots]).cue.is_secret())
        {
            return self.dotted(from + lead.len(), dots, to);
        }
        if let Some((user, secret)) = self.handed_over(from + lead.len(), core) {
            self.forced = None;
            if !user.is_empty() {
                self.forced_name("user", user);
            }
            self.out.push('/');
            self.secret(secret);
        } else if core.contains(['/', '\\']) {
            self.path(core);
            // What a directory is called tells nothing of what stands behind the path.
            let is_name = self.text[to..].starts_with(['=', ':', '"', '\'']);
            if !is_name && (core.starts_with('/') || core.matches('/').count() > 1) {
                self.pending = None;
            }
        } else if core.contains('@') {
            self.at_signs(core);
        } else {
            self.core(from + lead.len(), core, lead);
        }
        self.out.push_str(tail);
    }

    /// `jane.roe-notes`, and `jane` was told by value: the dot parts the names.
    fn is_behind_known(&self, at: usize) -> bool {
        self.text[..at]
            .chars()
            .next_back()
            .and_then(known_at)
            .is_some()
    }

    /// `password......V`: dots lead to the value.
    fn dotted(&mut self, from: usize, dots: usize, to: usize) {
        let name = &self.text[from..from + dots];
        self.core(from, name, "");
        let behind = &self.text[from + dots..to];
        let value = behind.trim_start_matches('.');
        self.out.push_str(&behind[..behind.len() - value.len()]);
        match value.is_empty() {
            true => {
                if let Some(pending) = &mut self.pending {
                    pending.is_parted = true;
                }
            }
            false => {
                self.pending = None;
                self.secret(value);
            }
        }
    }

    pub fn core(&mut self, at: usize, core: &str, lead: &str) {
        let behind = &self.text[at + core.len()..];
        let next = behind.trim_start_matches([':', '"', '\'']);
        let next = if self.mood.is_setting {
            next.trim_start_matches(' ')
        } else {
            next
        };
        if let Some(class) = self.forced.take()
            && !self.engine.words.tell(core).cue.is_secret()
        {
            return self.forced_name(class, core);
        }
        // `uid=0(root)`, `5(staff)`, `bob(uid=0)`.
        if next.starts_with("(uid=") && !is_few(core) {
            return self.name("user", core);
        }
        let mut told = self.engine.words.tell(core);
        // HAProxy: which server a client goes to.
        if core == "cookie"
            && self.mood.is_setting
            && !self.mood.has_semicolons
            && behind.starts_with(' ')
        {
            told.cue = super::cues::Cue::None;
        }
        if told.cue >= Cue::Strong && !self.mood.is_setting {
            self.named_after(at);
        }
        if self.links(at, core, told.cue) {
            self.weak = Some(at..at + core.len());
        }
        let is_pair = next.starts_with('=') && !self.is_deep;
        if self.shadow && is_pair {
            self.shadow = self.mood.is_shadowed;
        }
        if self.shadow && !(is_pair && self.mood.is_setting) {
            return self.shadowed(core, told.cue);
        }
        let is_kept = told.class.is_none()
            && !self.address_shaped(core)
            && !(told.cue == super::cues::Cue::None && self.is_made_up(at, core, lead));
        if told.cue != Cue::None {
            // `<a:Password x="1">`: the value comes behind the tag.
            let opens = self.text[..at]
                .rsplit(|c: char| !(c.is_alphanumeric() || c == ':'))
                .next()
                .unwrap_or_default();
            if told.cue.is_secret()
                && self.text[..at - opens.len()].ends_with('<')
                && !behind.starts_with('>')
            {
                self.tag = Some(told.cue);
            }
            self.pending = Some(Pending {
                cue: told.cue,
                is_parted: false,
                is_quoted: lead.starts_with("--") || lead == "-" && core.len() > 1,
                by_colon: false,
            });
            self.named |= told.cue >= Cue::Strong;
        } else if self.named && is_value_name(core) {
            self.pending = Some(Pending {
                cue: Cue::Strong,
                is_parted: false,
                is_quoted: false,
                by_colon: false,
            });
        } else if is_flag(lead, core) {
            self.pending = Some(Pending {
                cue: Cue::Weak,
                is_parted: false,
                is_quoted: true,
                by_colon: false,
            });
        } else if self.text[..at].ends_with("for ")
            && self.text[at + core.len()..].starts_with(" from ")
            && !is_few(core)
        {
            return self.name("user", core);
        }
        let strict =
            (self.mood.is_strict || self.is_unknown) && !is_few(core) && !shape::is_harmless(core);
        match is_kept && (!strict || told.cue != Cue::None) {
            true => self.out.push_str(core),
            false if self.address(core) => {}
            false => self.name(told.class.unwrap_or("name"), core),
        }
        if told.class.is_some() && is_pair {
            self.is_unknown = true;
        } else if is_pair {
            self.is_unknown = false;
        }
    }

    /// Words joined as in a passphrase, where no name of a setting or an option stands.
    fn is_made_up(&self, at: usize, core: &str, lead: &str) -> bool {
        let behind = self.text[at + core.len()..].trim_start_matches(['"', '\'']);
        let is_name = behind.starts_with(['=', ':', '(']) || lead.starts_with('-');
        let is_value = !self.mood.is_setting
            || self.text[..at]
                .trim_end_matches([' ', '"', '\''])
                .ends_with(['=', ':']);
        is_value
            && !is_name
            && super::vocabulary::is_made_up(core)
            && !self.engine.words.is_own(core)
    }

    pub fn address_shaped(&self, core: &str) -> bool {
        core.as_bytes().first().is_some_and(u8::is_ascii_digit)
            && core.matches('.').count() >= 3
            && !self.engine.words.versions.contains(core)
    }

    /// A piece where a secret may stand.
    pub fn shadowed(&mut self, core: &str, cue: Cue) {
        let before = self.text[self.before.clone()].to_ascii_lowercase();
        let tells_number = [
            "port", "pid", "uid", "gid", "line", "code", "status", "attempt", "attempts", "ssh",
            "after",
        ];
        let is_number = core.bytes().all(|byte| byte.is_ascii_digit())
            && tells_number.contains(&before.as_str());
        if is_few(core) || is_number {
            self.out.push_str(core);
            if let Cue::Person(class) = cue {
                self.pending = Some(Pending {
                    cue: Cue::Person(class),
                    is_parted: false,
                    is_quoted: false,
                    by_colon: false,
                });
            }
            return;
        }
        if cue.is_secret() {
            self.pending = Some(Pending {
                cue,
                is_parted: false,
                is_quoted: false,
                by_colon: false,
            });
        }
        if core.contains('.') && self.address(core) {
            return;
        }
        match core == "redacted" && self.text.contains(MARK) {
            true => self.out.push_str(core),
            false => self.secret(core),
        }
    }

    /// A piece that is a name, whatever it looks like.
    pub fn forced_name(&mut self, class: Class, core: &str) {
        let stays = is_few(core)
            || [
                "root",
                "nobody",
                "localhost",
                "admin",
                "anonymous",
                "system",
                "_",
            ]
            .contains(&core.to_ascii_lowercase().as_str())
            || shape::is_harmless(core) && !is_held(class, core)
            || self.engine.words.is_protected(core);
        if stays {
            self.out.push_str(core);
        } else if !self.address(core) {
            self.name(class, core);
        }
    }

    /// Writes the token of a name.
    pub fn name(&mut self, class: Class, name: &str) {
        let name = self.spelled_out(name);
        let token = self.engine.token(class, &name);
        self.count(class);
        self.out.push_str(&token);
    }

    /// Writes the mark of a secret, once for a row of them.
    pub fn secret(&mut self, secret: &str) {
        let secret = self.spelled_out(secret);
        self.engine.saw(&secret);
        if !self.out.trim_end().ends_with(MARK) || self.out.len() > self.out.trim_end().len() + 1 {
            self.count("secret");
            // At the beginning of a line of settings, brackets would begin a section.
            match self.mood.is_setting && self.out.trim().is_empty() {
                true => self.out.push_str("redacted"),
                false => self.out.push_str(MARK),
            }
        }
    }

    /// As it was written, where something known stands in it.
    pub fn spelled_out(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            match known_at(c).and_then(|number| self.known.get(number)) {
                Some((written, _)) => out.push_str(written),
                None => out.push(c),
            }
        }
        out
    }

    pub fn known_one(&mut self, number: usize) {
        if let Some((_, token)) = self.known.get(number) {
            self.count(if token == MARK { "secret" } else { "known" });
            self.out.push_str(token);
        }
        // Only a blank parted the name of a secret from it.
        self.shadow |= self
            .pending
            .is_some_and(|pending| pending.cue >= super::cues::Cue::Strong);
        (self.pending, self.forced) = (None, None);
    }

    pub fn count(&mut self, rule: &str) {
        match self.counts.get_mut(rule) {
            Some(count) => *count += 1,
            None => {
                self.counts.insert(rule.to_owned(), 1);
            }
        }
    }
}

/// `-a V`, `-p V`: what stands behind one letter may be anything.
fn is_flag(lead: &str, core: &str) -> bool {
    lead == "-" && core.len() == 1 && "apwukPUWKAxb".contains(core)
}

/// An account of so many digits is no number of an account on a machine.
pub(super) fn is_held(class: Class, digits: &str) -> bool {
    class != "host" && digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_value_name(core: &str) -> bool {
    ["value", "val", "values", "content", "default"].contains(&core.to_ascii_lowercase().as_str())
}
