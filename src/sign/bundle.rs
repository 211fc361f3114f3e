//! The attestation of a run in the form of a sigstore bundle v0.3, for cosign and the libraries of sigstore.
//! The same signature over the same bytes: nothing is signed again, and nothing is proven here.
//!
//! Holds the hint of a key, never a key: whom to trust is told by another way. Time stamps of a run are over
//! `SHA256SUMS.sig`, those of a bundle over the signature in it: none are taken along.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;

use super::dsse::{Envelope, EnvelopeFault, PAYLOAD_TYPE, SSHSIG_MAGIC};

/// `mediaType` of a bundle.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    media_type: &'static str,
    verification_material: Material,
    dsse_envelope: Envelope,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    public_key: PublicKey,
    // Empty: no transparency log holds a run. Some readers ask for the list.
    tlog_entries: [(); 0],
}

#[derive(Serialize)]
struct PublicKey {
    hint: String,
}

/// Why an attestation has no form as a bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleFault {
    /// It is not what gonogo writes.
    #[error(transparent)]
    Envelope(#[from] EnvelopeFault),
    /// Its signature is an SSHSIG, which no reader of bundles knows.
    #[error(
        "the attestation is signed in the form of ssh-keygen, which a sigstore bundle cannot hold"
    )]
    Sshsig,
}

impl BundleFault {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Envelope(_) => "name the directory that `gonogo run -o` wrote",
            Self::Sshsig => {
                "sign runs with an ed25519 or ECDSA key from a file or an agent; \
                 `gonogo verify` and `ssh-keygen -Y verify` read this run as it is"
            }
        }
    }
}

/// The bundle of an attestation, `line` being all of `report.intoto.jsonl`: one line of JSON with its line end.
///
/// # Errors
/// When it is not one envelope as gonogo writes it, or its signature has no such form.
pub fn sigstore(line: &str) -> Result<String, BundleFault> {
    let envelope = Envelope::read(line)?;
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(EnvelopeFault::PayloadType(envelope.payload_type).into());
    }
    let [signature] = envelope.signatures.as_slice() else {
        return Err(EnvelopeFault::Signatures(envelope.signatures.len()).into());
    };
    let raw = BASE64
        .decode(&signature.sig)
        .map_err(|_| EnvelopeFault::Base64)?;
    if raw.len() != 64 && raw.starts_with(SSHSIG_MAGIC) {
        return Err(BundleFault::Sshsig);
    }
    let bundle = Bundle {
        media_type: MEDIA_TYPE,
        verification_material: Material {
            public_key: PublicKey {
                hint: signature.keyid.clone(),
            },
            tlog_entries: [],
        },
        dsse_envelope: envelope,
    };
    let json = serde_json::to_string(&bundle).map_err(EnvelopeFault::Json)?;
    Ok(json + "\n")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn envelope(sig: &[u8]) -> String {
        let signature = json!({"keyid": "SHA256:abc", "sig": BASE64.encode(sig)});
        format!(r#"{{"payload":"e30=","payloadType":"{PAYLOAD_TYPE}","signatures":[{signature}]}}"#)
            + "\n"
    }

    #[test]
    fn holds_the_very_envelope_and_the_hint_of_its_key() {
        let line = envelope(&[7; 64]);
        let bundle = sigstore(&line).unwrap();
        assert!(bundle.ends_with("}\n") && bundle.lines().count() == 1);
        assert!(bundle.contains(line.trim_end()), "{bundle}");
        let bundle: Value = serde_json::from_str(&bundle).unwrap();
        assert_eq!(bundle["mediaType"], MEDIA_TYPE);
        let material = &bundle["verificationMaterial"];
        assert_eq!(
            *material,
            json!({"publicKey": {"hint": "SHA256:abc"}, "tlogEntries": []})
        );
        assert_eq!(bundle.as_object().unwrap().len(), 3);
    }

    #[test]
    fn what_a_bundle_cannot_hold_is_refused() {
        let line = envelope(&[b"SSHSIG".as_slice(), &[0; 90]].concat());
        assert!(matches!(sigstore(&line), Err(BundleFault::Sshsig)));
        let good = envelope(&[7; 64]);
        for broken in [
            String::new(),
            "{}\n".to_owned(),
            format!("{good}{good}"),
            good.replace("in-toto", "other"),
            good.replace("\"payload\"", " \"payload\""),
            good.replace("\"sig\"", "\"sign\""),
            good.replace("[{", "[],\"x\":[{"),
        ] {
            assert!(sigstore(&broken).is_err(), "{broken}");
        }
    }
}
