import FeedConnector
import Glibc
import SocialEvents

/// Measures one core: feeds from their bytes to events, HTML sanitised.
///
/// Where the environment variable `ROOST_BENCH_FEEDS` names a folder, the same files are written there, for
/// `Tests/Corpus/race_feeds.py` to give them to a parser of another make.
func benchmarkFeeds() async throws -> [BenchmarkRow] {
    let feeds = (0..<500).map { index in
        var samples = FeedSamples(seed: UInt64(index))
        return samples.feed(index)
    }
    if let folder = getenv("ROOST_BENCH_FEEDS") { try write(feeds, to: String(cString: folder)) }
    let bytes = feeds.reduce(0) { $0 + $1.count }
    let now = Timestamp(seconds: 1_790_000_000)
    var entries = 0
    let cold = try median {
        entries = 0
        for (index, feed) in feeds.enumerated() { entries += try events(feed, index, now).count }
        return entries
    }
    let parsed = try median { try feeds.reduce(0) { try $0 + FeedParser.parse($1).entries.count } }
    let sizes = "\(feeds.count) feeds of \(entries / feeds.count) entries, \(bytes / feeds.count) bytes each"
    return [
        BenchmarkRow(name: "feed to events", value: cold, unit: "entries/s", bar: 40_000, note: sizes),
        BenchmarkRow(name: "feed parsed alone", value: parsed, unit: "entries/s"),
    ]
}

/// What a source does with a feed that it reads for the first time.
private func events(_ feed: [UInt8], _ index: Int, _ now: Timestamp) throws -> [Event] {
    let url = "https://blog\(index).example.org/feed"
    let document = try FeedParser.parse(feed, url: url)
    var memory = FeedMemory()
    return memory.absorb(FeedNormalizer(url: url, now: now).items(of: document), now: now).events
}

/// Items in a second of this thread's CPU time: the median of five rounds after one to warm up.
private func median(_ round: () throws -> Int) throws -> Double {
    _ = try round()
    var rates: [Double] = []
    for _ in 0..<5 {
        let start = processorSeconds()
        let count = try round()
        rates.append(Double(count) / (processorSeconds() - start))
    }
    return rates.sorted()[2]
}

private func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

private func write(_ feeds: [[UInt8]], to folder: String) throws {
    for (index, feed) in feeds.enumerated() {
        guard let file = fopen("\(folder)/\(index).xml", "wb") else {
            throw BenchmarkFailure("\(folder) cannot be written")
        }
        defer { fclose(file) }
        guard fwrite(feed, 1, feed.count, file) == feed.count else { throw BenchmarkFailure("\(folder) is full") }
    }
}
