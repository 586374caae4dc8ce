// Why a request got no answer, as data. The tool words it for a person.

import TimelineWire

public enum ClientError: Error, Sendable, Hashable {
  /// Nobody answers at that socket; the `errno` of `connect`, `ENAMETOOLONG` for a path that is no socket's.
  case noDaemon(path: String, errno: Int32)
  /// The socket is another user's.
  case denied(path: String)
  /// The daemon ended the connection, without a word or in the middle of one.
  case ended
  /// It answered with an error, or refused the connection with one.
  case refused(ErrorReply)
  case protocolViolation(Violation)
  /// The descriptor that was handed in to end a wait became readable.
  case interrupted

  /// What came that no daemon of this protocol sends. Texts are at most 200 characters.
  public enum Violation: Sendable, Hashable {
    case lineTooLong(bytesMax: Int)
    /// Neither OK, ERR, EVENT, ROW nor END where that was due.
    case notAReply(String)
    case notJSON(String)
    /// A reply that lacks what its verb answers with.
    case incomplete(verb: String, String)
    /// A line of a watch that does not say where it stands.
    case noAddress(String)
  }

  /// Whether the same request may do, on a new connection, without any repair.
  public var isRetryable: Bool {
    switch self {
    case .noDaemon, .ended: true
    case .denied, .protocolViolation, .interrupted: false
    case .refused(let reply): reply.code.isRetryable
    }
  }
}

extension ErrorCode {
  /// Whether time alone may cure it.
  public var isRetryable: Bool {
    switch self {
    case .busy: true
    case .badRequest, .badEvent, .tooLarge, .notFound, .exists, .wrongPosition, .full, .readOnly,
      .denied, .damaged, .unsupported, .internal:
      false
    }
  }
}

extension ClientError.Violation {
  static func shown(_ bytes: some Collection<UInt8>) -> String {
    String(decoding: bytes.prefix(200), as: UTF8.self)
  }
}
