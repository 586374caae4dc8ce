// The lines that follow an APPENDMANY, CHECKMANY or WHATIF, until all are there.

import TimelineModel
import TimelineWire

struct ManyLines {
  /// What one request may bring: enough that a sync of the disk is shared by many lines, and little
  /// enough that memory is bounded.
  private static let linesMax = 10_000
  private static let bytesMax = 8 << 20
  /// So many lines are skipped where a request brings too many, and no more: a request
  /// that announces more is not meant.
  private static let skippedMax = 1_000_000

  /// What is to be done with them.
  enum Purpose {
    case append, check
    /// They are laid over the log, to answer this.
    case whatIf(StateQuestion?)
  }

  var purpose: Purpose
  private(set) var left: Int
  /// Why they will be refused: the rest is skipped.
  private(set) var refusal: ErrorReply?
  /// All of them in a row, and where each ends.
  private var bytes: [UInt8] = []
  private var ends: [Int] = []

  /// Reads how many lines follow.
  init(_ request: Request) throws(ErrorReply) {
    let isWhatIf = request.verb == .whatIf
    guard request.arguments.count == 1, let count = Int(request.arguments[0]),
      count > 0 || isWhatIf && count == 0
    else {
      throw ErrorReply(
        .badRequest, "\(request.verb.rawValue) takes the number of lines that follow")
    }
    guard count <= Self.skippedMax, request.json == nil || isWhatIf else {
      throw ErrorReply(
        .badRequest, "\(request.verb.rawValue) takes a number of at most \(Self.linesMax)")
    }
    purpose =
      switch request.verb {
      case .whatIf: .whatIf(nil)
      case .checkMany: .check
      default: .append
      }
    left = count
    if count > Self.linesMax {
      refusal = ErrorReply(.tooLarge, "at most \(Self.linesMax) lines at once; send less")
    }
  }

  /// Whether its last line stages all of them.
  var stages: Bool { if case .append = purpose { refusal == nil } else { false } }

  mutating func take(_ line: UnsafeBufferPointer<UInt8>) {
    if refusal == nil, bytes.count + line.count > Self.bytesMax {
      return refuse(
        ErrorReply(.tooLarge, "at most \(Self.bytesMax) bytes at once; send less"))
    }
    left -= 1
    guard refusal == nil else { return }
    bytes.append(contentsOf: line)
    ends.append(bytes.count)
  }

  /// Counts a line, and takes none.
  mutating func refuse(_ error: ErrorReply) {
    left -= 1
    refuseAll(error)
  }

  /// The lines will come all the same.
  mutating func refuseAll(_ error: ErrorReply) {
    refusal = refusal ?? error
    bytes = []
    ends = []
  }

  /// The lines, each by itself.
  func withTexts<Result>(_ body: ([UnsafeBufferPointer<UInt8>]) -> Result) -> Result {
    bytes.withUnsafeBufferPointer { all in
      var start = 0
      return body(
        ends.map { end in
          defer { start = end }
          return UnsafeBufferPointer(rebasing: all[start..<end])
        })
    }
  }
}
