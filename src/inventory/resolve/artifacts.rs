//! Merging what profile, product and instance say of one artifact, and judging the whole. Filling
//! is `instances.rs`'s.

use crate::inventory::artifact::{
    About, ConfigurationKeys, EntryForm, Format, Get, Kind, LogKeys, Pattern, Sample,
    StatisticsKeys, Stream, Take,
};
use crate::inventory::mask;
use crate::inventory::page::{Mark, Page};
use crate::inventory::placeholder::Template;
use crate::inventory::raw::{Artifact, Theme};

use super::paths;

/// An artifact complete but for its placeholders.
pub(super) struct Ready {
    pub name: String,
    pub kind: Kind,
    pub source: Source,
    pub format: Option<Format>,
    pub pattern: Option<Pattern>,
    pub stream: Stream,
    pub tables: Vec<String>,
    pub sample: Option<Sample>,
    pub reject: Vec<Pattern>,
    pub listing: bool,
    pub log: LogKeys<Template>,
    pub statistics: StatisticsKeys<Template>,
    pub configuration: ConfigurationKeys<Template>,
    pub about: About,
}

pub(super) enum Source {
    Command(Vec<Template>),
    Path(Template),
    Mask(Template),
    Journal(Template),
    Http(Get<Template>),
}

impl Ready {
    /// Every template of it.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        let source = match &self.source {
            Source::Command(arguments) => arguments.as_slice(),
            Source::Path(text) | Source::Mask(text) | Source::Journal(text) => {
                std::slice::from_ref(text)
            }
            Source::Http(get) => std::slice::from_ref(&get.url),
        };
        (source.iter())
            .chain(self.log.texts())
            .chain(self.statistics.texts())
            .chain(self.configuration.texts())
    }
}

/// `over` has the last word, key by key. A new source replaces the old one of either sort, and a
/// new format takes what only the old one could have along with it.
pub(super) fn overlay(base: &Artifact, over: &Artifact) -> Artifact {
    let mut merged = over.clone();
    if !over.has_source() {
        merged.command.clone_from(&base.command);
        merged.path.clone_from(&base.path);
        merged.mask.clone_from(&base.mask);
        merged.journal.clone_from(&base.journal);
        merged.http.clone_from(&base.http);
        merged.ca_at = base.ca_at;
        merged.stream = merged.stream.or_else(|| base.stream.clone());
    } else if over.command.is_some() && base.command.is_some() {
        merged.stream = merged.stream.or_else(|| base.stream.clone());
    }
    merged.refused = over.refused || base.refused;
    merged.kind = merged.kind.or_else(|| base.kind.clone());
    let same_kind =
        merged.kind.as_ref().map(|kind| kind.value) == base.kind.as_ref().map(|kind| kind.value);
    if same_kind {
        merged.pattern = merged.pattern.or_else(|| base.pattern.clone());
        merged.reject = merged.reject.or_else(|| base.reject.clone());
        if !over.has_source() || over.path.is_some() {
            merged.listing = merged.listing.or_else(|| base.listing.clone());
        }
        merged.log = merged.log.over(&base.log);
        merged.statistics = merged.statistics.over(&base.statistics);
        merged.configuration = merged.configuration.over(&base.configuration);
    }
    if !over.has_source() {
        merged.about = base.about.clone();
    } else {
        // Consent is to the file that was meant, not to whatever an instance reads instead.
        merged.log.shared.clone_from(&over.log.shared);
    }
    merged.format = merged.format.or_else(|| base.format.clone());
    let sqlite = |artifact: &Artifact| {
        artifact.format.as_ref().map(|format| format.value) == Some(Format::Sqlite)
    };
    if sqlite(&merged) && sqlite(base) {
        merged.tables = merged.tables.or_else(|| base.tables.clone());
        merged.sample = merged.sample.or_else(|| base.sample.clone());
    }
    merged
}

