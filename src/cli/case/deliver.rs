//! `gonogo case deliver`: a finished file into the vendor's hands. Nothing is sent without --send.

use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::case::deliver::{self, Delivered, Order, Plan, Wrong};
use crate::case::receipt::{END, NAMESPACE, Receipt};
use crate::cli::args::{duration, positive};
use crate::cli::fault::{Exit, Fault};
use crate::cli::signing::Signing;
use crate::cli::term;
use crate::digest::Sha256;
use crate::intake::Refused;
use crate::inventory::Inventory;
use crate::sign::key::SigningKey;
use crate::sign::sshsig;
use crate::text::{self, escape};
use crate::time;

/// Checks size, name and ending by the rules of the intake, then tells what would be sent where; with --send it
/// is sent. Nothing is written over there, what arrived is compared as far as the intake lets anybody look, and a
/// receipt is kept.
///
/// Exit codes: 0 delivered, or could be · 1 not delivered, or not whole · 2 usage, or against a rule · 3 a fault of
/// our own.
#[derive(Args)]
pub(in crate::cli) struct Deliver {
    /// The finished file
    #[arg(value_name = "BUNDLE")]
    pub bundle: PathBuf,
    /// What is said of vendors
    #[arg(long, short, value_name = "FILE")]
    pub inventory: PathBuf,
    /// To whom, a key of `vendors`
    #[arg(long, value_name = "NAME")]
    pub vendor: String,
    /// Which of its intakes, from 1 [default: the only one]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub intake: Option<usize>,
    /// The digest that `case build` printed: no other file is sent
    #[arg(long, value_name = "DIGEST")]
    pub sha256: Option<Sha256>,
    /// It is no bundle, and is meant all the same: nobody redacted or reviewed what is sent
    #[arg(long)]
    pub any_file: bool,
    /// The vendor's number of the case, where the name of the file has it
    #[arg(long, value_name = "ID")]
    pub case: Option<String>,
    /// What the case is about, where the name of the file has it or its host
    #[arg(long, value_name = "NAME")]
    pub instance: Option<String>,
    /// The request that `case draft` wrote: the text of the message, where the intake is a mailbox
    #[arg(long, value_name = "FILE")]
    pub request: Option<PathBuf>,
    /// Send it
    #[arg(long)]
    pub send: bool,
    /// It only tries the process: at most once in 92 days for a vendor, by the receipts in --receipts
    #[arg(long, requires = "receipts")]
    pub process_test: bool,
    /// Try the process again all the same
    #[arg(long, requires = "process_test")]
    pub force: bool,
    /// The folder in which receipts are kept [default: that of the bundle]
    #[arg(long, value_name = "DIR")]
    pub receipts: Option<PathBuf>,
    /// Sign the receipt with this key, into RECEIPT.sig
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// How long all of it may take
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = duration)]
    pub deadline: Duration,
}

pub(super) fn deliver(args: &Deliver) -> Result<Exit, Fault> {
    let inventory = Inventory::load(&args.inventory)?;
    let receipts = args.receipts.clone();
    let receipts = receipts.unwrap_or_else(|| deliver::beside(&args.bundle));
    if args.process_test && !receipts.exists() {
        made(&receipts)?;
    }
    let order = Order {
        inventory: &inventory,
        vendor: &args.vendor,
        way: args.intake,
        bundle: &args.bundle,
        sha256: args.sha256,
        is_any: args.any_file,
        case: args.case.as_deref(),
        instance: args.instance.as_deref(),
        request: args.request.as_deref(),
        is_test: args.process_test,
        is_forced: args.force,
        receipts: &receipts,
        now: time::now(),
    };
    // Of two at once the second reads the receipt of the first.
    let _held = match args.send && args.process_test {
        true => hold(&receipts)?,
        false => None,
    };
    let plan = deliver::plan(&order).map_err(against)?;
    tell(&plan, args.send);
    if !args.send {
        term::say("dry run: nothing was contacted; --send sends it");
        return Ok(Exit::Go);
    }
    let key = args
        .key
        .clone()
        .map(|key| Signing::with(key).open())
        .transpose()?;
    // Before anything is sent: what is sent has a receipt.
    let mut page = place_for(&receipts)?;
    let delivered =
        deliver::send(&order, &plan, args.deadline).map_err(|refused| fault(&refused, &plan))?;
    let path = keep(&mut page, &receipts, &delivered.receipt, key.as_ref())?;
    term::say(&format!("receipt: {}", escape(&path.to_string_lossy())));
    ended(&delivered, &plan)
}

pub(super) fn against(wrong: Vec<Wrong>) -> Fault {
    let one = |(why, hint): Wrong| {
        let hint = match hint.is_empty() {
            true => String::new(),
            false => format!("\n  hint: {}", escape(&hint)),
        };
        format!("{}{hint}", escape(&why))
    };
    let all: Vec<String> = wrong.into_iter().map(one).collect();
    Fault::new(Exit::Refused, all.join("\nerror: "), "")
}

