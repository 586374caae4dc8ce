// An event that somebody wants recorded, read and found right by itself; what remains is to look at the log.

import TimelineModel

struct PreparedEvent: Sendable {
  var body: ValidBody
  var parts: RequestParts
  /// The event as its links see it; nil where it has none.
  var linking: LinkedEvent?

  init(
    _ text: UnsafeBufferPointer<UInt8>, registry: ActorRegistry, _ reader: BodyReader
  ) throws(AppendError) {
    do throws(JSONError) { try reader.parse(text) } catch { throw .notJSON(error) }
    do throws(EventError) {
      body = try reader.validate(text, registry: registry, isStored: false)
      parts = try RequestParts(reader.document, in: text)
    } catch { throw .badEvent(error) }
    switch body {
    case .event(let facts) where facts.hasLinks:
      linking = LinkedEvent(id: parts.id, reader.document, in: text)
    case .controlRecord(_, .correct(let id, _, let node, let facts)) where facts.hasLinks:
      linking = LinkedEvent(id: id, reader.document, node: node, in: text)
    default: break
    }
  }

  /// Many of them, on all processors.
  static func all(
    _ texts: [UnsafeBufferPointer<UInt8>], registry: ActorRegistry, _ vocabulary: Vocabulary
  ) -> [Result<PreparedEvent, AppendError>] {
    nonisolated(unsafe) let texts = texts
    return Parallel.map(texts.indices.map { $0 }, portion: 128) { indices in
      vocabulary.withPooledReader { reader in
        indices.map { index in
          Result { () throws(AppendError) in
            try PreparedEvent(texts[index], registry: registry, reader)
          }
        }
      }
    }
  }
}

/// The parts of a request's event: what the daemon takes out, and the rest, byte for byte.
struct RequestParts: Sendable {
  var id: EventID?
  var author: String?
  /// Runs of the text that are the body's members: `id` and `author` leave three at most.
  private var runs = InlineArray<3, Range<Int>>(repeating: 0..<0)
  private var runCount = 0

  init(
    _ document: JSONDocument, in text: UnsafeBufferPointer<UInt8>
  ) throws(EventError) {
    var start: Int?
    var end = 0
    for key in document.children(0) {
      let member = document.bodyMember(key, in: text)
      let isID = member == .id
      guard isID || member == .author else {
        if start == nil { start = document.rawRange(key).lowerBound }
        end = document.rawRange(key + 1).upperBound
        continue
      }
      if let begin = start { add(begin..<end) }
      start = nil
      guard isID else {
        author = document.string(key + 1, in: text)
        continue
      }
      guard document.kind(key + 1) == .string,
        let id = document.withText(key + 1, in: text, { EventID(utf8: $0) })
      else {
        let value = String(decoding: text[document.rawRange(key + 1)].prefix(50), as: UTF8.self)
        throw EventError(
          "id", "\(value) is no event id: 36 characters, lower-case hex and hyphens")
      }
      self.id = id
    }
    if let begin = start { add(begin..<end) }
  }

  private mutating func add(_ run: Range<Int>) {
    runs[runCount] = run
    runCount += 1
  }

  func withBody<Result>(
    of text: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Result
  ) -> Result {
    if runCount == 1 { return body(UnsafeBufferPointer(rebasing: text[runs[0]])) }
    var joined: [UInt8] = []
    joined.reserveCapacity(text.count)
    for index in 0..<runCount {
      if index > 0 { joined.append(UInt8(ascii: ",")) }
      joined.append(contentsOf: text[runs[index]])
    }
    return joined.withUnsafeBufferPointer { body($0) }
  }
}
