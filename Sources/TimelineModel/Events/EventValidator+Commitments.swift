// The promises of an agreement.

extension EventValidator {
  func commitments(
    _ node: Int, _ type: EventType, _ first: Day
  ) throws(EventError) {
    guard type.mayCarry(.commitments) else {
      throw EventError(
        .commitments, "stand on \(EventType.carriers(of: .commitments)), not on \(type.word)")
    }
    try array(node, Field(.commitments), "a list of {\"key\":…,\"by\":[…],\"what\":…}")
    try checkCount(node, Field(.commitments), "make it two agreements")
    var keys: Set<String> = []
    var count = 0
    for item in document.children(node) {
      let field = Field(.commitments, count)
      try object(item, field)
      count += 1
      guard let key = document.member("key", of: item, in: text) else {
        throw EventError(field["key"], "missing; a short word that links can name", hint: .missing)
      }
      guard keys.insert(try word(key, field["key"])).inserted else {
        throw EventError(field["key"], "stands twice in one agreement")
      }
      guard let by = document.member("by", of: item, in: text) else {
        throw EventError(
          field["by"], "missing; a commitment has parties: a list of codes", hint: .missing)
      }
      _ = try codes(by, field["by"], atLeast: 1)
      guard let what = document.member("what", of: item, in: text) else {
        throw EventError(field["what"], "missing; what was promised", hint: .missing)
      }
      _ = try nonEmpty(what, field["what"])
      if let to = document.member("to", of: item, in: text) {
        _ = try codes(to, field["to"], atLeast: 0)
      }
      if let verifier = document.member("verifier", of: item, in: text) {
        _ = try codes(verifier, field["verifier"], atLeast: 0)
      }
      if let due = document.member("due", of: item, in: text) {
        try ending(
          due, field["due"], notBefore: first,
          "a promise falls due after it was made; mend this or the event's date")
      }
    }
  }
}
