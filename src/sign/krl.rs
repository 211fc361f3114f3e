//! Keys and certificates that are trusted no more: a key revocation list of `ssh-keygen -k` (PROTOCOL.krl)
//! or a list of public keys, one a line. Answers as `krl.c` does, and refuses what it cannot read whole: a
//! list that is damaged, cut short or empty never means that nothing is revoked.

use sha1::Digest as _;
use ssh_key::HashAlg;
use ssh_key::certificate::Certificate;
use ssh_key::public::KeyData;

use super::fields::Fields;
use super::raw::{blob, plain, read_key, read_line};

const MAGIC: &[u8] = b"SSHKRL\n\0";
const VERSION: u32 = 1;

// Sections, and those of a section on certificates.
const CERTIFICATES: u8 = 1;
const EXPLICIT_KEY: u8 = 2;
const SHA1: u8 = 3;
const SIGNATURE: u8 = 4;
const SHA256: u8 = 5;
const SERIAL_LIST: u8 = 0x20;
const SERIAL_RANGE: u8 = 0x21;
const SERIAL_BITMAP: u8 = 0x22;
const KEY_ID: u8 = 0x23;

/// What OpenSSH reads of a number (sshbuf.h, SSHBUF_MAX_BIGNUM), leading zeros left out.
const MOST_BITMAP: usize = 16384 / 8;

/// A revocation list that was read whole.
#[derive(Clone, Debug, Default)]
pub struct Revoked {
    keys: Vec<Vec<u8>>,
    sha1: Vec<Vec<u8>>,
    sha256: Vec<Vec<u8>>,
    certificates: Vec<OfAuthority>,
}

/// Certificates of one authority, or of any.
#[derive(Clone, Debug, Default)]
struct OfAuthority {
    authority: Option<Vec<u8>>,
    serials: Vec<(u64, u64)>,
    ids: Vec<String>,
}

/// Why a list cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RevokedFault {
    /// Nothing is in it, not even a comment.
    #[error("it is empty")]
    Empty,
    /// A revocation list, and damaged.
    #[error("it is a damaged or unknown key revocation list: {0}")]
    Damaged(&'static str),
    /// A text, and not of public keys.
    #[error("line {0} is no public key, and it is no key revocation list of `ssh-keygen -k`")]
    Line(usize),
}

impl RevokedFault {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Empty => {
                "get it again from its keeper; a list that revokes nothing holds a comment, or is made by `ssh-keygen -k -f FILE`"
            }
            Self::Damaged(_) => {
                "get it again from its keeper; `ssh-keygen -Q -l -f FILE` reads a good one"
            }
            Self::Line(_) => {
                "it holds one public key a line, or is made by `ssh-keygen -k -f FILE …`"
            }
        }
    }
}

impl Revoked {
    pub(super) const AUTHORITY: &'static str = "the authority's key";

    /// Reads a whole file of either kind.
    ///
    /// # Errors
    /// Whatever keeps it from being read to its end.
    pub fn parse(content: &[u8]) -> Result<Self, RevokedFault> {
        match content.strip_prefix(MAGIC) {
            Some(rest) => Self::parse_krl(Fields(rest)).map_err(RevokedFault::Damaged),
            None if content.is_empty() => Err(RevokedFault::Empty),
            None => Self::parse_list(content),
        }
    }

    /// One public key or certificate a line (authfile.c, sshkey_in_file); of a certificate its key counts.
    fn parse_list(content: &[u8]) -> Result<Self, RevokedFault> {
        let mut read = Self::default();
        for (index, line) in content.split(|&byte| byte == b'\n').enumerate() {
            let line = String::from_utf8_lossy(line);
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, _) = read_line(line).ok_or(RevokedFault::Line(index + 1))?;
            read.keys.push(blob(plain(&key)));
        }
        Ok(read)
    }

    fn parse_krl(mut fields: Fields<'_>) -> Result<Self, &'static str> {
        const SHORT: &str = "it is cut short";
        if fields.u32().ok_or(SHORT)? != VERSION {
            return Err("its format is of another version");
        }
        // Version, date, flags, reserved, comment: none of them decides.
        fields.bytes(3 * 8).ok_or(SHORT)?;
        fields.string().ok_or(SHORT)?;
        fields.string().ok_or(SHORT)?;
        let mut read = Self::default();
        while !fields.is_empty() {
            let kind = fields.byte().ok_or(SHORT)?;
            let mut section = Fields(fields.string().ok_or(SHORT)?);
            match kind {
                CERTIFICATES => read.certificates.push(of_authority(section)?),
                EXPLICIT_KEY => blobs(&mut section, &mut read.keys, None)?,
                SHA1 => blobs(&mut section, &mut read.sha1, Some(20))?,
                SHA256 => blobs(&mut section, &mut read.sha256, Some(32))?,
                SIGNATURE => return Err("it is signed, which is not verified here"),
                _ => return Err("it has a section of an unknown kind"),
            }
        }
        Ok(read)
    }

    /// What of `key` (perhaps a certificate) is revoked: in this order the key itself, the certificate, the
    /// authority's key.
    #[must_use]
    pub fn covers(&self, key: &KeyData) -> Option<&'static str> {
        if self.has_key(plain(key)) {
            return Some("the key");
        }
        let certificate = key.certificate()?;
        if self.has_certificate(certificate) {
            return Some("the certificate");
        }
        let authority = certificate.signature_key();
        self.has_key(authority).then_some(Self::AUTHORITY)
    }

    fn has_key(&self, key: &KeyData) -> bool {
        let blob = blob(key);
        let sha256 = key.fingerprint(HashAlg::Sha256);
        self.keys.contains(&blob)
            || self
                .sha1
                .iter()
                .any(|hash| *hash == sha1::Sha1::digest(&blob)[..])
            || self.sha256.iter().any(|hash| *hash == sha256.as_bytes())
    }

    fn has_certificate(&self, certificate: &Certificate) -> bool {
        let authority = blob(certificate.signature_key());
        let of_it = |part: &&OfAuthority| match &part.authority {
            Some(only) => *only == authority,
            None => true,
        };
        // 0 stands for a certificate without a serial number: no range holds it, as none may begin there.
        let serial = certificate.serial();
        self.certificates.iter().filter(of_it).any(|part| {
            let in_range = |&(low, high): &(u64, u64)| low <= serial && serial <= high;
            part.ids.iter().any(|id| id == certificate.key_id())
                || part.serials.iter().any(in_range)
        })
    }
}

