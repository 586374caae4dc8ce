import Testing
import TransparencyLog

@testable import TimelineModel

@Suite("What the id of a timeline is made from")
struct TimelineFoundingTests {
  private let key = SigningKey(seed: Array(0..<32))!.publicKey
  private let nonce: [UInt8] = Array(0..<16)

  private func founding(_ name: String = "main", key: Ed25519PublicKey? = nil) -> TimelineFounding {
    TimelineFounding(name: name, key: key, nonce: nonce)!
  }

  @Test("F-7: the text and the id, to the byte")
  func known() {
    let founding = founding(key: key)
    #expect(
      founding.bodyText
        == #"{"type":"log.timeline","name":"main","key":"A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=","#
        + #""nonce":"AAECAwQFBgcICQoLDA0ODw=="}"#)
    // By Python: sha256(b"timeline-id\n" + text), version and variant set.
    #expect(founding.id.description == "0b1f489f-8996-8a9b-a96f-13b35b6ce536")
    #expect(
      self.founding().bodyText
        == #"{"type":"log.timeline","name":"main","nonce":"AAECAwQFBgcICQoLDA0ODw=="}"#)
    #expect(self.founding().id.description == "159276e9-eea0-87a2-82ef-0c3516f8583a")
  }

  @Test("Read from its own text, and from no other")
  func parsing() {
    for founding in [founding(key: key), founding("a.b_c-9")] {
      #expect(TimelineFounding(parsing: founding.bodyText) == founding)
    }
    let text = founding(key: key).bodyText
    for other in [
      "", "{}", " " + text, text + "\n", text.replacing("main", with: "9"),
      text.replacing(#""nonce""#, with: #""more":1,"nonce""#),
      text.replacing("log.timeline", with: "log.member"),
      text.replacing(#""main""#, with: #""\u006dain""#),
      text.replacing("A6EHv", with: "AAAA"), text.replacing("Dw==", with: "Dx=="),
    ] {
      #expect(TimelineFounding(parsing: other) == nil, "\(other)")
    }
  }

  @Test("Any other name, key or nonce makes another id")
  func others() {
    var bytes = nonce
    bytes[15] = 0
    let all = [
      founding(), founding("Main"), founding(key: key),
      TimelineFounding(name: "main", key: nil, nonce: bytes)!,
    ]
    #expect(Set(all.map(\.id)).count == all.count)
    for founding in all {
      let text = founding.id.description
      #expect(text.dropFirst(14).first == "8" && "89ab".contains(text.dropFirst(19).first!))
    }
    #expect(TimelineFounding(name: "main", key: nil, nonce: Array(nonce.dropLast())) == nil)
  }

  @Test(
    "Names",
    arguments: [("a", true), ("A1._-", true), (String(repeating: "x", count: 64), true)]
      + ["", "1a", "-a", ".a", "a b", "a/b", "ä", "a\n", String(repeating: "x", count: 65)].map {
        ($0, false)
      })
  func names(_ name: String, _ isOne: Bool) {
    #expect(TimelineFounding.isName(name) == isOne)
    #expect((TimelineFounding(name: name, key: nil, nonce: nonce) != nil) == isOne)
  }

  @Test("As a line: kept where it is stored, nothing that a recorder may say")
  func lines() throws {
    func read(_ text: String, isStored: Bool) throws(EventError) -> ValidBody {
      try Array(text.utf8).withTypedBuffer { (bytes) throws(EventError) in
        let reader = BodyReader(Vocabulary())
        do throws(JSONError) { try reader.parse(bytes) } catch {
          throw EventError("json", error.message)
        }
        return try reader.validate(bytes, registry: nil, isStored: isStored)
      }
    }
    let text = founding(key: key).bodyText
    guard case .controlRecord(.logTimeline, .timeline(let read1)) = try read(text, isStored: true)
    else {
      Issue.record("not read as a founding")
      return
    }
    #expect(read1 == founding(key: key))
    guard case .controlRecord(.logTimeline, .other) = try read(text, isStored: false) else {
      Issue.record("a request may say it")
      return
    }
    for (old, new, field) in [
      ("main", "9", "name"), ("A6EHv", "AAAA", "key"), ("Dw==", "", "nonce"),
    ] {
      let error = #expect(throws: EventError.self) {
        _ = try read(text.replacing(old, with: new), isStored: true)
      }
      #expect(error?.field == field)
    }
  }
}
