// The JSON of a state, both ways: docs/reference/engagement.md, E-0.6 to E-13. Members stand in the order of their
// lists here, so that the same state is the same bytes on every machine. What follows from other members (`days`
// of a phase, `unanswered`, `in_force`, the word of an approach) is written and not read.

import TimelineModel

extension DyadState {
  public var json: JSONValue {
    // Most that stand open stand in two lists.
    let told = messages.map { (state: $0, json: $0.json) }
    let offers = told.compactMap { message -> JSONValue? in
      message.state.offer.map { .object((message.json.members ?? []) + $0.members) }
    }
    let commitments = agreements.flatMap { $0.commitments.map(\.json) }
    let criteria = criteria.map { JSONValue.Member($0.name.rawValue, $0.json) }
    let approaches = approaches.map { JSONValue.Member($0.party.description, $0.json) }
    var members: [JSONValue.Member] = []
    func add(_ key: String, _ value: JSONValue) { members.append(JSONValue.Member(key, value)) }
    add("parties", .strings(dyad.parties))
    add("day", .string(day.description))
    add("rules", rules.json)
    add("events", .int(events))
    add("provisional", .strings(provisional))
    add("left_out", .array(leftOut.map(\.json)))
    add("phase", phase.json(on: day))
    add("contact", contact.json)
    add("messages", .array(told.filter(\.state.isMessage).map(\.json)))
    add("unanswered", .array(told.filter(\.state.isOpen).map(\.json)))
    add("offers", .array(offers))
    add("interests", .array(interests.map(\.json)))
    add("commitments", .array(commitments))
    add("agreements", .array(agreements.map(\.json)))
    add("under_way", .array(underWay.map(\.json)))
    add("tests", .object(["last": .array(lastTests.map(\.json))]))
    add("climate", climate.json(of: dyad))
    add("reciprocity", reciprocity.json(of: dyad))
    add("criteria", .object(criteria))
    add("approach", .object(approaches))
    return .object(members)
  }

  /// A state of two parties as an answer has it; members that are not known are passed over.
  public init(json: JSONValue) throws(StateJSONError) {
    let state = JSONReader(json)
    let parties = try state["parties"].parties()
    guard parties.count == 2, let dyad = Dyad(parties[0], parties[1]) else {
      throw state["parties"].failure("two parties")
    }
    let commitments = Dictionary(
      grouping: try state["commitments"].items(CommitmentState.init), by: \.agreement)
    self.init(
      dyad: dyad, day: try state["day"].day(), rules: try RuleVersions(state["rules"]),
      events: try state["events"].int(), provisional: try state["provisional"].ids(),
      leftOut: try state["left_out"].items(LeftOutState.init),
      phase: try PhaseState(state["phase"]), contact: try ContactState(state["contact"]),
      messages: try Self.messages(state),
      interests: try state["interests"].items(InterestState.init),
      agreements: try state["agreements"].items { (agreement) throws(StateJSONError) in
        try AgreementState(agreement, commitments)
      },
      underWay: try state["under_way"].items(EventBrief.init),
      lastTests: try state["tests"]["last"].items(EventBrief.init),
      climate: try ClimateState(state["climate"], of: dyad),
      reciprocity: try ReciprocityState(state["reciprocity"], of: dyad),
      criteria: try CriterionName.allCases.map { (name) throws(StateJSONError) in
        try CriterionState(name, state["criteria"][name.rawValue])
      },
      approaches: try dyad.parties.map { (party) throws(StateJSONError) in
        try ApproachState(party, state["approach"][party.description])
      })
  }

  /// The two lists in one again, in the order of the events (E-0.3).
  private static func messages(_ state: JSONReader) throws(StateJSONError) -> [MessageState] {
    let offers = try state["offers"].items { (offer) throws(StateJSONError) in
      try MessageState(offer, offer: MessageState.Terms(offer))
    }
    let plain = try state["messages"].items { (message) throws(StateJSONError) in
      try MessageState(message)
    }
    var all = Dictionary(offers.map { ($0.id, $0) }) { $1 }
    for message in plain { all[message.id, default: message].isMessage = true }
    return all.values.sorted { ($0.date.first, $0.id) < ($1.date.first, $1.id) }
  }
}

