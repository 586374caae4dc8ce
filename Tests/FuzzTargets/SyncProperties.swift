// What a peer may say: lines to a session, in whatever order. Where the input begins with `>`, it is we
// who connected.

import TimelineModel
import TimelineWire

enum SyncProperties {
  static func check(_ input: UnsafeBufferPointer<UInt8>) throws(Broken) {
    let isInitiator = input.first == UInt8(ascii: ">")
    var session = SyncSession(
      timeline: .main, name: "main", device: Log.ours, isInitiator: isInitiator)
    let log = Log()
    _ = session.start(log)
    var isOver = false
    for line in input.dropFirst(isInitiator ? 1 : 0).split(
      separator: 0x0A, omittingEmptySubsequences: false)
    {
      let effects = session.receive(UnsafeBufferPointer(rebasing: line), log)
      try hold(!isOver || effects.isEmpty, "something is done after the end: \(effects)")
      for effect in effects {
        switch effect {
        case .send(let bytes): try hold(bytes.last == 0x0A, "half a line is sent")
        case .ingest(let replica, let lines, let first, let last):
          try hold(first >= 1 && first <= last && session.isLive, "lines \(first) to \(last)")
          try hold(
            UInt64(lines.count { $0 == 0x0A }) == last - first + 1 && lines.last == 0x0A,
            "not so many lines: \(first) to \(last)")
          try took(&session, replica, last)
        case .end(let error):
          isOver = true
          try hold(!error.text.isEmpty, "ended without a word")
        }
      }
      try hold(!isOver || !session.isLive, "live after the end")
      if session.isLive { try pump(&session, log) }
    }
  }

  private static func took(
    _ session: inout SyncSession, _ replica: ReplicaID, _ last: UInt64
  ) throws(Broken) {
    let reply = session.committed(replica, last: last)
    try hold(reply.elementsEqual("TOOK main \(replica) \(last)\n".utf8), "said: \(reply)")
    try hold(session.taken[replica] >= last, "forgotten: \(replica)")
  }

  /// What is sent is announced as what it is, and the other side is never said to have more than that.
  private static func pump(_ session: inout SyncSession, _ log: Log) throws(Broken) {
    var rounds = 0
    while case let bytes = session.pump(log), !bytes.isEmpty {
      rounds += 1
      try hold(rounds <= Log.lines.count, "the same is sent again")
      guard let end = bytes.firstIndex(of: 0x0A) else { throw Broken("half a line is sent") }
      let words = String(decoding: bytes[..<end], as: UTF8.self).split(separator: " ")
      let lines = bytes[(end + 1)...]
      guard words.count == 6, let first = Int(words[3]), let count = Int(words[4]) else {
        throw Broken("sent: \(words)")
      }
      try hold(words[2] == Log.ours.description && Int(words[5]) == lines.count, "sent: \(words)")
      try hold(
        lines.elementsEqual(Log.lines[(first - 1)..<(first - 1 + count)].joined()),
        "other lines than \(words)")
    }
  }

  /// Three lines of ours.
  struct Log: LogSource {
    static let ours = ReplicaID("00000000-0000-4000-8000-000000000001")!

    static let lines: [[UInt8]] = (1...3).map { seq in
      var line: [UInt8] = []
      Array("\"title\":\"\(seq)\"".utf8).withUnsafeBufferPointer { body in
        Line.append(
          to: &line, replica: ours, seq: UInt64(seq),
          recorded: RecordedTime(microseconds: Int64(seq)),
          id: EventID(UUIDBytes(high: 1, low: UInt64(seq))), author: "a", body: body, salt: (1, 2))
      }
      return line
    }

    /// All of them in one place, for the length of the process.
    nonisolated(unsafe) private static let memory: UnsafeBufferPointer<UInt8> = {
      let all = Array(lines.joined())
      let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: all.count)
      _ = memory.initialize(from: all)
      return UnsafeBufferPointer(memory)
    }()

    var position: Position { Position([Self.ours: UInt64(Self.lines.count)]) }

    func run(
      of replica: ReplicaID, from first: UInt64, bytesMax: Int
    ) -> (count: UInt64, bytes: UnsafeBufferPointer<UInt8>) {
      guard replica == Self.ours, first >= 1, first <= Self.lines.count else {
        return (0, UnsafeBufferPointer(start: nil, count: 0))
      }
      let each = Self.lines[0].count
      let count = max(1, min(Self.lines.count - Int(first) + 1, bytesMax / each))
      let start = (Int(first) - 1) * each
      return (UInt64(count), Self.memory[part: start..<start + count * each])
    }
  }
}
