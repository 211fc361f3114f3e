"""The word of Cucumber's own library on the messages of a run, and of the golden runs: each line is one message
that it reads and writes the same, so that no key is missing or unknown; ids fit, and nothing that did not pass
has passed.

    python tests/pypi/messages.py RUN_DIRECTORY SIGNER.pub

Runs the gonogo of target/debug. Exits 0 when all holds; says on stderr what does not.
"""

import json
import pathlib
import subprocess
import sys

from cucumber_messages import Envelope, message_converter

ROOT = pathlib.Path(__file__).resolve().parents[2]


def read(line):
    """The message, when the library knows all of it."""
    message = json.loads(line)
    assert len(message) == 1, list(message)
    known = message_converter.from_dict(message, Envelope)
    again = message_converter.to_dict(known)
    assert again == message, f"the library reads {again} of {message}"
    return message.popitem()


def broken(lines):
    """Lines that each break one rule."""
    for change in (
        lambda m: m.update(more=1),
        lambda m: m["testStepFinished"].update(more=1),
        lambda m: m["testStepFinished"].pop("testStepResult"),
        lambda m: m["testStepFinished"]["testStepResult"].update(status="FINE"),
    ):
        message = next(json.loads(line) for line in lines if '"testStepFinished"' in line)
        change(message)
        yield json.dumps(message)


def check(run):
    report = json.loads((run / "report.json").read_text())
    show = [ROOT / "target/debug/gonogo", "show", run, "--format", "messages"]
    text = subprocess.run(show, check=True, capture_output=True, text=True).stdout
    lines = text.splitlines()
    messages = [read(line) for line in lines]
    of = lambda kind: [body for name, body in messages if name == kind]
    sources = {source["uri"]: source["data"] for source in of("source")}
    for uri in {one["feature"] for one in report["checks"]}:
        assert sources[uri] == (run / "inputs" / uri).read_text(), uri
    cases, finished = of("testCase"), of("testCaseFinished")
    assert len(cases) == len(of("pickle")) == len(report["checks"])
    ended = [one for one in finished if not one["willBeRetried"]]
    assert len(ended) == len(cases), "not every check has ended once"
    for case, checked in zip(cases, report["checks"]):
        attempts = [one["id"] for one in of("testCaseStarted") if one["testCaseId"] == case["id"]]
        statuses = {
            one["testStepResult"]["status"] for one in of("testStepFinished") if one["testCaseStartedId"] == attempts[-1]
        }
        assert (statuses == {"PASSED"}) == (checked["outcome"] == "passed"), (checked["id"], statuses)
    assert of("testRunFinished")[0]["success"] == (report["verdict"]["decision"] == "GO")
    return lines


def main(run, _signer):
    golden = sorted(path.parent for path in (ROOT / "tests/golden").glob("*/report.json"))
    assert len(golden) >= 6, golden
    count = 0
    for path in [pathlib.Path(run), *golden]:
        lines = check(path)
        count += len(lines)
    for line in broken(lines):
        try:
            read(line)
        except Exception:  # Whatever it raises, it did not accept.
            continue
        raise AssertionError(f"the library takes {line}")
    print(f"messages: {count} messages are those of Cucumber's own library")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except Exception as refusal:
        sys.exit(f"messages: {type(refusal).__name__}: {refusal}")
