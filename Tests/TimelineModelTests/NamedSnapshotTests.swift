import Testing
import TransparencyLog

@testable import TimelineModel

private let replica = "01234567-89ab-4cde-8f01-23456789abcd"
private let root = SHA256Digest.emptyRoot.base64

private func line(
  name: String = "paper-2026", position: String? = nil, roots: String? = nil, more: String = ""
) -> String {
  #"{"type":"log.snapshot","name":"\#(name)","position":\#(position ?? #"{"\#(replica)":7}"#),"#
    + #""roots":\#(roots ?? #"{"\#(replica)":"\#(root)"}"#)\#(more)}"#
}

/// What a body says, or why it is refused.
private func read(_ json: String, isStored: Bool) -> Result<NamedSnapshot?, EventError> {
  [UInt8](json.utf8).withUnsafeBufferPointer { bytes in
    Result { () throws(EventError) in
      let reader = BodyReader(Vocabulary())
      do throws(JSONError) { try reader.parse(bytes) } catch {
        throw EventError("json", error.message)
      }
      let body = try reader.validate(bytes, registry: .shipped, isStored: isStored)
      guard case .controlRecord(.logSnapshot, .snapshot(let named)) = body else { return nil }
      return named
    }
  }
}

@Suite("Snapshots to cite, as lines")
struct NamedSnapshotTests {
  @Test("What is written is what is read")
  func roundTrip() throws {
    let named = NamedSnapshot(
      name: try SnapshotName("paper-2026"), position: Position([ReplicaID(replica)!: 7]),
      roots: [ReplicaID(replica)!: .emptyRoot], note: "as submitted, “final”")
    #expect(try read(named.json.text, isStored: false).get() == named)
    // Fields that are not known are kept, and say nothing.
    let more = #","note":"as submitted, “final”","further":[1]"#
    #expect(try read(line(more: more), isStored: true).get() == named)
  }

  @Test(
    "A name is nothing else", arguments: ["a", "paper-2026", "Q1.2026_b", "v2", "face.", "XXXX"])
  func names(text: String) throws { #expect(try SnapshotName(text).text == text) }

  @Test(
    "What may be taken for a day, a time, a position or an id is no name",
    arguments: [
      "", "2026", "2026-11", "2026-paper", "Y12345", "{}", ".hidden", "-n", "_x", "decade",
      "DEAD-BEEF", "abcd", "a b", "a/b", "a\n", "naïve", "\u{1B}[1m",
      String(repeating: "x", count: 65),
    ])
  func noNames(text: String) { #expect(throws: EventError.self) { try SnapshotName(text) } }

  /// The same for what is recorded here and for what a peer sends.
  @Test(
    "What a snapshot is refused for",
    arguments: [
      (line(name: "2026"), "name"), (line(name: #"a\u001b[1m"#), "name"),
      (line(position: "{}"), "position"), (line(position: "{}", roots: "{}"), "position"),
      (line(position: "7"), "position"), (line(position: #"{"\#(replica)":0}"#), "position"),
      (line(position: #"{"\#(replica)":-1}"#), "position"),
      (line(position: #"{"\#(replica)":1.5}"#), "position"),
      (line(position: #"{"\#(replica)":"7"}"#), "position"),
      (line(position: #"{"\#(replica)":281474976710656}"#), "position"),
      (line(position: #"{"\#(replica)":99999999999999999999}"#), "json"),
      (line(position: #"{"\#(replica.uppercased())":7}"#), "position"),
      (line(position: #"{"\#(replica)":7,"\#(replica)":8}"#), "json"),
      (line(roots: "{}"), "roots"), (line(roots: #"{"\#(replica)":""}"#), "roots"),
      (line(roots: #"{"\#(replica)":"\#(root.dropLast(4))"}"#), "roots"),
      (line(roots: #"{"\#(replica)":"\#(root)AAAA"}"#), "roots"),
      (line(roots: #"{"\#(replica)":7}"#), "roots"),
      (line(roots: #"{"\#(replica.replacing("0123", with: "3210"))":"\#(root)"}"#), "roots"),
      (line(more: #","note":"two\nlines""#), "note"), (line(more: #","note":7"#), "note"),
      (line(more: #","note":"\#(String(repeating: "x", count: 301))""#), "note"),
      (#"{"type":"log.snapshot"}"#, "name"),
      (#"{"type":"log.snapshot","name":"x1"}"#, "position"),
    ], [false, true])
  func refused(refusal: (json: String, field: String), isStored: Bool) {
    guard case .failure(let error) = read(refusal.json, isStored: isStored) else {
      Issue.record("accepted: \(refusal.json)")
      return
    }
    #expect(error.field == refusal.field, "\(error.text)")
  }

  @Test("What is missing is named, by replica")
  func missing() {
    let ids = (1...3).map { ReplicaID("0123456\($0)-89ab-4cde-8f01-23456789abcd")! }
    let here = Position([ids[0]: 7, ids[1]: 3])
    #expect(here.missing(Position([ids[0]: 7, ids[1]: 2])).isEmpty)
    let missing = here.missing(Position([ids[2]: 1, ids[0]: 20, ids[1]: 3]))
    #expect(
      missing.map(\.description)
        == ["lines 8 to 20 of replica \(ids[0])", "line 1 of replica \(ids[2])"])
  }
}
