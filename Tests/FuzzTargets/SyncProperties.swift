// What a peer may say once it has greeted: lines to a session, in whatever order.

import TimelineModel
import TimelineWire

enum SyncProperties {
  static func check(_ input: UnsafeBufferPointer<UInt8>) throws(Broken) {
    var session = SyncSession(timeline: .main, replica: Log.ours)
    let log = Log()
    var asked = Asked()
    _ = session.start(log)
    var isOver = false
    for line in input.split(separator: 0x0A, omittingEmptySubsequences: false) {
      let effects = session.receive(UnsafeBufferPointer(rebasing: line), log)
      try hold(!isOver || effects.isEmpty, "something is done after the end: \(effects)")
      for effect in effects {
        switch effect {
        case .send(let bytes): try hold(bytes.last == 0x0A, "half a line is sent")
        case .ingest(let replica, let lines, let first, let last, _):
          try hold(first >= 1 && first <= last && session.isLive, "lines \(first) to \(last)")
          try hold(
            UInt64(lines.count { $0 == 0x0A }) == last - first + 1 && lines.last == 0x0A,
            "not so many lines: \(first) to \(last)")
          try took(&session, replica, last)
        case .head: try hold(session.isLive, "a head, to a session that is not live")
        case .want(let lines):
          try hold(
            session.isLive && lines.first >= 1
              && (1...SyncMessage.requestedMax).contains(lines.count),
            "asked for \(lines)")
          try answered(session, lines)
        case .proof(let address, _, let line):
          try hold(asked.now?.holds(address) == true, "a proof of \(address), asked: \(asked)")
          try hold(line.firstIndex(of: 0x0A) == line.count - 1, "not one line: \(line)")
        case .proved(let lines): try asked.proved(lines)
        case .fork(let replica, let seq):
          try hold(session.forked[replica] == seq, "a fork that is none: \(replica), \(seq)")
        case .end(let error):
          isOver = true
          try hold(!error.text.isEmpty, "ended without a word")
        }
      }
      try hold(!isOver || !session.isLive, "live after the end")
      if session.isLive { try pump(&session, log, &asked) }
    }
  }

  private static func took(
    _ session: inout SyncSession, _ replica: ReplicaID, _ last: UInt64
  ) throws(Broken) {
    let reply = session.committed(replica, last: last)
    let expected = "TOOK \(TimelineID.main) \(replica) \(last)\n"
    try hold(reply.elementsEqual(expected.utf8), "said: \(reply)")
    try hold(session.taken[replica] >= last, "forgotten: \(replica)")
  }

  /// What is said to a WANT can be read by a session that asked for that.
  private static func answered(_ session: SyncSession, _ lines: LineRange) throws(Broken) {
    let line = Log.lines[0]
    let proof = session.proven(lines.first, Array("a \"proof\"\n".utf8), line, lines)
    try hold(
      proof.split(separator: 0x0A).count == 2 && proof.suffix(line.count) == line[...],
      "a proof of another form: \(proof)")
    let said = "PROVED \(TimelineID.main) \(lines.replica) \(lines.first) \(lines.count)\n"
    try hold(session.proved(lines).elementsEqual(said.utf8), "said: \(session.proved(lines))")
  }

  /// What is asked for is what is wanted, in parts, each once: whatever a peer says was looked at.
  private struct Asked {
    var now: LineRange?

    mutating func ask(_ words: [Substring]) throws(Broken) {
      guard words.count == 5, let replica = ReplicaID(String(words[2])),
        let first = UInt64(words[3]), let count = UInt64(words[4])
      else { throw Broken("sent: \(words)") }
      try hold(now == nil, "asked for \(words) before \(now as Any) was answered")
      let lines = LineRange(replica, first, count)
      try hold(
        (1...SyncMessage.requestedMax).contains(count)
          && Log.linesToRequest.contains { $0.holds(lines.start) && $0.holds(lines.end) },
        "asked for \(lines), which nobody wants")
      now = lines
    }

