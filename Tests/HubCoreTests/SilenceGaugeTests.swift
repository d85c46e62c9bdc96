import HubCore
import SocialEvents
import Testing

/// A gauge, and the time that passes for it.
private struct Listening {
    var gauge = SilenceGauge(memory: .seconds(3600), range: .seconds(120) ... .seconds(3600))
    var now = Timestamp(seconds: 1_000_000)

    mutating func hear(after seconds: Int, times: Int = 1) {
        for _ in 0..<times {
            now = now.advanced(by: .seconds(seconds))
            gauge.heard(isData: true, at: now)
        }
    }

    var patience: Duration { gauge.patience }
}

@Suite("How long a source may be silent")
struct SilenceGaugeTests {
    @Test("Before enough is known it is patient")
    func patientAtFirst() {
        var source = Listening()
        source.hear(after: 1, times: 10)
        #expect(source.patience == .seconds(3600))
    }

    @Test("It waits three times the longest silence it knows")
    func threeTimes() {
        var source = Listening()
        source.hear(after: 10, times: 30)
        source.hear(after: 100)
        #expect(source.patience == .seconds(300))
    }

    @Test("A lively source is given up no sooner than the shortest patience")
    func shortest() {
        var source = Listening()
        source.hear(after: 1, times: 100)
        #expect(source.patience == .seconds(120))
    }

    @Test("A long silence fades from memory once the source is lively again")
    func fades() {
        var source = Listening()
        source.hear(after: 10, times: 30)
        source.hear(after: 600)
        #expect(source.patience == .seconds(1800))
        source.hear(after: 10, times: 360)
        #expect(source.patience < .seconds(700) && source.patience > .seconds(600))
    }

    @Test("What passed before a connection, or over a clock set back, says nothing about the source")
    func ignores() {
        var source = Listening()
        source.hear(after: 10, times: 30)
        source.now = source.now.advanced(by: .seconds(50_000))
        source.gauge.heard(isData: false, at: source.now)
        source.hear(after: 10)
        source.hear(after: -500)
        source.hear(after: 10)
        #expect(source.patience == .seconds(120))
    }
}
