"""Prints what a plan of `holdfast plan --output json` would change, one primitive id a line."""
import json
import sys


def changes(value):
    if isinstance(value, dict):
        for key, member in value.items():
            if key == "changes":
                yield from member
            else:
                yield from changes(member)
    elif isinstance(value, list):
        for member in value:
            yield from changes(member)


with open(sys.argv[1], encoding="utf-8") as file:
    for change in changes(json.load(file)):
        print(change["id"])