extension RuleVersions {
  public var json: JSONValue {
    let events = tables.compactMap { table in
      table.event.map { JSONValue.Member(table.kind.rawValue, .string($0.description)) }
    }
    return .object(
      [JSONValue.Member("version", .string(version))]
        + tables.map { JSONValue.Member($0.kind.rawValue, .string($0.version)) }
        + (events.isEmpty ? [] : [JSONValue.Member("events", .object(events))]))
  }

  init(_ rules: JSONReader) throws(StateJSONError) {
    self.init(
      version: try rules["version"].string(),
      tables: try RuleTable.Kind.allCases.map { (kind) throws(StateJSONError) in
        Table(
          kind: kind, version: try rules[kind.rawValue].string(),
          event: try rules["events"][kind.rawValue].ifPresent?.id())
      })
  }
}

extension LeftOutState {
  var json: JSONValue {
    .object([
      "id": .string(id.description), "rel": .string(relation.rawValue),
      "to": .string(to.description), "reason": .string(reason.rawValue),
    ])
  }

  init(_ link: JSONReader) throws(StateJSONError) {
    self.init(
      id: try link["id"].id(), relation: try link["rel"].word(), to: try link["to"].id(),
      reason: try link["reason"].word())
  }
}

extension PhaseState {
  func json(on day: Day) -> JSONValue {
    .object([
      "name": .string(phase.rawValue), "since": .string(since.description),
      "days": .int(day - since), "from": before.map { .string($0.rawValue) },
      "moved": .strings(moved), "events": .strings(events),
    ])
  }

  init(_ phase: JSONReader) throws(StateJSONError) {
    self.init(
      phase: try phase["name"].word(), since: try phase["since"].day(),
      before: try phase["from"].ifPresent?.word(), moved: try phase["moved"].ids(),
      events: try phase["events"].ids())
  }
}

extension ContactState {
  var json: JSONValue {
    .object([
      "last": .array(
        last.map { contact in
          .object(
            [JSONValue.Member("from", .string(contact.party.description))]
              + contact.event.members)
        }),
      "neglect": neglect.map { .int($0) },
      "longest_silence": longestSilence.map { silence in
        .object([
          "days": .int(silence.days), "from": .string(silence.from.description),
          "to": .string(silence.to.description),
        ])
      },
      "silent_since": silentSince.map { .string($0.description) },
    ])
  }

  init(_ contact: JSONReader) throws(StateJSONError) {
    let silence = contact["longest_silence"]
    self.init(
      last: try contact["last"].items { (last) throws(StateJSONError) in
        Last(party: try last["from"].party(), event: try EventBrief(last))
      },
      neglect: try contact["neglect"].ifPresent?.int(),
      longestSilence: silence.value == nil
        ? nil : Silence(from: try silence["from"].day(), to: try silence["to"].day()),
      silentSince: try contact["silent_since"].ifPresent?.day())
  }
}

extension EventBrief {
  var json: JSONValue { .object(members) }

  var members: [JSONValue.Member] {
    var members = [
      JSONValue.Member("id", .string(id.description)), JSONValue.Member("date", .string(date.text)),
      JSONValue.Member("type", .string(type.word)),
    ]
    if let subtype { members.append(JSONValue.Member("subtype", .string(subtype))) }
    members.append(JSONValue.Member("title", .string(title)))
    members.append(JSONValue.Member("days", .int(days)))
    return members
  }

  init(_ event: JSONReader) throws(StateJSONError) {
    self.init(
      id: try event["id"].id(), date: try event["date"].date(),
      type: try event["type"].read("a known type") { $0.string.flatMap(EventType.init(word:)) },
      subtype: try event["subtype"].ifPresent?.string(), title: try event["title"].string(),
      days: try event["days"].int())
  }
}
