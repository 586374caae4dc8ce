// JSON in place, compared with a reader that is slow and plain.

import TimelineModel

enum JSONProperties {
  static func check(_ input: UnsafeBufferPointer<UInt8>) throws(Broken) {
    var document = JSONDocument()
    let expected = PlainJSON.accepts(input)
    do { try document.parse(input) } catch {
      try hold(!expected, "refused: \(error.message)")
      try hold(document.isEmpty, "nodes are left of what was refused")
      try hold(error.offset >= 0 && error.offset <= input.count, "an error at \(error.offset)")
      return
    }
    try hold(expected, "taken, though it is not strict JSON")
    let end = try node(0, of: document, within: 0..<input.count, input)
    try hold(end == document.nodes.count, "nodes stand outside the tree")
    try spelledAnew(document.value(0, in: input))
    try members(of: document, input)
  }

  /// Checks a subtree; returns the node after it.
  private static func node(
    _ node: Int, of document: JSONDocument, within: Range<Int>,
    _ text: UnsafeBufferPointer<UInt8>
  ) throws(Broken) -> Int {
    try hold(node < document.nodes.count, "node \(node) is missing")
    let range = document.rawRange(node)
    try hold(
      within.lowerBound <= range.lowerBound && range.upperBound <= within.upperBound,
      "node \(node) reaches out of its parent")
    var at = node + 1
    switch document.kind(node) {
    case .object, .array:
      var end = range.lowerBound + 1
      let isObject = document.kind(node) == .object
      while at < document.next(node) {
        try hold((document.kind(at) == .key) == isObject, "node \(at) is out of place")
        let rest = end..<range.upperBound - 1
        at = try Self.node(at, of: document, within: rest, text)
        end = document.rawRange(at - 1).upperBound
        if isObject { at = try Self.node(at, of: document, within: rest, text) }
      }
    case .key, .string:
      try hold(
        text[range.lowerBound] == 0x22 && text[range.upperBound - 1] == 0x22,
        "node \(node) is not in quotes")
      let bytes = document.bytes(node, in: text)
      try hold(document.nodes[node].hasEscape == bytes.contains(0x5C), "hasEscape of \(node)")
    default: break
    }
    try hold(at == document.next(node), "next of node \(node)")
    return at
  }

  /// Written compactly and read again, it is the same, to the byte.
  private static func spelledAnew(_ value: JSONValue) throws(Broken) {
    var written: [UInt8] = []
    value.append(to: &written)
    try written.lend { (bytes) throws(Broken) in
      guard let second = try? JSONValue(parsing: bytes) else {
        throw Broken("what was written is not read: \(bytes.text)")
      }
      try hold(second == value, "read again: \(second)")
      var again: [UInt8] = []
      second.append(to: &again)
      try hold(bytes.elementsEqual(again), "written again: \(again)")
    }
  }

  /// Both ways to find a member agree.
  private static func members(
    of document: JSONDocument, _ text: UnsafeBufferPointer<UInt8>
  ) throws(Broken) {
    guard document.kind(0) == .object else { return }
    for key in document.children(0) {
      let name = document.string(key, in: text)
      document.withText(key, in: text) { bytes in
        precondition(bytes.elementsEqual(name.utf8))
      }
      guard let member = document.bodyMember(key, in: text) else {
        let known = BodyMember.allCases.contains { "\($0.text)".utf8.elementsEqual(name.utf8) }
        try hold(!known, "\(name) is not known")
        continue
      }
      try hold("\(member.text)".utf8.elementsEqual(name.utf8), "\(name) is taken for \(member)")
      try hold(document.is(key, member.text, in: text), "\(name) is not \(name)")
      try hold(document.member(member.text, of: 0, in: text) == key + 1, "\(name) is elsewhere")
    }
  }
}
