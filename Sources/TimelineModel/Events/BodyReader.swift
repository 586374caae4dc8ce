// Reads one body after another: the space for the parsed text is used again, and what events share
// is known by its text.

/// It belongs to one thread at a time.
public final class BodyReader: @unchecked Sendable {
  /// Numbers by text: of parties that any registry knew, of parties whose codes are well formed, of
  /// tags, of subtypes, of authors.
  struct Shelves: Sendable {
    var knownParties = Shelf()
    var formedParties = Shelf()
    var tags = Shelf()
    var subtypes = Shelf()
    var authors = Shelf()
    var authorNames = Shelf()
  }

  /// What one reader leaves to the next of the same vocabulary, which keeps it: the reader itself it does
  /// not keep, since each would hold the other for ever.
  struct Legacy: Sendable {
    var document = JSONDocument()
    var shelves = Shelves()
  }

  public let vocabulary: Vocabulary
  var legacy: Legacy
  public var document: JSONDocument { legacy.document }

  public init(_ vocabulary: Vocabulary) {
    self.vocabulary = vocabulary
    legacy = Legacy()
  }

  init(_ vocabulary: Vocabulary, after legacy: Legacy) {
    self.vocabulary = vocabulary
    self.legacy = legacy
  }

  /// Takes a text apart.
  public func parse(_ text: UnsafeBufferPointer<UInt8>) throws(JSONError) {
    try legacy.document.parse(text)
  }

  /// The number of an author, by the text that stands in a line between quotes.
  public func number(ofAuthor text: UnsafeBufferPointer<UInt8>) -> UInt16 {
    UInt16(
      legacy.shelves.authors.number(of: text) {
        UInt32(vocabulary.number(ofAuthor: String(decoding: text, as: UTF8.self)))
      })
  }

  /// The same by the author's name, as it stands in no line yet.
  public func number(ofAuthorNamed name: String) -> UInt16 {
    var name = name
    return name.withUTF8 { utf8 in
      UInt16(
        legacy.shelves.authorNames.number(of: utf8) {
          UInt32(
            vocabulary.number(
              ofAuthor: JSONText.inner(String(decoding: utf8, as: UTF8.self))))
        })
    }
  }

  /// Checks the body that was parsed; see `EventValidator`. The registry may only have grown since the
  /// last body.
  public func validate(
    _ text: UnsafeBufferPointer<UInt8>, registry: ActorRegistry?, isStored: Bool
  ) throws(EventError) -> ValidBody {
    try EventValidator(self, in: text, registry: registry, isStored: isStored).validate()
  }
}
