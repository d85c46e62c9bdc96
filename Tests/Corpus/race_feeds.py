#!/usr/bin/env python3
"""Measures feedparser-rs (PyPI) on the feeds that the benchmark `feeds` wrote.

    mkdir FEEDS && ROOST_BENCH_FEEDS=FEEDS roost-benchmarks feeds && race_feeds.py FEEDS

Prints entries/s of one core, the median of five rounds.
"""

import pathlib
import statistics
import sys
import time

import feedparser_rs


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    documents = [path.read_bytes() for path in sorted(pathlib.Path(sys.argv[1]).glob("*.xml"))]
    if not documents:
        sys.exit(f"race_feeds: no feeds in {sys.argv[1]}")
    rates = []
    for _ in range(6):
        start = time.process_time()
        entries = sum(len(feedparser_rs.parse(document).entries) for document in documents)
        rates.append(entries / (time.process_time() - start))
    print(f"feedparser-rs: {statistics.median(rates[1:]):,.0f} entries/s on {len(documents)} files")


if __name__ == "__main__":
    main()
