/// What a code of the Graph API means, as far as it decides what to do.
package enum GraphMeaning: String, Sendable, Hashable, CaseIterable {
    /// The access token is expired, revoked or none: refresh it, or ask a person.
    case token
    /// The token does not open this: a person must allow it.
    case permission
    /// The account or app is blocked, restricted, or must pay: a person must see to it.
    case blocked
    /// Too many calls: wait; calling on prolongs it.
    case throttled
    /// Meta failed: try again later.
    case transient
    /// What was asked for is being made: ask again.
    case notReady
    /// What was asked for is deleted, or was never visible to this token.
    case gone
    /// The request is wrong: repeating it is of no use.
    case invalid
    /// WhatsApp: this recipient cannot be reached so; others can.
    case recipient
    /// WhatsApp: the template cannot be sent; the whole campaign stops.
    case template
    /// A code that is not known here.
    case unknown

    /// What a code means.
    ///
    /// - Parameters:
    ///   - code: `error.code`, or the code of WhatsApp's `errors`.
    ///   - subcode: `error.error_subcode`.
    ///   - isTransient: what the platform says itself, which counts for codes that are not known.
    package init(code: Int, subcode: Int? = nil, isTransient: Bool = false) {
        self =
            switch (code, subcode) {
            case (100, 33), (24, 2_207_006), (803, _): .gone
            case (9, 2_207_042): .throttled
            case (9007, 2_207_027): .notReady
            case (0, _), (102, _), (190, _), (463, _), (467, _): .token
            case (3, _), (10, _), (200...299, _), (131_005, _): .permission
            case (368, _), (131_031, _), (131_042, _), (131_048, _), (130_497, _), (131_045, _), (133_010, _): .blocked
            case (4, _), (17, _), (32, _), (341, _), (613, _), (80_000...80_014, _), (130_429, _), (131_056, _),
                (131_057, _), (131_208, _):
                .throttled
            case (1, _), (2, _), (131_000, _), (131_016, _), (133_004, _), (133_016, _), (135_000, _): .transient
            case (130_472, _), (131_021, _), (131_026, _), (131_030, _), (131_047, _), (131_049, _), (131_050, _):
                .recipient
            case (132_000...132_999, _): .template
            case (100, _), (33, _), (131_008, _), (131_009, _), (131_051, _), (131_052, _), (131_053, _),
                (131_020, _), (131_041, _), (131_201, _), (131_204, _):
                .invalid
            default: isTransient ? .transient : .unknown
            }
    }

    /// Whether the same call may succeed later by itself.
    package var mayPass: Bool { self == .throttled || self == .transient || self == .notReady }
}

/// What to do about a code, in a sentence for people; safe to print.
package enum GraphAdvice {
    /// The advice; `nil` for codes that are not known.
    package static func text(code: Int, subcode: Int? = nil) -> String? {
        switch (code, subcode) {
        case (100, 33): "it is deleted, or not visible to this access token"
        case (190, 463): "the access token has expired; make a new one"
        case (190, 460): "the access token ended when the password was changed; make a new one"
        case (190, _), (0, _), (102, _): "the access token is not accepted any more; make a new one"
        case (3, _), (10, _), (200...299, _): "the access token lacks a permission; allow it at the app's dashboard"
        case (9, 2_207_042): "the account's publishing quota of 24 hours is used up; wait"
        case (24, 2_207_006): "the media is not there any more"
        case (9007, 2_207_027): "the media is still being prepared; ask again"
        case (368, _): "the account is blocked for a while for breaking the platform's rules; see its dashboard"
        case (4, _): "the app makes too many calls; wait"
        case (17, _): "the account makes too many calls; wait"
        case (32, _), (80_001, _): "the Page makes too many calls; wait"
        case (613, _), (341, _): "too many calls of this kind; wait"
        case (80_002, _): "the Instagram account makes too many calls; wait"
        case (80_006, _): "Messenger is called too often; wait"
        case (80_007, _): "the WhatsApp business account makes too many calls; wait"
        case (80_000...80_014, _): "the business account makes too many calls; wait"
        case (1, _), (2, _): "the platform failed; try again later"
        case (33, _), (803, _): "there is no such id; check it"
        case (100, _): "the platform does not understand the request"
        default: whatsApp(code)
        }
    }

    private static func whatsApp(_ code: Int) -> String? {
        switch code {
        case 130_429: "more messages a second than the number may send; slow down"
        case 130_472: "the recipient is part of an experiment of Meta; do not send again"
        case 130_497: "the business may not send to this country"
        case 131_000: "WhatsApp failed; try again later"
        case 131_005: "the access token lacks a permission for this number"
        case 131_008: "a parameter is missing"
        case 131_009: "a parameter has a value that is not allowed"
        case 131_016: "WhatsApp is overloaded; try again later"
        case 131_020, 131_041, 131_201, 131_204: "the group does not take the message"
        case 131_021: "sender and recipient are the same number"
        case 131_026: "the recipient cannot be reached: no WhatsApp, an old version, or terms not accepted"
        case 131_030: "the recipient is not on the test number's list"
        case 131_031: "the business account is locked; see its dashboard"
        case 131_042: "payment is not settled; see the account's billing"
        case 131_045: "the number is not registered; register it"
        case 131_047: "more than 24 hours since the recipient wrote; send a template"
        case 131_048: "held back as spam: too many recipients blocked or reported the number; stop and see its quality"
        case 131_049: "held back by Meta: the recipient has had enough marketing; do not send again within a day"
        case 131_050: "the recipient has opted out of marketing messages; do not send again"
        case 131_051: "a kind of message that is not supported"
        case 131_052: "the media of the message could not be fetched"
        case 131_053: "the media could not be uploaded"
        case 131_056: "too many messages to this recipient; about one in 6 seconds is allowed"
        case 131_057: "the number is being upgraded; try again in some minutes"
        case 131_208: "too many calls for groups; wait"
        case 132_000: "the number of the template's parameters is wrong"
        case 132_001: "there is no such template in this language, or it is not approved"
        case 132_005: "the template's text is too long once filled in"
        case 132_007: "the template breaks a rule of content"
        case 132_012: "a parameter of the template has the wrong form"
        case 132_015: "the template is paused for its low quality; change it"
        case 132_016: "the template is disabled for its low quality; make a new one"
        case 132_000...132_999: "the template cannot be sent"
        case 133_004, 133_016: "the server is busy; try again later"
        case 133_010: "the number is not registered; register it"
        case 135_000: "WhatsApp failed for an unknown reason; try again"
        default: nil
        }
    }
}