fn tell(plan: &Plan<'_>, is_sent: bool) {
    let parcel = &plan.parcel;
    let mut page = format!(
        "{} {}, {} ({} bytes)\n  SHA-256 {}\n  to {} by {}\n",
        if is_sent { "sending" } else { "would send" },
        escape(&parcel.path.to_string_lossy()),
        text::size(parcel.bytes),
        parcel.bytes,
        parcel.sha256,
        escape(&plan.vendor.name),
        escape(&plan.place()),
    );
    for line in plan.how().iter().chain(&plan.notes) {
        page.push_str(&format!("  {}\n", escape(line)));
    }
    term::out(&page);
}

/// What went wrong, and where: stdout may be read by somebody else.
fn fault(refused: &Refused, plan: &Plan<'_>) -> Fault {
    let exit = match refused.is_fault {
        true => Exit::Fault,
        false => Exit::NoGo,
    };
    let place = format!("{} by {}", plan.vendor.name, plan.place());
    let why = format!(
        "not delivered to {}: {}",
        escape(&place),
        escape(&refused.why)
    );
    Fault::new(exit, why, &escape(&refused.hint))
}

fn ended(delivered: &Delivered, plan: &Plan<'_>) -> Result<Exit, Fault> {
    let receipt = &delivered.receipt;
    if let Some(left) = &receipt.left {
        term::say(&format!("left at the intake: {}", escape(left)));
    }
    if let Some(refused) = &delivered.refused {
        return Err(fault(refused, plan));
    }
    if let Some(answer) = &receipt.answer {
        term::say(&format!("the intake answered: {}", escape(answer)));
    }
    term::out(&format!(
        "delivered {}  {}, {}\n",
        receipt.sha256,
        escape(&receipt.name),
        match receipt.arrival.as_str() {
            "read back" => "read back and the same",
            "digest stated" => "the intake states the same digest",
            "accepted by the mail server" => {
                "accepted by the mail server: that it arrived at the vendor's is not proven"
            }
            "size only" => "of the same size there: its digest could not be compared",
            _ => "arrival not known: the intake lets nobody look",
        }
    ));
    Ok(Exit::Go)
}

/// A folder for receipts, for this account alone.
fn made(folder: &Path) -> Result<(), Fault> {
    let mut builder = std::fs::DirBuilder::new();
    let made = builder.mode(0o700).create(folder);
    made.map_err(|error| {
        unkept(
            folder,
            &error,
            "nothing was sent: make it, or name another with --receipts",
        )
    })
}

/// The folder of receipts, held against another process test; nothing where there is none, which the plan tells.
fn hold(folder: &Path) -> Result<Option<File>, Fault> {
    let Ok(file) = File::open(folder) else {
        return Ok(None);
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(cause) => {
            let why = match cause {
                TryLockError::WouldBlock => "another process test is being delivered".to_owned(),
                TryLockError::Error(cause) => cause.to_string(),
            };
            let folder = folder.to_string_lossy();
            Err(Fault::new(
                Exit::Fault,
                format!("`{}` cannot be held: {why}", escape(&folder)),
                "nothing was sent: see what becomes of the other one, and whether this one is still due",
            ))
        }
    }
}

/// A place for the receipt, proven by a file.
fn place_for(folder: &Path) -> Result<tempfile::NamedTempFile, Fault> {
    let draft = tempfile::Builder::new()
        .prefix(".gonogo-receipt-")
        .tempfile_in(folder);
    draft.map_err(|error| {
        unkept(
            folder,
            &error,
            "nothing was sent: name another folder with --receipts",
        )
    })
}

fn unkept(path: &Path, error: &io::Error, hint: &str) -> Fault {
    let message = format!(
        "no receipt can be kept in `{}`: {error}",
        escape(&path.to_string_lossy())
    );
    Fault::new(Exit::Fault, message, hint)
}

fn keep(
    page: &mut tempfile::NamedTempFile,
    folder: &Path,
    receipt: &Receipt,
    key: Option<&SigningKey>,
) -> Result<PathBuf, Fault> {
    let hint = "it was sent all the same: keep what is printed here";
    let lost = |error: io::Error| unkept(folder, &error, hint);
    let mut json =
        serde_json::to_vec_pretty(receipt).map_err(|error| lost(io::Error::other(error)))?;
    json.push(b'\n');
    page.write_all(&json).map_err(lost)?;
    page.as_file().sync_all().map_err(lost)?;
    let stamp: String = receipt
        .started
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    for number in 1..100 {
        let more = match number {
            1 => String::new(),
            number => format!("-{number}"),
        };
        let path = folder.join(format!("{}.{stamp}{more}{END}", receipt.name));
        match std::fs::hard_link(page.path(), &path) {
            Ok(()) => {
                if let Some(key) = key {
                    let signature = sshsig::sign(key, NAMESPACE, &json)
                        .map_err(|error| Fault::new(Exit::Fault, error, hint))?;
                    let mut beside = path.clone().into_os_string();
                    beside.push(".sig");
                    let mut file = File::create_new(beside).map_err(lost)?;
                    file.write_all(signature.as_bytes()).map_err(lost)?;
                }
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(lost(error)),
        }
    }
    Err(lost(io::ErrorKind::AlreadyExists.into()))
}
