import ConnectorKit
import Testing

@Suite("Signatures")
struct SignatureTests {
    /// Test cases 1, 2 and 6 of RFC 4231 (SHA-2) and 1 and 2 of RFC 2202 (SHA-1), with keys that can be written as text.
    struct Vector: Sendable, CustomTestStringConvertible {
        var algorithm: Signature.Algorithm
        var key: String
        var body: String
        var code: String
        var testDescription: String { "\(algorithm) of \(body.prefix(20))" }
    }

    static let jefe = "Jefe"
    static let question = "what do ya want for nothing?"
    static let elevens = String(repeating: "\u{0b}", count: 20)
    static let vectors = [
        Vector(
            algorithm: .sha256,
            key: jefe,
            body: question,
            code: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        Vector(
            algorithm: .sha384,
            key: jefe,
            body: question,
            code: "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"
        ),
        Vector(
            algorithm: .sha512,
            key: jefe,
            body: question,
            code:
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
        ),
        Vector(
            algorithm: .sha256,
            key: elevens,
            body: "Hi There",
            code: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        Vector(
            algorithm: .sha512,
            key: elevens,
            body: "Hi There",
            code:
                "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"
        ),
        Vector(algorithm: .sha1, key: jefe, body: question, code: "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        Vector(algorithm: .sha1, key: elevens, body: "Hi There", code: "b617318655057264e28bc0b6fb378c8ef146be00"),
    ]

    @Test("signatures are those of the published test vectors", arguments: vectors)
    func published(vector: Vector) {
        let signature = Signature(vector.algorithm)
        let body = Array(vector.body.utf8)
        #expect(signature.make(body, key: Secret(vector.key)) == vector.code)
        #expect(signature.verify(vector.code, of: body, key: Secret(vector.key)))
        #expect(signature.verify(vector.code.uppercased(), of: body, key: Secret(vector.key)))
    }

    @Test("base64 and prefixes are as platforms write them")
    func forms() {
        let body = Array(Self.question.utf8)
        #expect(
            Signature.xSHA256.make(body, key: Secret(Self.jefe))
                == "sha256=W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="
        )
        #expect(
            Signature.hubSHA256.make(body, key: Secret(Self.jefe))
                == "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        )
    }

    @Test("nothing but the whole right signature is accepted")
    func refusals() {
        let body = Array(Self.question.utf8)
        let key = Secret(Self.jefe)
        let good = Signature.hubSHA256.make(body, key: key)
        #expect(Signature.hubSHA256.verify(good, of: body, key: key))
        for bad in [
            "", "sha256=", String(good.dropLast()), good + "0", String(good.dropFirst(7)), "sha1=" + good.dropFirst(7),
            " " + good,
            String(good.dropLast()) + (good.hasSuffix("0") ? "1" : "0"), String(repeating: good, count: 1000),
            good + "\0",
        ] {
            #expect(!Signature.hubSHA256.verify(bad, of: body, key: key), "\(bad.prefix(80))")
        }
        #expect(!Signature.hubSHA256.verify(good, of: body + [0x0A], key: key))
        #expect(!Signature.hubSHA256.verify(good, of: body, key: Secret("jefe")))
        let coded = Signature.xSHA256.make(body, key: key)
        #expect(Signature.xSHA256.verify(coded, of: body, key: key))
        #expect(!Signature.xSHA256.verify(coded.lowercased(), of: body, key: key))
    }

    @Test("every single flipped bit is noticed")
    func bits() {
        let body = Array(Self.question.utf8)
        let key = Secret(Self.jefe)
        let good = Signature.hubSHA256.make(body, key: key)
        for index in body.indices {
            for bit in 0..<8 {
                var changed = body
                changed[index] ^= 1 << bit
                #expect(!Signature.hubSHA256.verify(good, of: changed, key: key))
            }
        }
    }

    @Test("while a secret is changed the old and the new one are accepted")
    func rotation() {
        let body: [UInt8] = [1, 2, 3]
        let keys = [Secret("new"), Secret("old")]
        for key in keys {
            #expect(Signature.hubSHA256.verify(Signature.hubSHA256.make(body, key: key), of: body, anyOf: keys))
        }
        #expect(
            !Signature.hubSHA256.verify(Signature.hubSHA256.make(body, key: Secret("other")), of: body, anyOf: keys)
        )
        #expect(!Signature.hubSHA256.verify("sha256=", of: body, anyOf: []))
    }

    @Test("texts are compared byte for byte")
    func equality() {
        #expect(Signature.isEqual("token", Secret("token")))
        #expect(!Signature.isEqual("token", Secret("tokem")))
        #expect(!Signature.isEqual("token", Secret("toke")))
        // The same character, written in two ways.
        #expect(!Signature.isEqual("\u{e9}", Secret("e\u{301}")))
        #expect(Signature.isEqual([UInt8](), []))
    }
}
