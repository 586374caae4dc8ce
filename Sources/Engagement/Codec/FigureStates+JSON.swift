// The JSON of the figures of a state, both ways: docs/reference/engagement.md, E-7, E-11 to E-13.

import TimelineModel

extension Thousandths {
  var json: JSONValue { .thousandths(number) }
}

extension ClimateState {
  /// The parts by the codes of the parties.
  func json(of dyad: Dyad) -> JSONValue {
    .object([
      "total": total.json, "trend": trend.json, "\(dyad.first)": first.json,
      "\(dyad.second)": second.json, "joint": joint.json,
    ])
  }

  init(_ climate: JSONReader, of dyad: Dyad) throws(StateJSONError) {
    self.init(
      total: try climate["total"].thousandths(), trend: try climate["trend"].thousandths(),
      first: try climate["\(dyad.first)"].thousandths(),
      second: try climate["\(dyad.second)"].thousandths(),
      joint: try climate["joint"].thousandths())
  }
}

extension ReciprocityState {
  func json(of dyad: Dyad) -> JSONValue {
    .object([
      "ratio": ratio?.json ?? .string("none"), "\(dyad.first)": first.json,
      "\(dyad.second)": second.json,
    ])
  }

  init(_ reciprocity: JSONReader, of dyad: Dyad) throws(StateJSONError) {
    let ratio = reciprocity["ratio"]
    self.init(
      ratio: ratio.value == .string("none") ? nil : try ratio.thousandths(),
      first: try reciprocity["\(dyad.first)"].thousandths(),
      second: try reciprocity["\(dyad.second)"].thousandths())
  }
}

extension CriterionState {
  var json: JSONValue {
    .object([
      "verdict": .string(verdict.rawValue), "for": supporting.json, "against": opposing.json,
    ])
  }

  init(_ name: CriterionName, _ criterion: JSONReader) throws(StateJSONError) {
    self.init(
      name: name, verdict: try criterion["verdict"].word(),
      supporting: try Side(criterion["for"]), opposing: try Side(criterion["against"]))
  }
}

extension CriterionState.Side {
  var json: JSONValue { .object(["count": .int(count), "latest": .strings(latest)]) }

  init(_ side: JSONReader) throws(StateJSONError) {
    self.init(count: try side["count"].int(), latest: try side["latest"].ids())
  }
}

extension ApproachState {
  var json: JSONValue {
    .object([
      "word": .string(word.rawValue), "prior": .int(prior), "simultaneous": .int(simultaneous),
      "none": .int(none),
    ])
  }

  init(_ party: ActorCode, _ approach: JSONReader) throws(StateJSONError) {
    self.init(
      party: party, prior: try approach["prior"].int(),
      simultaneous: try approach["simultaneous"].int(), none: try approach["none"].int())
  }
}
