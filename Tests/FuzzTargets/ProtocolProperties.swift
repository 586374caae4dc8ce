// A connection's bytes: cut into lines, each read as a request. Lines have at most 100 bytes here, so that
// a short input can hold one that is too long.

import TimelineModel
import TimelineWire

enum ProtocolProperties {
  private static let bytesMax = 100
  private static let requestsMax = 8

  static func check(_ input: UnsafeBufferPointer<UInt8>) throws(Broken) {
    let expected = plainly(input)
    try hold(pieces(input, step: input.count) == expected, "cut at once")
    // Bytes come as the network has them.
    let step = 1 + Int(CRC32C.of(input) % 7)
    try hold(pieces(input, step: step) == expected, "cut, with \(step) bytes at a time")
    // Not all of many short lines: each is much alike, and costs as much as a long one.
    for case .line(let line) in expected.prefix(requestsMax) {
      try line.lend(request)
      // What a daemon of another version may answer.
      if let error = ErrorReply.parse(line) { try reply(error) }
    }
  }

  private enum Piece: Equatable {
    case line([UInt8])
    case tooLong
  }

  private static func pieces(_ stream: UnsafeBufferPointer<UInt8>, step: Int) -> [Piece] {
    var splitter = LineSplitter(bytesMax: bytesMax)
    var pieces: [Piece] = []
    for start in stride(from: 0, to: stream.count, by: max(step, 1)) {
      splitter.take(stream[part: start..<min(start + step, stream.count)])
      while true {
        let hasLine = splitter.hasLine
        guard let piece = splitter.next() else { break }
        switch piece {
        case .line(let range):
          precondition(hasLine)
          pieces.append(.line(Array(splitter.buffer[range])))
        case .tooLong: pieces.append(.tooLong)
        }
      }
      precondition(!splitter.hasLine && splitter.waiting <= bytesMax)
    }
    return pieces
  }

  /// What the lines are, by what docs/reference/protocol.md says.
  private static func plainly(_ stream: UnsafeBufferPointer<UInt8>) -> [Piece] {
    var pieces: [Piece] = []
    var start = 0
    while start < stream.count {
      let end = stream[start...].firstIndex(of: 0x0A)
      if (end ?? stream.count) - start > bytesMax {
        pieces.append(.tooLong)
      } else if let end {
        let hasReturn = end > start && stream[end - 1] == 0x0D
        pieces.append(.line(Array(stream[start..<(hasReturn ? end - 1 : end)])))
      }
      start = (end ?? stream.count) + 1
    }
    return pieces
  }

  private static func request(_ line: UnsafeBufferPointer<UInt8>) throws(Broken) {
    let request: Request
    do { request = try Request(line) } catch { return try reply(error) }
    // Spaces in a row are one, and before the JSON nothing is lost.
    var words = [Array(request.verb.rawValue.utf8)]
    words += request.arguments.map { Array($0.utf8) }
    var end = line.count
    if let json = request.json {
      try hold(json.upperBound == line.count && line[json.lowerBound] == 0x7B, "json: \(json)")
      end = json.lowerBound
    }
    let said = line[..<end].split(separator: 0x20)
    // What is no UTF-8 is repaired in an argument.
    guard String(validating: line[..<end], as: UTF8.self) != nil else { return }
    try hold(said.map(Array.init) == words, "words: \(words)")
    try hold(line.starts(with: request.verb.rawValue.utf8), "a verb that is not the first word")
    do {
      let value = try request.value(in: line, keys: Filter.keys + ["where", "limit"])
      try hold(request.arguments.isEmpty && value.members != nil, "a value: \(value)")
      do throws(FilterError) { _ = try Filter(json: value) } catch {
        try reply(ErrorReply(.badRequest, error.message))
      }
    } catch let error as ErrorReply { try reply(error) } catch let error as Broken {
      throw error
    } catch {}
  }

  /// An error is one line, whatever it quotes.
  private static func reply(_ error: ErrorReply) throws(Broken) {
    var bytes: [UInt8] = []
    Reply.error(error, to: &bytes)
    try hold(bytes.firstIndex(of: 0x0A) == bytes.count - 1, "an error of two lines")
    try hold(!bytes.contains(0x0D), "an error with a CR")
    try hold(bytes.starts(with: "ERR \(error.code.rawValue) ".utf8), "an error of another form")
    // What was written is read again, and says the same.
    guard let read = ErrorReply.parse(bytes.dropLast()) else {
      throw Broken("an error that is none")
    }
    var again: [UInt8] = []
    Reply.error(read, to: &again)
    try hold(again == bytes, "an error that is written in two ways")
    try hold(read.line == error.line && read.hint == error.hint, "an error that lost its members")
  }
}
