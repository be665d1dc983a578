"""Tells a suite that writes random values which ones the vendor takes: values.py SCHEMAS_URL > FILE

Prints the server's schemas with canonicalValues the suite will draw from: e-mail addresses, time
zones, roles that can be given. `active` and `roles.primary` are called readOnly, so that they are
not written (false deletes the user, and a primary that is given must be true); `roles` required, as
a role can only be replaced, and `type` too, the one other way to say that a role is the base role.
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


def main(url):
    name, _, value = os.environ["SCIM_CLI_HEADERS"].partition(": ")
    with urllib.request.urlopen(urllib.request.Request(url, headers={name: value})) as answer:
        schemas = json.load(answer)["Resources"]
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
    json.dump(schemas, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
