//! What a check is about: one combination of the selectors with the inventory.

/// One combination. Names are keys of the inventory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Subject {
    /// `environment:`
    pub environment: String,
    /// The instance, when a selector named instances.
    pub instance: Option<String>,
    /// The instance's product.
    pub product: Option<String>,
    /// The instance's host, or the host selected.
    pub host: Option<String>,
    /// The team whose login is used.
    pub team: Option<String>,
    /// The vendor.
    pub vendor: Option<String>,
}

impl Subject {
    /// The words that `<…>` in names and steps may stand for.
    pub const PLACEHOLDERS: [&str; 6] = [
        "instance",
        "host",
        "team",
        "product",
        "vendor",
        "environment",
    ];

    /// The value of `<name>`, when the subject has one.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        match name {
            "instance" => self.instance.as_deref(),
            "host" => self.host.as_deref(),
            "team" => self.team.as_deref(),
            "product" => self.product.as_deref(),
            "vendor" => self.vendor.as_deref(),
            "environment" => Some(&self.environment),
            _ => None,
        }
    }

    /// What follows the `@` of a check's id: `orders/operations`, `ny4-1/operations`, `60east`.
    #[must_use]
    pub fn label(&self) -> String {
        let place = self
            .instance
            .as_deref()
            .or(self.host.as_deref())
            .or(self.vendor.as_deref());
        match (place, self.team.as_deref()) {
            (Some(place), Some(team)) => format!("{place}/{team}"),
            (Some(one), None) | (None, Some(one)) => one.to_owned(),
            (None, None) => self.environment.clone(),
        }
    }
}
