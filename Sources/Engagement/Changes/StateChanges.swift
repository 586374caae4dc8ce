// E-16.1: from two states of the same parties to what is different: of two days, of two positions of the log,
// with and without some events. Values are compared, so that a client that has read two answers can do it too.

import TimelineModel

public enum StateChanges {
  /// In the order of `StateChange.What`, within it in that of the later state.
  public static func between(_ before: DyadState, _ after: DyadState) -> [StateChange] {
    var all: [StateChange?] = [
      phase(before.phase, after.phase), since(before, after),
      silence(before.contact, after.contact),
    ]
    all += messages(before.messages, after.messages)
    all += Pairs(before, after) { state in
      state.agreements.flatMap(\.commitments)
    } name: {
      [$0.agreement.description, $0.key]
    }.map(commitment)
    all += agreements(before, after)
    all += figures(before, after)
    all += lists(before, after)
    return all.compactMap { $0 }
  }

  // MARK: What a watch tells

  static func phase(_ before: PhaseState, _ after: PhaseState) -> StateChange? {
    guard before.phase != after.phase else { return nil }
    return StateChange(
      .phase, from: .init(before.phase), to: .init(after.phase), by: after.moved)
  }

  static func silence(_ before: ContactState, _ after: ContactState) -> StateChange? {
    guard before.silentSince != after.silentSince else { return nil }
    let known = before.last.map(\.event.id)
    var by: [EventID] = []
    for id in after.last.map(\.event.id) where !known.contains(id) && !by.contains(id) {
      by.append(id)
    }
    return StateChange(
      .silence, from: before.silentSince.map { .day($0) }, to: after.silentSince.map { .day($0) },
      by: by)
  }

  static func message(
    _ what: StateChange.What, _ before: MessageState?, _ after: MessageState?
  ) -> StateChange? {
    guard before?.outcome != after?.outcome, let shown = after ?? before else { return nil }
    return StateChange(
      what, id: shown.id, title: shown.title, from: before.map { .init($0.outcome) },
      to: after.map { .init($0.outcome) },
      by: after?.by.map { [$0] } ?? (before == nil ? [shown.id] : []))
  }

  static func commitment(
    _ before: CommitmentState?, _ after: CommitmentState?
  ) -> StateChange? {
    guard before?.standing != after?.standing, let shown = after ?? before else { return nil }
    return StateChange(
      .commitment, key: shown.key, id: shown.agreement, title: shown.what,
      from: before.map { .init($0.standing) }, to: after.map { .init($0.standing) },
      by: after?.event.map { [$0] } ?? (before == nil ? [shown.agreement] : []))
  }

  /// Offers, then the messages without one; a correction may make the one the other.
  private static func messages(
    _ before: [MessageState], _ after: [MessageState]
  ) -> [StateChange?] {
    let old = Dictionary(before.map { ($0.id, $0) }) { $1 }
    let left = Set(after.map(\.id))
    func changes(_ what: StateChange.What, _ holds: (MessageState) -> Bool) -> [StateChange?] {
      after.filter(holds).map { message(what, old[$0.id], $0) }
        + before.filter { holds($0) && !left.contains($0.id) }.map { message(what, $0, nil) }
    }
    return changes(.offer) { $0.offer != nil } + changes(.message) { $0.offer == nil }
  }

  // MARK: The rest

  private static func since(_ before: DyadState, _ after: DyadState) -> StateChange? {
    let (old, new) = (before.phase, after.phase)
    guard old.phase == new.phase, old.since != new.since, before.events > 0, after.events > 0
    else { return nil }
    return StateChange(.since, from: .day(old.since), to: .day(new.since), by: new.moved)
  }

  private static func agreements(_ before: DyadState, _ after: DyadState) -> [StateChange?] {
    let all = Pairs(before, after, \.agreements, name: \.id)
    func partyChanges(
      _ what: StateChange.What, _ parties: (AgreementState) -> [ActorCode]
    ) -> [StateChange?] {
      all.map { old, new in
        let (from, to) = (old.map(parties) ?? [], new.map(parties) ?? [])
        guard from != to, let shown = new ?? old else { return nil }
        return StateChange(
          what, id: shown.id, title: shown.title, from: .parties(from), to: .parties(to))
      }
    }
    let inForce = all.map { old, new -> StateChange? in
      guard old?.isInForce != new?.isInForce, let shown = new ?? old else { return nil }
      return StateChange(
        .inForce, id: shown.id, title: shown.title, from: old.map { .isTrue($0.isInForce) },
        to: new.map { .isTrue($0.isInForce) })
    }
    return partyChanges(.owed, \.owed) + partyChanges(.movedLast, \.movedLast) + inForce
  }

