// The names of members (EventSchema) told apart by one look at their bytes: an event has nine members,
// and comparing each with every name would cost more than all else that is checked.

import func Glibc.memcmp

extension BodyMember {
  /// Envelope fields and the like: a body that is to be recorded may not have them.
  public var isReserved: Bool { rawValue >= BodyMember.v.rawValue }

  /// The member of that name; nil for a field that we do not know.
  init?(_ bytes: UnsafeBufferPointer<UInt8>) {
    self.init(bytes, Table.word(bytes))
  }

  /// The same for a range of a longer text, read at once.
  init?(_ range: Range<Int>, in text: UnsafeBufferPointer<UInt8>) {
    let bytes = UnsafeBufferPointer(rebasing: text[range])
    guard range.count < 8, range.lowerBound + 8 <= text.count else {
      self.init(bytes)
      return
    }
    let word = UnsafeRawPointer(text.baseAddress! + range.lowerBound).loadUnaligned(as: UInt64.self)
    self.init(bytes, word & (1 << UInt64(range.count * 8) - 1))
  }

  private init?(_ bytes: UnsafeBufferPointer<UInt8>, _ word: UInt64) {
    guard let member = Self.table.find(bytes, word) else { return nil }
    self = member
  }

  private static let table = Table()

  /// Open addressing over the first eight bytes of the names, which differ in all of them.
  private struct Table: @unchecked Sendable {
    private static let bits = 7
    private var words = ContiguousArray<UInt64>(repeating: 0, count: 1 << bits)
    private var names = ContiguousArray<(start: UnsafePointer<UInt8>, count: Int, BodyMember)>(
      repeating: (BodyMember.type.text.utf8Start, 0, .type), count: 1 << bits)

    init() {
      for member in BodyMember.allCases {
        let name = UnsafeBufferPointer(
          start: member.text.utf8Start, count: member.text.utf8CodeUnitCount)
        let word = Self.word(name)
        var at = Self.cell(word)
        while words[at] != 0 { at = (at + 1) & (words.count - 1) }
        words[at] = word
        names[at] = (name.baseAddress!, name.count, member)
      }
    }

    func find(_ bytes: UnsafeBufferPointer<UInt8>, _ word: UInt64) -> BodyMember? {
      guard word != 0 else { return nil }
      var at = Self.cell(word)
      while words[at] != word {
        if words[at] == 0 { return nil }
        at = (at + 1) & (words.count - 1)
      }
      let (start, count, member) = names[at]
      let isIt =
        count == bytes.count && (count <= 8 || memcmp(start, bytes.baseAddress!, count) == 0)
      return isIt ? member : nil
    }

    static func word(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
      if bytes.count >= 8 {
        return UnsafeRawPointer(bytes.baseAddress!).loadUnaligned(as: UInt64.self)
      }
      var word: UInt64 = 0
      for (index, byte) in bytes.enumerated() { word |= UInt64(byte) << UInt64(index * 8) }
      return word
    }

    private static func cell(_ word: UInt64) -> Int {
      Int(truncatingIfNeeded: (word &* 0x9E37_79B9_7F4A_7C15) >> UInt64(64 - bits))
    }
  }
}

/// The members of one object, each found once.
struct BodyMembers {
  /// The node of each member's value; 0 where there is none.
  private var nodes = InlineArray<40, UInt32>(repeating: 0)

  init(of object: Int, _ document: JSONDocument, in text: UnsafeBufferPointer<UInt8>) {
    for key in document.children(object) {
      guard let member = document.bodyMember(key, in: text) else { continue }
      nodes[Int(member.rawValue)] = UInt32(key + 1)
    }
  }

  subscript(member: BodyMember) -> Int? {
    let node = nodes[Int(member.rawValue)]
    return node == 0 ? nil : Int(node)
  }

  /// The first of the envelope's fields that stands here.
  var reserved: BodyMember? {
    for number in BodyMember.v.rawValue...BodyMember.standing.rawValue
    where nodes[Int(number)] != 0 {
      return BodyMember(rawValue: number)
    }
    return nil
  }
}

extension JSONDocument {
  /// Which member of a body a key names.
  public func bodyMember(_ key: Int, in text: UnsafeBufferPointer<UInt8>) -> BodyMember? {
    guard !nodes[key].hasEscape else {
      let name = string(key, in: text)
      return BodyMember.allCases.first { "\($0.text)" == name }
    }
    return BodyMember(Int(nodes[key].start)..<Int(nodes[key].end), in: text)
  }
}
