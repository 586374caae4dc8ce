// What is fuzzed: each reader of bytes that come from outside, with what must hold of any input. The
// libFuzzer entry (Tests/Fuzz) and the test of the corpus (Tests/FuzzCorpusTests) both come through
// `check`. docs/internals/fuzzing.md tells how to run it, and what was found.
//
// To add a target: a file next to this one, a case here, and seeds
// in Tests/Fixtures/fuzz/NAME.

/// A reader with its properties; the raw value names it in `scripts/fuzz` and its corpus.
public enum FuzzTarget: String, CaseIterable, Sendable {
  case line, json, event, `protocol`, sync, date, filter, csv, note, backup

  /// Throws where something does not hold that must hold of every input.
  public func check(_ input: UnsafeBufferPointer<UInt8>) throws(Broken) {
    switch self {
    case .line: try LineProperties.check(input)
    case .json: try JSONProperties.check(input)
    case .event: try EventProperties.check(input)
    case .protocol: try ProtocolProperties.check(input)
    case .sync: try SyncProperties.check(input)
    case .date: try DateProperties.check(input)
    case .filter: try FilterProperties.check(input)
    case .csv: try CSVProperties.check(input)
    case .note: try NoteProperties.check(input)
    case .backup: try BackupProperties.check(input)
    }
  }
}

/// What did not hold.
public struct Broken: Error, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}

func hold(_ condition: Bool, _ what: @autoclosure () -> String) throws(Broken) {
  guard condition else { throw Broken(what()) }
}

extension UnsafeBufferPointer where Element == UInt8 {
  subscript(part range: Range<Int>) -> UnsafeBufferPointer {
    UnsafeBufferPointer(rebasing: self[range])
  }

  var text: String { String(decoding: self, as: UTF8.self) }
}

extension Array where Element == UInt8 {
  /// Lends the bytes to what throws `Broken`.
  func lend(_ body: (UnsafeBufferPointer<UInt8>) throws(Broken) -> Void) throws(Broken) {
    let result = withUnsafeBufferPointer { bytes in
      Result { () throws(Broken) in try body(bytes) }
    }
    try result.get()
  }
}
