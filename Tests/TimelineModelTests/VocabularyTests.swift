import Testing

@testable import TimelineModel

@Test("A vocabulary that nobody needs any more is let go, even where readers were pooled")
func vocabularyIsLetGo() {
  weak var seen: Vocabulary?
  do {
    let vocabulary = Vocabulary()
    seen = vocabulary
    let texts = [#"{"type":"test"}"#, #"{"type":"talks"}"#]
    for text in texts {
      vocabulary.withPooledReader { reader in
        #expect([UInt8](text.utf8).withUnsafeBufferPointer { (try? reader.parse($0)) != nil })
      }
    }
  }
  #expect(seen == nil)
}
