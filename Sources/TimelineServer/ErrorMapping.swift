// Which ERR word an error of the store is; docs/reference/protocol.md says what to do about each.

import EventStore
import TimelineModel
import TimelineWire

extension ErrorReply {
  init(_ error: AppendError) {
    if case .badEvent(let error) = error {
      self.init(error)
      return
    }
    let code: ErrorCode =
      switch error {
      case .notJSON, .badEvent: .badEvent
      case .exists, .nameTaken, .wasErased: .exists
      case .unknownEvent: .notFound
      case .wrongPosition: .wrongPosition
      case .tooLarge: .tooLarge
      case .full: .full
      case .busy: .busy
      case .readOnly: .readOnly
      case .unsupported: .unsupported
      case .notAllowed: .denied
      }
    self.init(code, error.message)
  }

  init(_ error: CitationError) {
    let code: ErrorCode =
      switch error {
      case .unknown: .notFound
      case .ambiguous: .badRequest
      case .missing: .wrongPosition
      case .damaged: .damaged
      }
    let hint: ErrorHint? =
      switch error {
      case .unknown: .unknownSnapshot
      case .damaged: .repair
      case .ambiguous, .missing: nil
      }
    self.init(code, error.message, hint: hint)
  }

  init(_ line: DamagedLine) { self.init(.damaged, line.message, hint: .repair) }

  init(_ problem: HeadProblem) {
    switch problem {
    case .stopped: self.init(.busy, problem.message)
    case .unknown, .noKey, .notCovered: self.init(.notFound, problem.message)
    case .damaged, .shorter: self.init(.damaged, problem.message, hint: .repair)
    case .otherRoot, .refused: self.init(.damaged, problem.message)
    case .disk(let error):
      let code: ErrorCode =
        switch error.cause {
        case .full: .full
        case .tooManyFiles: .busy
        default: .internal
        }
      self.init(code, problem.message)
    }
  }

  init(_ error: IngestError) {
    switch error {
    case .fork: self.init(.wrongPosition, error.message)
    case .disk(let failure): self.init(failure)
    default: self.init(.badRequest, error.message)
    }
  }

  init(_ error: OpenError) {
    let code: ErrorCode =
      switch error {
      case .timelineExists: .exists
      case .noTimeline: .notFound
      case .badName: .badRequest
      case .disk(let failure) where failure.cause == .full: .full
      case .disk(let failure) where failure.cause == .tooManyFiles: .busy
      case .damagedFile: .damaged
      default: .internal
      }
    self.init(code, error.message)
  }
}