/// The artifact, when it lacks nothing. `of` says whose it is; `at` stands in for places that lie in
/// a built-in profile.
pub(super) fn complete(
    page: &mut Page<'_>,
    artifact: &Artifact,
    of: &str,
    at: Mark,
) -> Option<Ready> {
    if artifact.refused {
        return None;
    }
    let name = &artifact.name.value;
    let own = match artifact.name.at.is_built_in() {
        true => at,
        false => artifact.name.at,
    };
    let mut sound = true;
    let mut refuse = |page: &mut Page<'_>, at: Mark, message: String, hint: &str| {
        sound = false;
        page.refuse(if at.is_built_in() { own } else { at }, message, hint);
    };
    if artifact.kind.is_none() {
        let message = format!("artifact `{name}` of {of} has no `kind`");
        let hint = "write `kind:` version, configuration, log, statistics or other";
        refuse(page, own, message, hint);
    }
    let kind = artifact.kind.as_ref().map(|kind| kind.value);
    let source = source(artifact);
    if source.is_none() {
        let message = format!("artifact `{name}` of {of} has neither a command nor a path");
        let hint = "write `path: /…` or `command: [PROGRAM, ARGUMENT]`";
        refuse(page, own, message, hint);
    }
    if let Some(Source::Path(path) | Source::Mask(path)) = &source {
        if let Some((message, hint)) = path.literals().find_map(paths::object_to_literal) {
            refuse(page, path.at, message.to_owned(), hint);
        }
        if let Some(stream) = &artifact.stream {
            let message = "`stream` is about commands, and this artifact is a file".to_owned();
            refuse(page, stream.at, message, "remove it");
        }
    }
    if let Some(Source::Http(_)) = &source {
        if let Some(stream) = &artifact.stream {
            let message = "`stream` is about commands, and this artifact is an answer".to_owned();
            refuse(page, stream.at, message, "remove it");
        }
        if let Some(format) = artifact
            .format
            .as_ref()
            .filter(|format| format.value == Format::Sqlite)
        {
            let message = "a database is not asked of a web server".to_owned();
            let hint = "write `path:` for a database, or the format that the server answers in";
            refuse(page, format.at, message, hint);
        }
    }
    if let Some(Source::Mask(mask)) = &source
        && let Some((message, hint)) = mask.literals().find_map(mask::object_to)
    {
        refuse(page, mask.at, message, hint);
    }
    if let (Some(pattern), Some(kind)) = (&artifact.pattern, kind)
        && !matches!(kind, Kind::Version | Kind::Log | Kind::Other)
    {
        let message = format!(
            "`match` is not looked at for an artifact of kind {}",
            kind.as_str()
        );
        refuse(
            page,
            pattern.at,
            message,
            "it finds the number in a version: remove it here",
        );
    }
    let format = artifact.format.as_ref().map(|format| format.value);
    if format != Some(Format::Sqlite) {
        let tables = artifact.tables.as_ref().map(|tables| (tables.at, "tables"));
        let sample = artifact.sample.as_ref().map(|sample| (sample.at, "sample"));
        let themed = artifact.themed.iter();
        let themed = themed.filter(|(theme, ..)| *theme == Theme::Statistics);
        let keys = themed.map(|(_, key, at)| (*at, *key));
        let is_statistics = kind == Some(Kind::Statistics);
        let keys = keys.filter(|_| is_statistics);
        for (at, key) in tables.into_iter().chain(sample).chain(keys) {
            let message = format!("`{key}` is about databases, and this artifact is none");
            refuse(page, at, message, "write `format: sqlite`, or remove it");
        }
    }
    if let Some(Take::Copy(directory) | Take::VacuumInto(directory)) = &artifact.statistics.take {
        // Consent to a copy is consent to one file: what else a pattern will match is not known.
        let is_one = match &source {
            Some(Source::Path(path)) => !path.literals().any(|text| text.contains(['*', '?', '['])),
            Some(_) => false,
            None => true,
        };
        if !is_one {
            let message = format!(
                "`take` of artifact `{name}` of {of} copies one database, and this is not one path"
            );
            let hint = "write its whole `path:` without a pattern, or `take: stream`";
            refuse(page, directory.at, message, hint);
        }
    }
    for (theme, key, at) in &artifact.themed {
        let (fits, of_what) = match theme {
            Theme::Log => (kind == Some(Kind::Log), "a log"),
            Theme::Statistics => (kind == Some(Kind::Statistics), "statistics"),
            Theme::Configuration => (kind == Some(Kind::Configuration), "a configuration"),
        };
        if !fits && kind.is_some() {
            let message = format!("`{key}` is a key of {of_what}, and this artifact is none");
            refuse(page, *at, message, "correct `kind:`, or remove it");
        }
        let is_parsed = artifact
            .format
            .as_ref()
            .is_some_and(|format| format.value.is_settings());
        if fits && matches!(theme, Theme::Configuration) && !is_parsed {
            let message = format!("`{key}` needs a format that can be parsed");
            let hint = "write `format:` xml, yaml, json, ini, conf, properties, nginx or haproxy";
            refuse(page, *at, message, hint);
        }
        let is_file = matches!(&source, Some(Source::Path(_)));
        if fits && *key == "includes" && !is_file && source.is_some() {
            let message = "`includes` are looked for beside a file, and this artifact is none";
            refuse(
                page,
                *at,
                message.to_owned(),
                "fetch it by `path:`, or remove it",
            );
        }
    }
    let form = artifact.log.entry.as_ref().map(|entry| &entry.form);
    let at = artifact.format.as_ref().map_or(own, |format| format.at);
    match (format, form) {
        (Some(Format::Log), Some(EntryForm::Json { .. })) => {
            let message = format!(
                "`entry:` of artifact `{name}` describes JSON, and `format: log` is lines of text"
            );
            refuse(
                page,
                at,
                message,
                "write `format: json-log`, or `pattern:` in `entry:`",
            );
        }
        (Some(Format::JsonLog), Some(EntryForm::Line(_))) => {
            let message = format!(
                "`entry:` of artifact `{name}` describes lines of text, and `format: json-log` is JSON"
            );
            refuse(
                page,
                at,
                message,
                "write `format: log`, or `json:` in `entry:`",
            );
        }
        _ => {}
    }
    if let (Some(Format::Log | Format::JsonLog), None) = (format, form) {
        let message = format!("artifact `{name}` of {of} does not say how an entry begins");
        let hint = "write `entry: {pattern: '^(?<time>…) …', time: '%Y-%m-%d %H:%M:%S'}`";
        refuse(page, at, message, hint);
    }
    if let Some(listing) = artifact.listing.as_ref().filter(|listing| listing.value) {
        if kind.is_some_and(|kind| kind != Kind::Other) {
            let message = "a listing is no proof of a version, configuration, log or statistics";
            let hint = "write `kind: other`, or remove `listing`";
            refuse(page, listing.at, message.to_owned(), hint);
        }
        // A directory itself would list as nothing.
        let names_files = match &source {
            Some(Source::Path(path)) => path.literals().last().is_some_and(|end| {
                let last = end.rsplit('/').next().unwrap_or_default();
                last.contains(paths::is_pattern)
            }),
            _ => false,
        };
        if !names_files {
            let message = "a listing needs a `path` that ends in a pattern".to_owned();
            refuse(page, listing.at, message, "such as `path: /var/crash/*`");
        }
    }
    let tables = artifact.tables.iter().flat_map(|tables| &tables.value);
    let ready = Ready {
        name: name.clone(),
        kind: kind?,
        source: source?,
        format: format.or(match kind? {
            Kind::Configuration | Kind::Log | Kind::Statistics => Some(Format::Plain),
            Kind::Version | Kind::Other => None,
        }),
        pattern: artifact
            .pattern
            .as_ref()
            .map(|pattern| pattern.value.clone()),
        stream: artifact
            .stream
            .as_ref()
            .map(|stream| stream.value)
            .unwrap_or_default(),
        tables: tables.map(|table| table.value.clone()).collect(),
        sample: artifact.sample.as_ref().map(|sample| Sample {
            table: sample.value.table.clone(),
            column: sample.value.column.clone(),
            unit: sample.value.unit,
        }),
        reject: artifact
            .reject
            .clone()
            .map_or(Vec::new(), |reject| reject.value),
        listing: artifact.listing.as_ref().is_some_and(|flag| flag.value),
        log: artifact.log.clone(),
        statistics: artifact.statistics.clone(),
        configuration: artifact.configuration.clone(),
        about: artifact.about.clone(),
    };
    sound.then_some(ready)
}

fn source(artifact: &Artifact) -> Option<Source> {
    if let Some(command) = &artifact.command {
        return Some(Source::Command(command.value.clone()));
    }
    let path = artifact.path.clone().map(Source::Path);
    path.or_else(|| artifact.mask.clone().map(Source::Mask))
        .or_else(|| artifact.journal.clone().map(Source::Journal))
        .or_else(|| artifact.http.clone().map(Source::Http))
}
