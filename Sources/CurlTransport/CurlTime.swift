import Glibc
import SocialEvents

/// Time as the curl thread counts it.
enum CurlTime {
    /// Milliseconds of the monotonic clock.
    static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// A limit in milliseconds as libcurl takes it: at least 1, because 0 means libcurl's default, and at most what
    /// fits its 32 bits.
    static func milliseconds(_ duration: Duration) -> Int {
        Int(min(max(duration.wholeMilliseconds, 1), Int64(Int32.max)))
    }

    /// A lifetime in whole seconds as libcurl takes it.
    static func seconds(_ duration: Duration) -> Int {
        Int(min(max(duration.components.seconds, 0), Int64(Int32.max)))
    }
}