fn blobs(
    section: &mut Fields<'_>,
    into: &mut Vec<Vec<u8>>,
    length: Option<usize>,
) -> Result<(), &'static str> {
    while !section.is_empty() {
        let blob = section.string().ok_or("a section is cut short")?;
        if length.is_some_and(|length| blob.len() != length) {
            return Err("a fingerprint has the wrong length");
        }
        into.push(blob.to_vec());
    }
    Ok(())
}

fn of_authority(mut section: Fields<'_>) -> Result<OfAuthority, &'static str> {
    const SHORT: &str = "a section on certificates is cut short";
    let authority = section.string().ok_or(SHORT)?;
    section.string().ok_or(SHORT)?;
    let mut read = OfAuthority::default();
    if !authority.is_empty() {
        let key = read_key(authority).ok_or("an authority's key cannot be read")?;
        read.authority = Some(blob(&key));
    }
    while !section.is_empty() {
        let kind = section.byte().ok_or(SHORT)?;
        let mut part = Fields(section.string().ok_or(SHORT)?);
        match kind {
            SERIAL_LIST => {
                while !part.is_empty() {
                    let serial = part.u64().ok_or(SHORT)?;
                    read.revoke(serial, serial)?;
                }
            }
            SERIAL_RANGE => {
                let (low, high) = (part.u64().ok_or(SHORT)?, part.u64().ok_or(SHORT)?);
                read.revoke(low, high)?;
            }
            SERIAL_BITMAP => {
                let offset = part.u64().ok_or(SHORT)?;
                let bitmap = part.string().ok_or(SHORT)?;
                read.revoke_bits(offset, bitmap)?;
            }
            KEY_ID => {
                while !part.is_empty() {
                    let id = part.string().ok_or(SHORT)?;
                    let id = std::str::from_utf8(id).ok().filter(|id| !id.contains('\0'));
                    let id = id.ok_or("a key id is no text")?;
                    read.ids.push(id.to_owned());
                }
            }
            _ => return Err("it has a section on certificates of an unknown kind"),
        }
        if !part.is_empty() {
            return Err("a section on certificates holds more than it should");
        }
    }
    Ok(read)
}

impl OfAuthority {
    fn revoke(&mut self, low: u64, high: u64) -> Result<(), &'static str> {
        if low == 0 || low > high {
            return Err("a range of serial numbers is none");
        }
        self.serials.push((low, high));
        Ok(())
    }

    /// Bit n, the last of the bytes being the lowest, stands for `offset` + n.
    fn revoke_bits(&mut self, offset: u64, bitmap: &[u8]) -> Result<(), &'static str> {
        if bitmap.first().is_some_and(|first| first & 0x80 != 0) {
            return Err("a bitmap is negative");
        }
        let zeros = bitmap.iter().take_while(|&&byte| byte == 0).count();
        let bitmap = &bitmap[zeros..];
        if bitmap.len() > MOST_BITMAP {
            return Err("a bitmap is too long");
        }
        let mut serial = offset;
        for byte in bitmap.iter().rev() {
            for bit in 0..8 {
                if byte >> bit & 1 == 1 {
                    let wrapped = serial < offset;
                    match wrapped {
                        true => return Err("a bitmap goes past the last serial number"),
                        false => self.revoke(serial, serial)?,
                    }
                }
                serial = serial.wrapping_add(1);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "krl_tests.rs"]
mod tests;
