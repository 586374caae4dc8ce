// What the id of a timeline is made from, so that nobody can claim an id for something else: with the
// founding at hand one checks the id by hashing. It is decided when a timeline is created, kept in its
// timeline.json, and recorded in the founder's log behind the line that names its key:
//
//     {"type":"log.timeline","name":"main","key":"11qYAYKx…","nonce":"3q2+7w…"}      (one line in fact)
//
// The id is the version-8 UUID of the first 16 bytes of SHA-256("timeline-id" LF this text). To add a
// member: append it, absent where there is none, so that the text of a founding of before stays what it was.

import TransparencyLog

public struct TimelineFounding: Sendable, Hashable {
  public static let nonceBytes = 16
  public static let nameLengthMax = 64
  public static let nameRule = "1 to 64 of A-Z a-z 0-9 . _ -, beginning with a letter"

  /// What its founder called it. Names are local: what it is called today, each machine says for itself.
  public let name: String
  /// What the founder's machine signed with; nil where it had no key.
  public let key: Ed25519PublicKey?
  /// Random, so that no two timelines are one.
  public let nonce: [UInt8]

  /// Nil where the name is none, or the nonce has not 16 bytes.
  public init?(name: String, key: Ed25519PublicKey?, nonce: [UInt8]) {
    guard Self.isName(name), nonce.count == Self.nonceBytes else { return nil }
    self.name = name
    self.key = key
    self.nonce = nonce
  }

  /// Reads what `bodyText` writes; nil for any other text.
  public init?(parsing text: String) {
    let json = Array(text.utf8).withUnsafeBufferPointer { try? JSONValue(parsing: $0) }
    guard let name = json?["name"]?.string,
      let nonce = json?["nonce"]?.string.flatMap({ Base64.decode($0.utf8) })
    else { return nil }
    let key = json?["key"]?.string.flatMap { Base64.decode($0.utf8) }
    self.init(name: name, key: key.flatMap { Ed25519PublicKey($0) }, nonce: nonce)
    guard bodyText.utf8.elementsEqual(text.utf8) else { return nil }
  }

  public var json: JSONValue {
    .object([
      "type": .string(EventType.logTimeline.word), "name": .string(name),
      "key": key.map { .string(Base64.encode($0.bytes)) }, "nonce": .string(Base64.encode(nonce)),
    ])
  }

  /// The body of the line, to the byte.
  public var bodyText: String { json.text }

  public var id: TimelineID {
    var hasher = SHA256()
    let digest = Array("timeline-id\n\(bodyText)".utf8).withUnsafeBufferPointer { hasher.hash($0) }
    let bytes = digest.bytes
    return TimelineID(
      UUIDBytes(custom: UUIDBytes.word(bytes[0..<8]), UUIDBytes.word(bytes[8..<16])))
  }

  /// Whether a timeline may be called so.
  public static func isName(_ text: String) -> Bool {
    func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }
    func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    let utf8 = text.utf8
    return (1...nameLengthMax).contains(utf8.count) && isLetter(utf8.first!)
      && utf8.allSatisfy { isLetter($0) || isDigit($0) || [0x2E, 0x5F, 0x2D].contains($0) }
  }
}
