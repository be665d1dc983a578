"""Judges the output of an outside conformance suite: verdict.py RUN LOG DEVIATIONS

RUN begins with the tool's name. Every failed check must be listed in DEVIATIONS, and every line
there must still fail. A line is
`tool <tab> regular expression over "check: message" <tab> the sentence that proves the tool wrong`, or
`tool <tab> at least <tab> number`: fewer checks mean that the suite broke off.
Prints one line with the counts.
"""

import json
import re
import sys
from pathlib import Path


def scim2(text):
    """(check, passed, message) from `scim2 test`: a line for each check, an indented reason."""
    checks = []
    for line in text.splitlines():
        line = re.sub(r"\x1b\[[0-9;]*m", "", line)
        if match := re.match(r"([A-Z_]+) (\S.*)$", line):
            checks.append([match[2], match[1] == "SUCCESS", ""])
        elif line.startswith("  ") and checks:
            checks[-1][2] += line.strip() + " "
    return checks


def scim_sanity(text):
    """(check, passed, message) from `scim-sanity probe --json-output`; warnings fail too."""
    start = text.find("{")
    if start < 0:
        return []
    report = json.loads(text[start:])
    return [
        [result["name"], result["status"].lower() in ("pass", "skip"), result.get("message") or ""]
        for result in report["results"]
    ]


def main(run, log, deviations):
    text = Path(log).read_text()
    checks = scim2(text) if run.endswith("scim2") else scim_sanity(text)
    lines = [
        line.split("\t")
        for line in Path(deviations).read_text().splitlines()
        if line and not line.startswith("#") and run.startswith(line.split("\t")[0])
    ]
    known = [line for line in lines if line[1] != "at least"]
    least = max([int(line[2]) for line in lines if line[1] == "at least"], default=1)
    hit, unknown = set(), []
    for name, passed, message in checks:
        if passed:
            continue
        found = [i for i, (_, pattern, _) in enumerate(known) if re.search(pattern, f"{name}: {message}")]
        hit.update(found)
        if not found:
            unknown.append(f"{name}: {message}")
    stale = [line for i, line in enumerate(known) if i not in hit]
    passed = sum(1 for _, ok, _ in checks if ok)
    print(f"{run}: {passed} of {len(checks)} checks pass, {len(checks) - passed - len(unknown)} listed as deviations")
    for line in unknown:
        print(f"  not listed: {line}")
    for line in stale:
        print(f"  listed but no longer failing: {line[1]}")
    few = len(checks) < least
    if few:
        print(f"  fewer than {least} checks ran:\n{text[-4000:]}")
    return 1 if unknown or stale or few else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
