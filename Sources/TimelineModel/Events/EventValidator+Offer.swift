// A conditional offer, and what stands for a time.

extension EventValidator {
  /// What stands for a time after the event does not end before it begins.
  func ending(
    _ node: Int, _ field: Field, notBefore first: Day, _ advice: StaticString
  ) throws(EventError) {
    let last = try date(node, field).last
    guard !isNew || last >= first else {
      throw EventError(
        field,
        "\(document.string(node, in: text)) is over before the event begins, on \(first); \(advice)"
      )
    }
  }

  func offer(_ node: Int, _ type: EventType, _ first: Day) throws(EventError) {
    guard type.mayCarry(.offer) else {
      throw EventError(.offer, "stands on \(EventType.carriers(of: .offer)), not on \(type.word)")
    }
    try object(node, Field(.offer))
    var hasThen = false
    var hasCondition = false
    for key in document.children(node) {
      let value = key + 1
      switch document.string(key, in: text) {
      case "if": try strings(value, "offer.if")
      case "then":
        try strings(value, "offer.then")
        hasThen = document.next(value) > value + 1
      case "condition":
        try oneOf(value, "offer.condition", Offer.Condition.allCases.map(\.rawValue))
        hasCondition = true
      case "expires":
        try ending(
          value, "offer.expires", notBefore: first,
          "an offer stands until a day that comes after it, or for no stated time")
      case "interests": _ = try words(value, "offer.interests")
      default: break
      }
    }
    guard hasThen else {
      throw EventError(
        "offer.then", "missing; a list of what the offering side would do", hint: .missing)
    }
    guard hasCondition else {
      throw EventError("offer.condition", "missing; prior, simultaneous or none", hint: .missing)
    }
  }
}
