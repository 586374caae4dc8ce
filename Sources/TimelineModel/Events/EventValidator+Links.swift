// What an event says of others; whether it may is decided by LinkFault.

extension EventValidator {
  func links(_ node: Int, of own: EventID?) throws(EventError) {
    try array(node, Field(.links), "a list of {\"rel\":…,\"id\":…}")
    try checkCount(node, Field(.links), "let the others link to this event")
    var said: Set<Link> = []
    var count = 0
    for item in document.children(node) {
      let field = Field(.links, count)
      try object(item, field)
      count += 1
      guard let relation = document.member("rel", of: item, in: text) else {
        throw EventError(field["rel"], "missing", hint: .missing)
      }
      try oneOf(relation, field["rel"], Link.Relation.allCases.map(\.rawValue))
      let id = try id(item, "id", of: field)
      let key: String? =
        if let key = document.member("key", of: item, in: text) {
          try word(key, field["key"])
        } else { nil }
      if isNew, let relation = Link.Relation(rawValue: document.string(relation, in: text)) {
        let link = Link(relation: relation, id: id, key: key)
        if id == own { throw EventError.linkToItself(count - 1, link) }
        guard said.insert(link).inserted else {
          throw EventError(field, "says what a link before it says; leave it out")
        }
      }
    }
  }
}
