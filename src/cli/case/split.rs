//! `gonogo case split`: a file in parts that an intake takes.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::encrypted::{self, Encrypted};
use crate::case::split::{self, Unsplit};
use crate::case::{deliver, sent};
use crate::cli::args::positive;
use crate::cli::fault::{Exit, Fault};
use crate::cli::term;
use crate::encryption::Recipients;
use crate::intake::mail;
use crate::inventory::{IntakeTo, Inventory, parse_size};
use crate::text::{escape, size};

/// Writes numbered parts, the file of their digests and what the receiver does with them into a new directory. The
/// parts put together have the digest of the whole. Where they are encrypted, each is a file of its own to open.
///
/// Exit codes: 0 written · 2 usage · 3 a fault of our own.
#[derive(Args)]
#[command(group(ArgGroup::new("limit").required(true).args(["max_bytes", "vendor"])))]
pub(in crate::cli) struct Split {
    /// The finished file
    #[arg(value_name = "BUNDLE")]
    pub bundle: PathBuf,
    /// The most that one part may have, such as 20MiB
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub max_bytes: Option<u64>,
    /// Or that which `max_bytes` of this vendor's intake says
    #[arg(long, value_name = "NAME", requires = "inventory")]
    pub vendor: Option<String>,
    /// What is said of vendors
    #[arg(long, short, value_name = "FILE", requires = "vendor")]
    pub inventory: Option<PathBuf>,
    /// Which of its intakes, from 1 [default: the only one]
    #[arg(long, value_name = "N", value_parser = positive, requires = "vendor")]
    pub intake: Option<usize>,
    /// It is no bundle, and is meant all the same: nobody redacted or reviewed what is split
    #[arg(long)]
    pub any_file: bool,
    #[command(flatten)]
    pub encrypted: Encrypted,
    /// The directory of the parts, which is made
    #[arg(long, short, value_name = "DIR")]
    pub out: PathBuf,
}

pub(super) fn split(args: &Split) -> Result<Exit, Fault> {
    let (most, receivers) = limits(args)?;
    // Once a part is encrypted nobody can look any more.
    if args.bundle.is_file() {
        let meant = args.any_file.then_some("--any-file");
        let found = sent::look(&args.bundle, meant).map_err(super::deliver::against)?;
        for note in found.notes {
            term::say(&format!("note: {}", escape(&note)));
        }
    }
    let parts = split::split(&args.bundle, most, receivers.as_ref(), &args.out);
    let parts = parts.map_err(|why| match why {
        Unsplit::Usage(why, hint) => Fault::new(Exit::Refused, escape(&why), hint),
        Unsplit::Fault(error) => Fault::new(Exit::Fault, format!("no parts: {error}"), ""),
    })?;
    let mut told = String::new();
    for (path, bytes) in &parts.parts {
        told.push_str(&format!(
            "{}  {}\n",
            escape(&path.to_string_lossy()),
            size(*bytes)
        ));
    }
    for path in [&parts.sums, &parts.join] {
        told.push_str(&format!("{}\n", escape(&path.to_string_lossy())));
    }
    term::out(&told);
    if let Some(to) = &receivers {
        term::say(&encrypted::told(&to.told()));
    }
    term::say(&format!("the whole has SHA-256 {}", parts.sha256));
    Ok(Exit::Go)
}

/// The most that a part may have, and for whom each is encrypted.
fn limits(args: &Split) -> Result<(u64, Option<Recipients>), Fault> {
    let Some((vendor, path)) = args.vendor.as_ref().zip(args.inventory.as_ref()) else {
        let most = args.max_bytes.ok_or_else(|| {
            let hint = "write --max-bytes SIZE, or --vendor NAME -i FILE";
            Fault::new(Exit::Refused, "nothing says how large a part may be", hint)
        })?;
        return Ok((most, args.encrypted.named()?));
    };
    let inventory = Inventory::load(path)?;
    let intake = deliver::way(&inventory, vendor, args.intake);
    let (_, way, intake) =
        intake.map_err(|(why, hint)| Fault::new(Exit::Refused, escape(&why), &hint))?;
    let fits = |most| match intake.to {
        IntakeTo::Email { .. } => mail::fitting(most),
        _ => most,
    };
    let most = args
        .max_bytes
        .or(intake.max_bytes.map(fits))
        .ok_or_else(|| {
            let why = format!(
                "intake {way} of vendor `{}` has no `max_bytes`",
                escape(vendor)
            );
            Fault::new(
                Exit::Refused,
                why,
                "name --max-bytes, or deliver the file as it is",
            )
        })?;
    if most == 0 {
        let why = format!(
            "`max_bytes` of intake {way} of vendor `{}` is less than the frame of a message",
            escape(vendor)
        );
        let hint =
            "no part fits: see `max_bytes` with the vendor, or name another way with --intake";
        return Err(Fault::new(Exit::Refused, why, hint));
    }
    let receivers = match (args.encrypted.named()?, intake.encrypt_to.is_empty()) {
        (None, false) => Some(encrypted::of_intake(intake)?),
        (named, _) => named,
    };
    Ok((most, receivers))
}
