#!/usr/bin/env python3
"""Validates events, one JSON text a line, against the JSON Schema of an event.

Usage: validate_events.py EVENTS.ndjson [SCHEMA.json]

Needs the package `jsonschema` (4.18 or later) from PyPI. Prints how many events were read and the first failures.
Exits with 1 when an event does not fit the schema, or when there was none.
"""

import json
import pathlib
import sys

from jsonschema import Draft202012Validator

SHOWN = 20
DEFAULT_SCHEMA = pathlib.Path(__file__).resolve().parent.parent / "Sources/SocialEvents/event.schema.json"


def refuse_duplicates(members):
    names = [name for name, _ in members]
    if len(names) != len(set(names)):
        raise ValueError("a member stands twice in one object")
    return dict(members)


def problems(validator, line):
    try:
        event = json.loads(line, object_pairs_hook=refuse_duplicates)
    except ValueError as error:
        return [f"not JSON: {error}"]
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(event)]


def main(arguments):
    if len(arguments) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 2
    schema = json.loads(pathlib.Path(arguments[1] if len(arguments) == 2 else DEFAULT_SCHEMA).read_text())
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    count = failed = 0
    with open(arguments[0], encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines, 1):
            count += 1
            found = problems(validator, line)
            if not found:
                continue
            failed += 1
            if failed <= SHOWN:
                print(f"line {number}: " + "; ".join(found[:5]))
    print(f"{count} events read, {failed} do not fit the schema")
    return 1 if failed or count == 0 else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except OSError as error:
        sys.exit(f"cannot read {error.filename}: {error.strerror}")
