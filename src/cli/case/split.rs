//! `gonogo case split`: a file in parts that an intake takes.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use crate::case::deliver;
use crate::case::split::{self, Unsplit};
use crate::cli::args::positive;
use crate::cli::fault::{Exit, Fault};
use crate::cli::term;
use crate::inventory::{Inventory, parse_size};
use crate::text::{escape, size};

/// Writes numbered parts, the file of their digests and what the receiver does with them into a new directory. The
/// parts put together have the digest of the whole.
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
    /// The directory of the parts, which is made
    #[arg(long, short, value_name = "DIR")]
    pub out: PathBuf,
}

pub(super) fn split(args: &Split) -> Result<Exit, Fault> {
    let parts = split::split(&args.bundle, most(args)?, &args.out).map_err(|why| match why {
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
    term::say(&format!("the whole has SHA-256 {}", parts.sha256));
    Ok(Exit::Go)
}

fn most(args: &Split) -> Result<u64, Fault> {
    if let Some(most) = args.max_bytes {
        return Ok(most);
    }
    let (Some(vendor), Some(path)) = (&args.vendor, &args.inventory) else {
        let hint = "write --max-bytes SIZE, or --vendor NAME -i FILE";
        return Err(Fault::new(
            Exit::Refused,
            "nothing says how large a part may be",
            hint,
        ));
    };
    let inventory = Inventory::load(path)?;
    let intake = deliver::way(&inventory, vendor, args.intake);
    let (_, way, intake) =
        intake.map_err(|(why, hint)| Fault::new(Exit::Refused, escape(&why), &hint))?;
    intake.max_bytes.ok_or_else(|| {
        let why = format!(
            "intake {way} of vendor `{}` has no `max_bytes`",
            escape(vendor)
        );
        Fault::new(
            Exit::Refused,
            why,
            "name --max-bytes, or deliver the file as it is",
        )
    })
}
