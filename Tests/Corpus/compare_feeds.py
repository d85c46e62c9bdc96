#!/usr/bin/env python3
"""Holds what Roost reads of feeds against what feedparser reads of them.

    compare_feeds.py SAMPLES [DUMP]

SAMPLES is a folder with `feeds`, `wordpress` and `phpforums` in it; DUMP is the built `FeedDump`, `.build/debug/FeedDump` if it
is not given. Needs `feedparser` 6 from PyPI.

Compared for every file: how many entries it has, and of each entry the title and the date. `differences.tsv` beside this
script lists the differences that are meant, with the reason. A difference that is not listed fails the check, and so does
a listed one that is gone, a file that crashes the reader, and a folder without feeds.
"""

import calendar
import html
import json
import pathlib
import re
import subprocess
import sys

import feedparser

ALLOWED = pathlib.Path(__file__).with_name("differences.tsv")
BUILT = pathlib.Path(__file__).parents[2] / ".build" / "debug" / "FeedDump"
FOLDERS = ("feeds", "wordpress", "phpforums")


def documents(samples):
    """Every feed of the folders; the other samples are exchanges around feeds, which hold none."""
    for folder in (samples / name for name in FOLDERS):
        if not folder.is_dir():
            sys.exit(f"compare_feeds: there is no folder {folder}")
        found = sorted(
            path
            for path in folder.iterdir()
            if path.suffix in {".xml", ".html"} or (path.suffix == ".json" and is_json_feed(path))
        )
        if not found:
            sys.exit(f"compare_feeds: no feeds in {folder}")
        yield from found


def is_json_feed(path):
    content = json.loads(path.read_bytes())
    return isinstance(content, dict) and "jsonfeed.org" in str(content.get("version", ""))


def plain(text):
    """A title without markup and with single spaces, since the two parsers escape and trim differently."""
    text = re.sub(r"<[^<>]*>", " ", html.unescape(text or ""))
    return " ".join(html.unescape(text).split())


def moment(entry, *names):
    """The first of an entry's dates that feedparser could read, in seconds since 1970."""
    for name in names:
        value = entry.get(name + "_parsed")
        if value:
            return calendar.timegm(value)
    return None


def theirs(path):
    """Entries as feedparser reads them, or for JSON Feed, which it does not know, as Python's json does."""
    if path.suffix == ".json":
        items = json.loads(path.read_bytes())["items"]
        return [
            {
                "title": plain(item.get("title")),
                "date": iso(item.get("date_published") or item.get("date_modified") or item.get("date_modified ")),
            }
            for item in items
        ]
    parsed = feedparser.parse(path.read_bytes(), response_headers={"content-location": "http://corpus.example/feed"})
    return [
        {"title": plain(entry.get("title")), "date": moment(entry, "published", "updated", "created")}
        for entry in parsed.entries
    ]


def iso(text):
    parsed = feedparser.datetimes._parse_date(text) if text else None
    return calendar.timegm(parsed) if parsed else None


def ours(dump, paths):
    """What the dump says of every file; it must say something of each."""
    read = {}
    for start in range(0, len(paths), 100):
        batch = [str(path) for path in paths[start : start + 100]]
        result = subprocess.run([dump, *batch], stdout=subprocess.PIPE, timeout=300)
        if result.returncode != 0:
            sys.exit(f"compare_feeds: the reader crashed with {result.returncode} on one of {batch[0]} … {batch[-1]}")
        for line in result.stdout.splitlines():
            document = json.loads(line)
            read[document["file"]] = document
    missing = [str(path) for path in paths if str(path) not in read]
    if missing:
        sys.exit(f"compare_feeds: nothing was read of {missing}")
    return read


def our_date(entry):
    text = entry.get("published") or entry.get("updated")
    return iso(text) if text else None


def differences(path, document):
    """(field, what is different) for each difference of a file."""
    expected = theirs(path)
    entries = document.get("entries", [])
    if len(expected) != len(entries):
        yield "entries", f"{len(entries)} here, {len(expected)} there"
        return
    if "events" in document and document["events"] > len(entries):
        yield "events", f"{document['events']} from {len(entries)} entries"
    for index, (mine, other) in enumerate(zip(entries, expected)):
        title = plain(mine.get("title"))
        if title != other["title"]:
            yield f"title[{index}]", f"{title!r} here, {other['title']!r} there"
        date = our_date(mine)
        if date != other["date"]:
            yield f"date[{index}]", f"{mine.get('published') or mine.get('updated')} here, {other['date']} there"


def allowed():
    """{(file, field): reason} as listed."""
    listed = {}
    for number, line in enumerate(ALLOWED.read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) != 3 or not all(fields) or (fields[0], fields[1]) in listed:
            sys.exit(f"{ALLOWED}:{number}: expected file, field and reason, with tabs between, each pair once")
        listed[fields[0], fields[1]] = fields[2]
    return listed


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    dump = pathlib.Path(sys.argv[2]) if len(sys.argv) == 3 else BUILT
    if not dump.is_file():
        sys.exit(f"compare_feeds: there is no {dump}; build it with `swift build --product FeedDump`")
    paths = list(documents(pathlib.Path(sys.argv[1])))
    read = ours(dump, paths)
    listed = allowed()
    names = {path.name for path in paths}
    unused = {key for key in listed if key[0] in names}
    failures = 0
    entries = 0
    for path in paths:
        document = read[str(path)]
        entries += len(document.get("entries", []))
        for field, what in differences(path, document):
            if (path.name, field) in listed:
                unused.discard((path.name, field))
            else:
                failures += 1
                print(f"{path.name}\t{field}\t{what}")
    for name, field in sorted(unused):
        failures += 1
        print(f"{name}\t{field}\tis listed in {ALLOWED.name} but is no difference any more")
    verdict = f"{failures} to look at" if failures else f"{len(listed)} listed differences"
    print(f"compare_feeds: {len(paths)} files, {entries} entries, {verdict}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
