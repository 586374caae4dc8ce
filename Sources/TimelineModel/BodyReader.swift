// Reads one body after another: the space for the parsed text is used again, and so are the values
// that events share.

import Synchronization

/// It belongs to one thread at a time; a pool hands readers on.
public final class BodyReader: @unchecked Sendable {
  public private(set) var document = JSONDocument()
  var parties = Shelf<Parties>()
  var tags = Shelf<Tags>()

  public init() {}

  /// Takes a text apart.
  public func parse(_ text: UnsafeBufferPointer<UInt8>) throws(JSONError) {
    try document.parse(text)
  }

  /// Checks the body that was parsed; see `EventValidator`.
  public func validate(
    _ text: UnsafeBufferPointer<UInt8>, registry: ActorRegistry?, isStored: Bool
  ) throws(EventError) -> ValidBody {
    try EventValidator(self, in: text, registry: registry, isStored: isStored).validate()
  }

  private static let idle = Mutex<[BodyReader]>([])

  /// Lends a reader that has seen events before, if there is one.
  public static func lent<Result>(_ body: (BodyReader) -> Result) -> Result {
    let reader = idle.withLock { $0.popLast() } ?? BodyReader()
    defer { idle.withLock { $0.append(reader) } }
    return body(reader)
  }
}