    mutating func proved(_ lines: LineRange) throws(Broken) {
      try hold(
        now?.holds(lines.start) == true && now?.holds(lines.end) == true,
        "proved: \(lines), asked: \(now as Any)")
      now = nil
    }
  }

  /// What is sent is announced as what it is, and the other side is never said to have more than that.
  private static func pump(
    _ session: inout SyncSession, _ log: Log, _ asked: inout Asked
  ) throws(Broken) {
    var rounds = 0
    while case let pumped = session.pump(log), !pumped.isEmpty {
      rounds += 1
      try hold(pumped.held == nil, "three lines are more than a run")
      var bytes = pumped.bytes
      if let end = bytes.firstIndex(of: 0x0A), bytes.starts(with: "HEAD ".utf8),
        end + 1 < bytes.count
      {
        try head(bytes[..<end])
        bytes = Array(bytes[(end + 1)...])
      }
      // Lines, a head, a WANT.
      try hold(rounds <= Log.lines.count + 2, "the same is sent again")
      guard let end = bytes.firstIndex(of: 0x0A) else { throw Broken("half a line is sent") }
      let words = String(decoding: bytes[..<end], as: UTF8.self).split(separator: " ")
      let lines = bytes[(end + 1)...]
      switch words.first {
      case "WANT": try asked.ask(words)
      case "HEAD":
        try head(bytes[..<end])
        try hold(session.taken[Log.ours] >= 3, "a head over what is not there: \(session.taken)")
      default: try sent(words, lines)
      }
    }
  }

  private static func head(_ line: ArraySlice<UInt8>) throws(Broken) {
    let words = String(decoding: line, as: UTF8.self).split(separator: " ")
    try hold(words[2] == Log.ours.description && words[3] == "3", "another head: \(words)")
  }

  private static func sent(_ words: [Substring], _ lines: ArraySlice<UInt8>) throws(Broken) {
    guard words.count == 6, words[0] == "LINES", let first = Int(words[3]),
      let count = Int(words[4])
    else { throw Broken("sent: \(words)") }
    try hold(words[2] == Log.ours.description && Int(words[5]) == lines.count, "sent: \(words)")
    try hold(
      lines.elementsEqual(Log.lines[(first - 1)..<(first - 1 + count)].joined()),
      "other lines than \(words)")
  }

  /// Three lines of ours, one of them wanted, and many of another machine.
  struct Log: LogSource {
    static let ours = ReplicaID("00000000-0000-4000-8000-000000000001")!

    static let linesToRequest = [
      LineRange(ours, 2, 1),
      LineRange(ReplicaID("00000000-0000-4000-8000-000000000009")!, 5, 1002),
    ]

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

    private static let all = Position([ours: UInt64(lines.count)])
    var position: Position { Self.all }

    var linesToRequest: [LineRange] { Self.linesToRequest }

    func head(of replica: ReplicaID) -> (size: UInt64, note: [UInt8])? {
      replica == Self.ours ? (3, Array("a \"note\"\n".utf8)) : nil
    }

    func run(
      of replica: ReplicaID, from first: UInt64, linesMax: UInt64, bytesMax: Int
    ) -> (count: UInt64, bytes: UnsafeBufferPointer<UInt8>) {
      guard replica == Self.ours, first >= 1, first <= Self.lines.count else {
        return (0, UnsafeBufferPointer(start: nil, count: 0))
      }
      let each = Self.lines[0].count
      let count = max(
        1, min(Self.lines.count - Int(first) + 1, Int(clamping: linesMax), bytesMax / each))
      let start = (Int(first) - 1) * each
      return (UInt64(count), Self.memory[part: start..<start + count * each])
    }
  }
}

extension LineRange {
  fileprivate var start: LineAddress { LineAddress(replica, first) }
  fileprivate var end: LineAddress { LineAddress(replica, first + count - 1) }

  fileprivate func holds(_ address: LineAddress) -> Bool {
    address.replica == replica && address.seq >= first && address.seq - first < count
  }
}
