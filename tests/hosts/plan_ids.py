"""Prints what a plan of `holdfast plan --output json` would change, one primitive id a line."""
import json
import sys


def actions(value):
    if isinstance(value, dict):
        for key, member in value.items():
            if key == "actions":
                yield from member
            else:
                yield from actions(member)
    elif isinstance(value, list):
        for member in value:
            yield from actions(member)


with open(sys.argv[1], encoding="utf-8") as file:
    for action in actions(json.load(file)):
        print(action["id"])
