//! A week of an application beside its vendor's hours: a part of the published shape, whose rules are those of
//! `schema.rs`. `run/weeks.rs` writes it, `verify` makes it again, the page draws it.

use serde::{Deserialize, Serialize};

/// One week, from Monday to Monday on the application's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Week {
    /// Key in `vendors:`.
    pub vendor: String,
    /// The instance or product.
    pub application: String,
    /// How severe it is when it is not there, where that says when the vendor answers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub severity: Option<String>,
    /// The application's zone.
    pub zone: String,
    /// The vendor's zone; null where it has no hours for this.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vendor_zone: Option<String>,
    /// Monday's midnight, RFC 3339, UTC.
    pub from: String,
    /// The next one, RFC 3339, UTC.
    pub to: String,
    /// Each midnight on the application's clock.
    pub days: Vec<Midnight>,
    /// Each midnight on the vendor's clock.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub vendor_days: Vec<Midnight>,
    /// When it must be available.
    pub required: Vec<HoursOfWeek>,
    /// When the vendor answers.
    pub covered: Vec<HoursOfWeek>,
    /// Required while the vendor does not answer, with a plan.
    pub planned: Vec<HoursOfWeek>,
    /// The same without one.
    pub open: Vec<HoursOfWeek>,
}

/// Where a day begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Midnight {
    /// RFC 3339, UTC.
    pub at: String,
    /// `Mon 2026-11-23`.
    pub day: String,
}

/// From an instant up to, and without, another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HoursOfWeek {
    /// RFC 3339, UTC.
    pub from: String,
    /// RFC 3339, UTC.
    pub to: String,
    /// On the application's clock, `Mon 2026-11-23 08:00 to Mon 2026-11-23 18:00`.
    pub said: String,
    /// On the vendor's clock.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vendor_said: Option<String>,
}
