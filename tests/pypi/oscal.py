"""compliance-trestle's word on the OSCAL assessment results of a run, and on those of the golden runs: each is
imported and validated; what breaks a rule of OSCAL is refused.

    python tests/pypi/oscal.py RUN_DIRECTORY SIGNER.pub

Runs the gonogo of target/debug. Exits 0 when all holds; says on stderr what does not.
"""

import contextlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from trestle.cli import Trestle

ROOT = pathlib.Path(__file__).resolve().parents[2]


def trestle(place, *args):
    """Exit code and words of its command line, in this process: its start takes seconds."""
    words, (argv, back) = io.StringIO(), (sys.argv, os.getcwd())
    sys.argv = ["trestle", *args]
    os.chdir(place)
    try:
        with contextlib.redirect_stdout(words), contextlib.redirect_stderr(words):
            code = Trestle().run()
    except SystemExit as end:
        code = end.code or 0
    finally:
        sys.argv = argv
        os.chdir(back)
    return code, words.getvalue()


def accepted(place, name, document):
    """Whether trestle imports the document and finds it valid."""
    source = place.parent / f"{name}.json"
    source.write_text(json.dumps(document))
    code, words = trestle(place, "import", "-f", str(source), "-o", name)
    if code:
        return False, words
    code, words = trestle(place, "validate", "-t", "assessment-results", "-n", name)
    return code == 0, words


def results(run, *more):
    show = [ROOT / "target/debug/gonogo", "show", run, "--format", "oscal", *more]
    text = subprocess.run(show, check=True, capture_output=True, text=True).stdout
    assert "satisf" not in text.lower(), "it says that a control is satisfied"
    return json.loads(text)


def broken(good):
    """Changes that each break one rule."""
    for change in (
        lambda r: r.pop("uuid"),
        lambda r: r.update(uuid="1"),
        lambda r: r["metadata"].pop("version"),
        lambda r: r["results"][0].pop("reviewed-controls"),
        lambda r: r["results"][0]["reviewed-controls"]["control-selections"][0].update(
            {"include-controls": [{"control-id": "8.15"}]}
        ),
        lambda r: r["results"][0].update(start="yesterday"),
        lambda r: r.update(more=1),
        lambda r: r["results"][0]["observations"][0].update(uuid=r["uuid"]),
    ):
        document = json.loads(json.dumps(good))
        change(document["assessment-results"])
        yield document


def main(run, _signer):
    golden = sorted(path.parent for path in (ROOT / "tests/golden").glob("*/report.json"))
    assert len(golden) >= 6, golden
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place) / "trestle"
        place.mkdir()
        code, words = trestle(place, "init", "--local")
        assert code == 0, words
        good = results(run)
        documents = {"practice": good, "practice-mapped": results(run, "--controls", ROOT / "docs/controls.yaml")}
        assert documents["practice"] == documents["practice-mapped"]
        documents |= {path.name.replace(".", "-"): results(path) for path in golden}
        for name, document in documents.items():
            held, words = accepted(place, name, document)
            assert held, f"{name}: {words}"
        for number, document in enumerate(broken(good)):
            held, _ = accepted(place, f"broken-{number}", document)
            assert not held, f"trestle takes change {number}"
    print(f"oscal: {len(documents)} assessment results are valid, {number + 1} broken ones are refused")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except Exception as refusal:
        sys.exit(f"oscal: {type(refusal).__name__}: {refusal}")
