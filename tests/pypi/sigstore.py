"""Other people's word on the sigstore bundle of a run: sigstore's own models read it, the key file that
docs/formats.md makes for cosign verifies its envelope by securesystemslib and by openssl, and every change of
what is signed is refused.

    python tests/pypi/sigstore.py RUN_DIRECTORY SIGNER.pub

Runs the gonogo of target/debug. Exits 0 when all holds; says on stderr what does not.
"""

import base64
import copy
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey
from sigstore_models.bundle.v1 import Bundle

ROOT = pathlib.Path(__file__).resolve().parents[2]
MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def documented(name):
    """The shell lines of docs/formats.md that follow `<!-- test: NAME -->`."""
    page = (ROOT / "docs/formats.md").read_text()
    return re.search(rf"<!-- test: {name} -->\n```sh\n(.*?)```", page, re.S)[1]


def openssl(place, envelope):
    """Whether openssl takes the signature, by the key file alone."""
    kind, body = envelope["payloadType"].encode(), base64.b64decode(envelope["payload"])
    pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(body), body)
    (place / "pae").write_bytes(pae)
    (place / "sig").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin"]
    command += ["-in", "pae", "-sigfile", "sig"]
    return subprocess.run(command, cwd=place, capture_output=True).returncode == 0


def library(key, envelope):
    try:
        Envelope.from_dict(copy.deepcopy(envelope)).verify([key], 1)
    except Exception:  # Whatever it raises, it did not accept.
        return False
    return True


def changes(envelope):
    """The envelope with another payload, type, signature and key."""
    payload = json.loads(base64.b64decode(envelope["payload"]))
    payload["predicate"]["result"] = "PASSED" if payload["predicate"]["result"] != "PASSED" else "FAILED"
    yield {**envelope, "payload": base64.b64encode(json.dumps(payload).encode()).decode()}
    yield {**envelope, "payloadType": "application/json"}
    signature = bytearray(base64.b64decode(envelope["signatures"][0]["sig"]))
    signature[5] ^= 1
    other = {**envelope["signatures"][0], "sig": base64.b64encode(signature).decode()}
    yield {**envelope, "signatures": [other]}


def main(run, signer):
    run = pathlib.Path(run)
    show = [ROOT / "target/debug/gonogo", "show", run, "--format", "sigstore"]
    text = subprocess.run(show, check=True, capture_output=True).stdout
    model = Bundle.from_json(text)
    assert model.media_type == MEDIA_TYPE, model.media_type
    bundle = json.loads(text)
    envelope = bundle["dsseEnvelope"]
    assert envelope == json.loads((run / "report.intoto.jsonl").read_text()), "another envelope"
    # What cosign asks: one signature, a hint, and the blob's digest among the subjects.
    hint = bundle["verificationMaterial"]["publicKey"]["hint"]
    assert [s["keyid"] for s in envelope["signatures"]] == [hint], hint
    statement = json.loads(base64.b64decode(envelope["payload"]))
    blob = hashlib.sha256((run / "report.json").read_bytes()).hexdigest()
    assert blob in [s["digest"]["sha256"] for s in statement["subject"]], "report.json is no subject"
    assert statement["predicateType"] in documented("cosign"), "docs name another --type"
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        (place / "signer.pub").write_bytes(pathlib.Path(signer).read_bytes())
        subprocess.run(["sh", "-eu", "-c", documented("key")], cwd=place, check=True)
        pem = load_pem_public_key((place / "key.pem").read_bytes())
        key = SSlibKey.from_crypto(pem, hint)
        assert library(key, envelope) and openssl(place, envelope), "the key of the docs refuses the bundle"
        for number, changed in enumerate(changes(envelope)):
            assert not library(key, changed), f"securesystemslib takes change {number}"
            assert not openssl(place, changed), f"openssl takes change {number}"
    for broken in (b"{}", text.replace(b"dsseEnvelope", b"envelope"), text[:-9]):
        try:
            Bundle.from_json(broken)
        except Exception:  # Whatever it raises, it did not accept.
            continue
        raise AssertionError(f"sigstore's models take {broken[:60]}")
    print("sigstore: the bundle is read by sigstore's models; by the key of docs/formats.md its envelope verifies")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except Exception as refusal:
        sys.exit(f"sigstore: {type(refusal).__name__}: {refusal}")
