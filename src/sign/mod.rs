//! Signing a run, and proving offline who signed what: the key, SSHSIG, allowed signers, the
//! manifest, the DSSE attestation, and the text that tells an auditor how to check all of it.
//!
//! Knows no report and no verdict. Bytes are signed as written and never re-serialised.

pub mod agent;
pub mod allowed_signers;
pub mod bundle;
pub mod certificate;
pub mod command;
pub mod dsse;
mod fields;
pub mod key;
mod key_fault;
pub mod krl;
pub mod manifest;
pub mod pattern;
pub mod people;
mod raw;
pub mod signer;
pub mod sshsig;
pub mod timestamp;
pub mod verify_text;

#[cfg(test)]
pub(crate) mod lab;
