// Reads one body after another: the space for the parsed text is used again, and values that events share are
// found by their text in a cache of interned values.

/// It belongs to one thread at a time.
public final class BodyReader: @unchecked Sendable {
  /// Numbers by text: of parties that any registry knew, of parties whose codes are well formed, of
  /// tags, of subtypes, of authors.
  struct InternCaches: Sendable {
    var knownParties = InternCache()
    var formedParties = InternCache()
    var tags = InternCache()
    var subtypes = InternCache()
    var authors = InternCache()
    var authorNames = InternCache()
  }

  /// Memory that readers of one vocabulary use one after the other. The vocabulary pools it, not the readers:
  /// reader and vocabulary would hold each other for ever.
  struct Scratch: Sendable {
    var document = JSONDocument()
    var caches = InternCaches()
  }

  public let vocabulary: Vocabulary
  var scratch: Scratch
  public var document: JSONDocument { scratch.document }

  public init(_ vocabulary: Vocabulary) {
    self.vocabulary = vocabulary
    scratch = Scratch()
  }

  init(_ vocabulary: Vocabulary, scratch: Scratch) {
    self.vocabulary = vocabulary
    self.scratch = scratch
  }

  /// Takes a text apart.
  public func parse(_ text: UnsafeBufferPointer<UInt8>) throws(JSONError) {
    try scratch.document.parse(text)
  }

  /// The number of an author, by the text that stands in a line between quotes.
  public func number(ofAuthor text: UnsafeBufferPointer<UInt8>) -> UInt16 {
    UInt16(
      scratch.caches.authors.number(of: text) {
        UInt32(vocabulary.number(ofAuthor: String(decoding: text, as: UTF8.self)))
      })
  }

  /// The same by the author's name, as it stands in no line yet.
  public func number(ofAuthorNamed name: String) -> UInt16 {
    var name = name
    return name.withUTF8 { utf8 in
      UInt16(
        scratch.caches.authorNames.number(of: utf8) {
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
