/// A stand-in of one platform: it answers requests as the platform does, from a world that a seed makes.
///
/// It knows no sockets and no clock. ``SimulatorServer`` puts it behind a port and tells it the time; a test in the same process asks
/// ``answer(_:)`` itself and sets the time by hand, so that the same story can be told in milliseconds.
package protocol PlatformSimulator: Sendable {
    /// What was ever published, edited, deleted, ...: what a hub that missed nothing has to know.
    var ledger: Ledger { get }

    /// The ways of misbehaving it knows beside ``Fault/Kind/shared``.
    static var ownFaults: Set<Fault.Kind> { get }

    /// How it shall misbehave.
    var faults: FaultPlan { get }

    /// Answers a request; called concurrently.
    ///
    /// An implementation asks ``FaultPlan/answer(for:)`` first, then sees to its platform's own faults, limits and paths. Paths under
    /// `/_simulator/` never come here.
    func answer(_ request: SimulatedRequest) async -> SimulatedAnswer

    /// Lets people say `count` things at once.
    func publish(_ count: Int)

    /// Lets happen what the world's own pace brings until `now`, keep-alives included; milliseconds since 1970, never backwards.
    func advance(to now: Int64)
}
