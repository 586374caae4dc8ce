// The JSON of messages, offers and interests, both ways: docs/reference/engagement.md, E-4, E-5.

import TimelineModel

extension MessageState {
  var json: JSONValue {
    .object([
      "id": .string(id.description), "date": .string(date.text), "title": .string(title),
      "from": .string(from.description), "to": .string(to.description),
      "state": .string(outcome.rawValue), "by": by.map { .string($0.description) },
      "answered_after": answeredAfter.map { .int($0) }, "age": age.map { .int($0) },
    ])
  }

  init(_ message: JSONReader, offer: Terms? = nil) throws(StateJSONError) {
    self.init(
      id: try message["id"].id(), date: try message["date"].date(),
      title: try message["title"].string(), isMessage: false, from: try message["from"].party(),
      to: try message["to"].party(), outcome: try message["state"].word(),
      by: try message["by"].ifPresent?.id(),
      answeredAfter: try message["answered_after"].ifPresent?.int(),
      age: try message["age"].ifPresent?.int(), offer: offer)
  }
}

extension MessageState.Terms {
  /// What an offer has in addition to the members of a message.
  var members: [JSONValue.Member] {
    [
      JSONValue.Member("if", .strings(`if`)), JSONValue.Member("then", .strings(then)),
      JSONValue.Member("condition", .string(condition.rawValue)),
      JSONValue.Member("interests", .strings(interests)),
    ]
  }

  init(_ offer: JSONReader) throws(StateJSONError) {
    self.init(
      if: try offer["if"].strings(), then: try offer["then"].strings(),
      condition: try offer["condition"].word(), interests: try offer["interests"].strings())
  }
}

extension InterestState {
  var json: JSONValue {
    .object([
      "party": .string(party.description), "key": .string(key), "name": .string(name),
      "offers": .array(
        offers.map { offer in
          .object([
            "id": .string(offer.id.description), "date": .string(offer.date.text),
            "from": .string(offer.from.description), "state": .string(offer.outcome.rawValue),
          ])
        }),
    ])
  }

  init(_ interest: JSONReader) throws(StateJSONError) {
    self.init(
      party: try interest["party"].party(), key: try interest["key"].string(),
      name: try interest["name"].string(),
      offers: try interest["offers"].items { (offer) throws(StateJSONError) in
        Offer(
          id: try offer["id"].id(), date: try offer["date"].date(),
          from: try offer["from"].party(), outcome: try offer["state"].word())
      })
  }
}
