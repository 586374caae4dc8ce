// A snapshot to cite: a name for a position, with the root of each log's tree there, so that a reader who
// has the lines can tell that they are the same ones. It is the body of a log.snapshot line:
//
//     {"type":"log.snapshot","name":"paper-2026","position":{"<REPLICA>":665},
//      "roots":{"<REPLICA>":"/DhB1aLP…"},"note":"for the review"}         (one line in fact)

import TransparencyLog

public struct NamedSnapshot: Sendable, Hashable {
  public var name: SnapshotName
  /// Never empty.
  public var position: Position
  /// Of each replica of the position, over as many lines as it says.
  public var roots: [ReplicaID: SHA256Digest]
  public var note: String?

  public init(
    name: SnapshotName, position: Position, roots: [ReplicaID: SHA256Digest], note: String? = nil
  ) {
    self.name = name
    self.position = position
    self.roots = roots
    self.note = note
  }

  /// The most lines that a position can speak of: what an index can number.
  static let linesMax = 1 << 48 - 1

  public var rootsJSON: JSONValue {
    .object(
      position.sorted.compactMap { replica, _ in
        roots[replica].map { JSONValue.Member(replica.description, .string($0.base64)) }
      })
  }

  /// The members of the body.
  public var json: JSONValue {
    .object([
      "type": .string(EventType.logSnapshot.word), "name": .string(name.text),
      "position": position.json, "roots": rootsJSON, "note": note.map { .string($0) },
    ])
  }
}

/// What a snapshot is cited by. It can be taken for nothing else that stands in its place: no day, no
/// time, no position, no beginning of an id.
public struct SnapshotName: Sendable, Hashable, CustomStringConvertible {
  public static let lengthMax = 64

  public let text: String
  public var description: String { text }

  public init(_ text: String) throws(EventError) {
    if let fault = Self.fault(in: text) { throw EventError("name", fault) }
    self.text = text
  }

  private static func fault(in text: String) -> String? {
    func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }
    func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    let utf8 = text.utf8
    let shown = JSONValue.string(String(text.prefix(lengthMax))).text
    guard let first = utf8.first else { return "is empty" }
    guard utf8.count <= lengthMax else { return "\(utf8.count) bytes; at most \(lengthMax)" }
    guard utf8.allSatisfy({ isLetter($0) || isDigit($0) || [0x2E, 0x5F, 0x2D].contains($0) })
    else { return "\(shown): letters, digits and . _ - only, such as paper-2026" }
    guard isLetter(first), (try? EventDate(text)) == nil else {
      return "\(shown) may be read as a day or a time: begin with a letter, as in paper-2026"
    }
    guard utf8.count < EventID.shownLengthMin || !utf8.allSatisfy(isOfAnID) else {
      return "\(shown) may be read as the beginning of an id: add another letter"
    }
    return nil
  }

  private static func isOfAnID(_ byte: UInt8) -> Bool {
    byte == 0x2D || Hex.value(byte | 0x20) != nil
  }
}
