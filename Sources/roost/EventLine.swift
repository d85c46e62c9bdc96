import SocialEvents

/// An event as a person reads it: when, where, what happened, who said what.
struct EventLine {
    let recorded: RecordedEvent

    func render(width: Int) -> String {
        let event = recorded.event
        let time = String(recorded.recordedTime.description.dropFirst(11).prefix(8))
        let source = Terminal.oneLine(recorded.source.name, width: 20)
        let type = String(event.type.rawValue.split(separator: ".", maxSplits: 1).last ?? "")
        let head = "\(time)  \(pad(source, 20))  \(pad(type, 18))  "
        let styledHead =
            Terminal.styled(time, .dim) + "  " + Terminal.styled(pad(source, 20), .cyan) + "  "
            + Terminal.styled(pad(type, 18), style) + "  "
        return styledHead + Terminal.oneLine(words, width: max(20, width - head.count)) + "\n"
    }

    private var style: Terminal.Style {
        switch recorded.event.type {
        case .postDeleted, .messageDeleted, .repostDeleted, .reactionDeleted, .gapOpened: .red
        case .postUpdated, .messageUpdated, .sourceChanged: .yellow
        case .unrecognised: .dim
        default: .green
        }
    }

    private var words: String {
        let data = recorded.event.data
        if let change = data.sourceState {
            return change.state.rawValue + (change.reason.map { ": \($0)" } ?? "")
        }
        if let gap = data.gap { return gap.reason }
        var words = ""
        if let name = data.actor?.name ?? data.actor?.handle { words += name + ": " }
        if let title = data.object?.title { words += title + " " }
        if let text = data.object?.text, !text.isEmpty { words += (data.object?.title == nil ? "" : "— ") + text }
        return words.isEmpty ? recorded.event.subject?.text ?? recorded.event.id.text : words
    }

    private func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
