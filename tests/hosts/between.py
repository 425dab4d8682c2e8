"""between.py SHOWN FROM TO: milliseconds between two events of a deployment (as `show` tells it), by how their texts begin."""
import json
import sys

events = json.load(open(sys.argv[1]))["events"]
first = {words: next(event["at_ms"] for event in events if event["text"].startswith(words)) for words in sys.argv[2:]}
print(first[sys.argv[3]] - first[sys.argv[2]])
