"""An independent reader's word on a run's attestation: securesystemslib verifies the DSSE envelope
that gonogo wrote, finds the run's own digests in it, and refuses every changed byte.

    python tests/pypi/dsse.py RUN_DIRECTORY SIGNER.pub

SIGNER.pub is the OpenSSH public key. Exits 0 when all holds; says on stderr what does not.
"""

import base64
import hashlib
import json
import pathlib
import sys

from cryptography.hazmat.primitives.serialization import load_ssh_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

PREDICATE = {"result", "configuration", "passedTests", "warnedTests", "failedTests"}


def public_key(path):
    """The key as securesystemslib wants it; its id is the fingerprint that ssh-keygen prints."""
    line = path.read_bytes()
    digest = hashlib.sha256(base64.b64decode(line.split()[1])).digest()
    keyid = "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
    return SSlibKey.from_crypto(load_ssh_public_key(line), keyid)


def verify(line, key):
    """What the signature covers and the signature itself; any exception is a refusal."""
    envelope = Envelope.from_dict(json.loads(line))
    envelope.verify([key], 1)
    signatures = [bytes.fromhex(s.signature) for s in envelope.signatures.values()]
    return envelope.payload_type, envelope.payload, signatures


def check_statement(payload, run):
    statement = json.loads(payload)
    assert statement["_type"] == "https://in-toto.io/Statement/v1", statement["_type"]
    kind = statement["predicateType"]
    assert kind == "https://in-toto.io/attestation/test-result/v0.1", kind
    predicate = statement["predicate"]
    assert predicate["result"] in ("PASSED", "WARNED", "FAILED"), predicate["result"]
    assert set(predicate) - {"url"} == PREDICATE, sorted(predicate)
    subjects = {s["name"]: s["digest"] for s in statement["subject"]}
    for name in ("SHA256SUMS", "report.json"):
        found = hashlib.sha256((run / name).read_bytes()).hexdigest()
        assert subjects[name] == {"sha256": found}, f"{name} is not the one attested"


def check_changes(line, key, good):
    refused = 0
    for at in range(len(line)):
        changed = bytearray(line)
        changed[at] ^= 1
        try:
            seen = verify(bytes(changed), key)
        except Exception:  # Whatever it raises, it did not accept.
            refused += 1
            continue
        # Python takes several spellings of one base64; gonogo takes one. Never other content.
        assert seen == good, f"byte {at} was changed and the envelope is still accepted"
    assert refused > len(line) * 0.95, f"only {refused} of {len(line)} changes were refused"
    return refused


def main(run, signer):
    run, key = pathlib.Path(run), public_key(pathlib.Path(signer))
    lines = (run / "report.intoto.jsonl").read_bytes().splitlines(keepends=True)
    assert len(lines) == 1, f"{len(lines)} envelopes instead of one"
    good = verify(lines[0], key)
    assert good[0] == "application/vnd.in-toto+json", good[0]
    check_statement(good[1], run)
    refused = check_changes(lines[0], key, good)
    print(f"dsse: accepted; {refused} of {len(lines[0])} changed bytes refused, no other content")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except Exception as refusal:
        sys.exit(f"dsse: {type(refusal).__name__}: {refusal}")
