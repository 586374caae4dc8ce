// Where an event is known from.

extension EventValidator {
  func sources(_ node: Int) throws(EventError) -> Bool {
    try array(node, Field(.sources), "a list of {\"title\":…,\"publisher\":…,\"date\":…,\"url\":…}")
    var count = 0
    for source in document.children(node) {
      let field = Field(.sources, count)
      try object(source, field)
      var names = false
      for key in document.children(source) {
        guard let part = Self.parts.first(where: { document.is(key, $0.text, in: text) }) else {
          continue
        }
        switch part.rule {
        case .name:
          _ = try nonEmpty(key + 1, field[part.text])
          names = true
        case .date: _ = try date(key + 1, field[part.text])
        case .text: try someString(key + 1, field[part.text])
        }
      }
      guard names else {
        throw EventError(field, "a source needs a title, publisher, url or doi")
      }
      count += 1
    }
    return count > 0
  }

  private enum Rule {
    case name, date, text
  }

  /// Every event has sources, so this is no more than names and what to look at.
  private static let parts = EventPart.source.map { part -> (text: StaticString, rule: Rule) in
    switch part.kind {
    case .name: (part.text, .name)
    case .date: (part.text, .date)
    case .text, .word, .choice, .codes, .words, .sentences: (part.text, .text)
    }
  }
}
