"""Tells a suite that writes random values which ones it may: values.py pagerduty|specimen SCHEMAS_URL > FILE

Prints the server's schemas with canonicalValues the suite will draw from, and what else it must not
trip over.

`pagerduty`: the values the vendor takes, which are e-mail addresses, time zones, roles that can be
given. `active` and `roles.primary` are called readOnly, so that they are
not written (false deletes the user, and a primary that is given must be true); `roles` required, as
a role can only be replaced, and `type` too, the one other way to say that a role is the base role.

`specimen`: whole numbers, dates and base64, for which the suite would write random words or compare
the text with what it has read from it. What is always returned is called required, so that it has a
value, since the suite demands one; where nobody ever gives it a value that may be returned, it is
called returned by default. What is never returned is called writeOnly, so that the suite does not
look for it.
"""

import json
import os
import sys
import urllib.request
import uuid

VALUES = {
    "userName": [f"{uuid.uuid4()}@example.com" for _ in range(20_000)],
    "timezone": ["Europe/Berlin", "America/New_York", "Asia/Kathmandu"],
}


def specimen(schemas):
    known = {
        "decimal": ("integer", []),
        "dateTime": ("string", ["2026-01-02T03:04:05Z", "1999-12-31T23:59:59Z"]),
        "binary": ("string", ["c3BlY2ltZW4=", "+/8="]),
    }
    for schema in schemas:
        attributes = [each for each in schema["attributes"] if each["name"] not in ("id", "schemas")]
        for attribute in attributes + [sub for each in attributes for sub in each.get("subAttributes", [])]:
            if attribute["type"] in known:
                attribute["type"], attribute["canonicalValues"] = known[attribute["type"]]
            if attribute["returned"] == "never" and attribute["mutability"] != "readOnly":
                attribute["mutability"] = "writeOnly"
            if attribute["returned"] == "always" and attribute["mutability"] in ("readOnly", "writeOnly"):
                attribute["returned"] = "default"
            elif attribute["returned"] == "always":
                for each in [attribute] + attribute.get("subAttributes", []):
                    each["required"] = True


def pagerduty(schemas):
    for schema in schemas:
        for attribute in schema["attributes"]:
            if attribute["name"] == "active":
                attribute["mutability"] = "readOnly"
            if attribute["name"] == "roles":
                attribute["required"] = True
            if attribute["name"] in VALUES:
                attribute["canonicalValues"] = VALUES[attribute["name"]]
            for sub in attribute.get("subAttributes", []):
                if sub["name"] == "primary":
                    sub["mutability"] = "readOnly"
                if sub["name"] == "type":
                    sub["required"] = True
                sub["canonicalValues"] = [v for v in sub.get("canonicalValues", []) if v != "owner"]


def main(whose, url):
    name, _, value = os.environ["SCIM_CLI_HEADERS"].partition(": ")
    with urllib.request.urlopen(urllib.request.Request(url, headers={name: value})) as answer:
        schemas = json.load(answer)["Resources"]
    {"pagerduty": pagerduty, "specimen": specimen}[whose](schemas)
    json.dump(schemas, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