  /// What is one value on each side, by its key.
  private static func figures(_ before: DyadState, _ after: DyadState) -> [StateChange?] {
    func compare(
      _ what: StateChange.What, _ key: String? = nil, _ value: (DyadState) -> StateChange.Value?
    ) -> StateChange? {
      let (old, new) = (value(before), value(after))
      return old == new ? nil : StateChange(what, key: key, from: old, to: new)
    }
    let parts: [(String, KeyPath<ClimateState, Thousandths>)] = [
      ("total", \.total), ("trend", \.trend), (after.dyad.first.description, \.first),
      (after.dyad.second.description, \.second), ("joint", \.joint),
    ]
    return after.criteria.map(\.name).map { name in
      compare(.criterion, name.rawValue) { $0[name].map { .word($0.verdict.rawValue) } }
    }
      + after.approaches.map(\.party).map { party in
        compare(.approach, party.description) { state in
          state.approaches.first { $0.party == party }.map { .word($0.word.rawValue) }
        }
      }
      + [compare(.reciprocity) { $0.reciprocity.ratio.map { .number($0) } ?? .word("none") }]
      + parts.map { key, part in compare(.climate, key) { .number($0.climate[keyPath: part]) } }
  }

  private static func lists(_ before: DyadState, _ after: DyadState) -> [StateChange?] {
    var all: [StateChange?] = []
    all += Pairs(before, after, \.contact.last, name: \.party).map { old, new in
      latest(.contact, (new ?? old)?.party.description, old?.event, new?.event)
    }
    if before.contact.neglect != after.contact.neglect {
      all.append(
        StateChange(
          .neglect, from: before.contact.neglect.map { .count($0) },
          to: after.contact.neglect.map { .count($0) }))
    }
    all += Pairs(before, after) { state in
      state.interests
    } name: {
      [$0.party.description, $0.key]
    }.map(interest)
    all += Pairs(before, after, \.underWay, name: \.id).map { old, new in
      listed(.underWay, "under way", old, new) { (nil, $0.id, $0.title) }
    }
    all += Pairs(before, after, \.lastTests, name: \.subtype).map { old, new in
      latest(.test, (new ?? old)?.subtype, old, new)
    }
    if before.events != after.events {
      all.append(StateChange(.events, from: .count(before.events), to: .count(after.events)))
    }
    all += Pairs(before, after, \.provisional, name: \.self).map { old, new in
      listed(.provisional, "provisional", old, new) { (nil, $0, nil) }
    }
    all += Pairs(before, after, \.leftOut, name: \.self).map { old, new in
      listed(.leftOut, (new ?? old)?.reason.rawValue ?? "", old, new) {
        ("\($0.relation.rawValue) \($0.to)", $0.id, nil)
      }
    }
    return all
  }

  /// The last event of a kind.
  private static func latest(
    _ what: StateChange.What, _ key: String?, _ before: EventBrief?, _ after: EventBrief?
  ) -> StateChange? {
    guard before?.id != after?.id, let shown = after ?? before else { return nil }
    return StateChange(
      what, key: key, title: shown.title, from: before.map { .event($0.id) },
      to: after.map { .event($0.id) })
  }

  /// What stands in a list on one side only.
  private static func listed<Item>(
    _ what: StateChange.What, _ word: String, _ before: Item?, _ after: Item?,
    _ named: (Item) -> (key: String?, id: EventID, title: String?)
  ) -> StateChange? {
    guard (before == nil) != (after == nil), let shown = (after ?? before).map(named) else {
      return nil
    }
    return StateChange(
      what, key: shown.key, id: shown.id, title: shown.title, from: before.map { _ in .word(word) },
      to: after.map { _ in .word(word) })
  }

  private static func interest(_ before: InterestState?, _ after: InterestState?) -> StateChange? {
    let (old, new) = ((before?.offers ?? []).map(\.id), (after?.offers ?? []).map(\.id))
    guard old != new, let shown = after ?? before else { return nil }
    let known = Set(old)
    return StateChange(
      .interest, party: shown.party, key: shown.key, title: shown.name, from: .count(old.count),
      to: .count(new.count), by: new.filter { !known.contains($0) })
  }

  /// The items of two lists by what they are known by: what stands in both, in the order of the later, and
  /// then what is gone.
  private struct Pairs<Item> {
    private var all: [(Item?, Item?)]

    init<Name: Hashable>(
      _ before: DyadState, _ after: DyadState, _ list: (DyadState) -> [Item],
      name: (Item) -> Name
    ) {
      func byName(_ items: [Item]) -> (names: [Name], items: [Name: Item]) {
        var names: [Name] = []
        var found: [Name: Item] = [:]
        for item in items {
          let name = name(item)
          if found.updateValue(item, forKey: name) == nil { names.append(name) }
        }
        return (names, found)
      }
      let (old, new) = (byName(list(before)), byName(list(after)))
      all =
        new.names.map { (old.items[$0], new.items[$0]) }
        + old.names.filter { new.items[$0] == nil }.map { (old.items[$0], nil) }
    }

    func map(_ change: (Item?, Item?) -> StateChange?) -> [StateChange?] {
      all.map { change($0.0, $0.1) }
    }
  }
}
