import CMalloc

/// How this process holds its memory.
package enum ProcessMemory {
    /// Keeps the C library from giving every thread a pool of its own, eight of them to a core, each of which keeps what its thread once needed.
    ///
    /// A hub's work wanders over all threads, so every pool would grow to the size of the largest page. Call it before anything is allocated in earnest.
    package static func bound() {
        _ = mallopt(M_ARENA_MAX, 2)
    }
}
