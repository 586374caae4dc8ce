// The JSON of promises and agreements, both ways: docs/reference/engagement.md, E-6.

import TimelineModel

extension CommitmentState {
  var json: JSONValue {
    .object([
      "agreement": .string(agreement.description), "key": .string(key), "by": .strings(by),
      "to": .strings(to), "what": .string(what), "due": due.map { .string($0.text) },
      "verifier": verifier.isEmpty ? nil : .strings(verifier),
      "state": .string(standing.rawValue), "event": event.map { .string($0.description) },
    ])
  }

  init(_ promise: JSONReader) throws(StateJSONError) {
    self.init(
      agreement: try promise["agreement"].id(), key: try promise["key"].string(),
      by: try promise["by"].parties(), to: try promise["to"].parties(),
      what: try promise["what"].string(), due: try promise["due"].ifPresent?.date(),
      verifier: try promise["verifier"].ifPresent?.parties() ?? [],
      standing: try promise["state"].word(), event: try promise["event"].ifPresent?.id())
  }
}

extension AgreementState {
  var json: JSONValue {
    .object([
      "id": .string(id.description), "date": .string(date.text), "title": .string(title),
      "in_force": .bool(isInForce), "moves": .array(moves.map(\.json)),
      "moved_last": .strings(movedLast), "owed": .strings(owed),
    ])
  }

  init(
    _ agreement: JSONReader, _ commitments: [EventID: [CommitmentState]]
  ) throws(StateJSONError) {
    let id = try agreement["id"].id()
    self.init(
      id: id, date: try agreement["date"].date(), title: try agreement["title"].string(),
      commitments: commitments[id] ?? [], moves: try agreement["moves"].items(Move.init),
      movedLast: try agreement["moved_last"].parties(), owed: try agreement["owed"].parties())
  }
}

extension AgreementState.Move {
  var json: JSONValue {
    .object([
      "id": .string(id.description), "date": .string(date.text), "by": .strings(by),
      "says": .array(
        says.map { link in
          .object(["rel": .string(link.relation.rawValue), "key": link.key.map { .string($0) }])
        }),
    ])
  }

  init(_ move: JSONReader) throws(StateJSONError) {
    self.init(
      id: try move["id"].id(), date: try move["date"].date(), by: try move["by"].parties(),
      says: try move["says"].items { (link) throws(StateJSONError) in
        Link(relation: try link["rel"].word(), key: try link["key"].ifPresent?.string())
      })
  }
}
