// Reads one body after another: the space for the parsed text is used again, and what events share
// is known by its text.

/// It belongs to one thread at a time; `Vocabulary.lendReader` hands readers on.
public final class BodyReader: @unchecked Sendable {
  public private(set) var document = JSONDocument()
  let vocabulary: Vocabulary
  /// Numbers by text: of parties that any registry knew, of parties whose codes are well formed, of
  /// tags, of subtypes.
  var knownParties = Shelf()
  var formedParties = Shelf()
  var tags = Shelf()
  var subtypes = Shelf()

  public init(_ vocabulary: Vocabulary) { self.vocabulary = vocabulary }

  /// Takes a text apart.
  public func parse(_ text: UnsafeBufferPointer<UInt8>) throws(JSONError) {
    try document.parse(text)
  }

  /// Checks the body that was parsed; see `EventValidator`. The registry may only have grown since the
  /// last body.
  public func validate(
    _ text: UnsafeBufferPointer<UInt8>, registry: ActorRegistry?, isStored: Bool
  ) throws(EventError) -> ValidBody {
    try EventValidator(self, in: text, registry: registry, isStored: isStored).validate()
  }
}
