// E-16: from two states of the same parties to what is different. They are compared as the answers
// that they are, so that whoever has two answers can compare them: of two days, of two positions of
// the log, with and without some events.

import TimelineModel

public enum StateChanges {
  /// In the order of `StateChange.What`, within it in that of the later state.
  public static func between(_ before: JSONValue, _ after: JSONValue) -> [StateChange] {
    var all: [StateChange?] = [
      phase(before["phase"], after["phase"]), since(before, after),
      silence(before["contact"], after["contact"]),
    ]
    all += messages(before, after)
    let promises = { (state: JSONValue) in
      ByName(state["commitments"]) { "\(word($0, "agreement")) \(word($0, "key"))" }
    }
    all += pairs(promises(before), promises(after)).map { commitment($0, $1) }
    all += agreements(before, after)
    all += figures(before, after)
    all += lists(before, after)
    return all.compactMap { $0 }
  }

  // MARK: What a watch tells

  static func phase(_ before: JSONValue?, _ after: JSONValue?) -> StateChange? {
    guard let before, let after, before["name"] != after["name"] else { return nil }
    return StateChange(.phase, from: before["name"], to: after["name"], by: words(after, "moved"))
  }

  static func silence(_ before: JSONValue?, _ after: JSONValue?) -> StateChange? {
    let (old, new) = (before?["silent_since"], after?["silent_since"])
    guard old != new else { return nil }
    let last = { (contact: JSONValue?) in (contact?["last"]?.array ?? []).map { word($0, "id") } }
    let known = last(before)
    var by: [String] = []
    for id in last(after) where !known.contains(id) && !by.contains(id) { by.append(id) }
    return StateChange(.silence, from: old, to: new, by: by)
  }

  static func message(
    _ what: StateChange.What, _ before: JSONValue?, _ after: JSONValue?
  ) -> StateChange? {
    guard before?["state"] != after?["state"], let shown = after ?? before else { return nil }
    let id = word(shown, "id")
    let by = after?["by"]?.string.map { [$0] } ?? (before == nil ? [id] : [])
    return StateChange(
      what, id: id, title: shown["title"]?.string, from: before?["state"], to: after?["state"],
      by: by)
  }

  static func commitment(_ before: JSONValue?, _ after: JSONValue?) -> StateChange? {
    guard before?["state"] != after?["state"], let shown = after ?? before else { return nil }
    let agreement = word(shown, "agreement")
    let by = after?["event"]?.string.map { [$0] } ?? (before == nil ? [agreement] : [])
    return StateChange(
      .commitment, key: shown["key"]?.string, id: agreement, title: shown["what"]?.string,
      from: before?["state"], to: after?["state"], by: by)
  }

  /// Offers, then the messages without one; a correction may make the one the other.
  private static func messages(_ before: JSONValue, _ after: JSONValue) -> [StateChange?] {
    let offers = (before: ByName(before["offers"]), after: ByName(after["offers"]))
    let plain = (before: ByName(before["messages"]), after: ByName(after["messages"]))
    func old(_ id: String) -> JSONValue? { offers.before[id] ?? plain.before[id] }
    func isGone(_ id: String) -> Bool { offers.after[id] == nil && plain.after[id] == nil }
    return offers.after.names.map { message(.offer, old($0), offers.after[$0]) }
      + offers.before.names.filter(isGone).map { message(.offer, offers.before[$0], nil) }
      + plain.after.names.filter { offers.after[$0] == nil }.map {
        message(.message, old($0), plain.after[$0])
      }
      + plain.before.names.filter { offers.before[$0] == nil && isGone($0) }.map {
        message(.message, plain.before[$0], nil)
      }
  }

  // MARK: The rest

  private static func since(_ before: JSONValue, _ after: JSONValue) -> StateChange? {
    let (old, new) = (before["phase"], after["phase"])
    guard old?["name"] == new?["name"], old?["since"] != new?["since"],
      [before, after].allSatisfy({ $0["events"]?.int ?? 0 > 0 })
    else { return nil }
    return StateChange(.since, from: old?["since"], to: new?["since"], by: words(new, "moved"))
  }

  private static func agreements(_ before: JSONValue, _ after: JSONValue) -> [StateChange?] {
    let all = pairs(ByName(before["agreements"]), ByName(after["agreements"]))
    func turns(_ what: StateChange.What) -> [StateChange?] {
      all.map { old, new in
        let key = what.rawValue
        let (from, to) = (old?[key] ?? .array([]), new?[key] ?? .array([]))
        guard from != to, let shown = new ?? old else { return nil }
        return StateChange(
          what, id: word(shown, "id"), title: shown["title"]?.string, from: from, to: to)
      }
    }
    let inForce = all.map { old, new -> StateChange? in
      guard old?["in_force"] != new?["in_force"], let shown = new ?? old else { return nil }
      return StateChange(
        .inForce, id: word(shown, "id"), title: shown["title"]?.string, from: old?["in_force"],
        to: new?["in_force"])
    }
    return turns(.owed) + turns(.movedLast) + inForce
  }

  /// What is one value on each side, by its key.
  private static func figures(_ before: JSONValue, _ after: JSONValue) -> [StateChange?] {
    func compare(
      _ what: StateChange.What, _ key: String? = nil, _ value: (JSONValue) -> JSONValue?
    ) -> StateChange? {
      let (old, new) = (value(before).map(shown), value(after).map(shown))
      guard old?.text != new?.text else { return nil }
      return StateChange(what, key: key, from: old, to: new)
    }
    func keys(_ member: String) -> [String] { (after[member]?.members ?? []).map(\.key) }
    return keys("criteria").map { key in
      compare(.criterion, key) { $0["criteria"]?[key]?["verdict"] }
    }
      + keys("approach").map { key in compare(.approach, key) { $0["approach"]?[key]?["word"] } }
      + [compare(.reciprocity) { $0["reciprocity"]?["ratio"] }]
      + keys("climate").map { key in compare(.climate, key) { $0["climate"]?[key] } }
  }

  /// A number with decimals is what three of them show.
  private static func shown(_ value: JSONValue) -> JSONValue {
    value.number.map { .thousandths($0) } ?? value
  }

  private static func lists(_ before: JSONValue, _ after: JSONValue) -> [StateChange?] {
    var all: [StateChange?] = []
    let contacts = { (state: JSONValue) in ByName(state["contact"]?["last"]) { word($0, "from") } }
    all += pairs(contacts(before), contacts(after)).map { old, new in
      guard old?["id"] != new?["id"], let shown = new ?? old else { return nil }
      return StateChange(
        .contact, key: shown["from"]?.string, title: shown["title"]?.string, from: old?["id"],
        to: new?["id"])
    }
    let neglect = (before["contact"]?["neglect"], after["contact"]?["neglect"])
    if neglect.0 != neglect.1 {
      all.append(StateChange(.neglect, from: neglect.0, to: neglect.1))
    }
    let interests = { (state: JSONValue) in
      ByName(state["interests"]) { "\(word($0, "party")) \(word($0, "key"))" }
    }
    all += pairs(interests(before), interests(after)).map(interest)
    let underWay = { (state: JSONValue) in ByName(state["under_way"]) }
    all += pairs(underWay(before), underWay(after)).map { standing(.underWay, $0, $1) }
    let tests = { (state: JSONValue) in
      ByName(state["tests"]?["last"]) { word($0, "subtype") }
    }
    all += pairs(tests(before), tests(after)).map { old, new in
      guard old?["id"] != new?["id"], let shown = new ?? old else { return nil }
      return StateChange(
        .test, key: shown["subtype"]?.string, title: shown["title"]?.string, from: old?["id"],
        to: new?["id"])
    }
    if before["events"] != after["events"] {
      all.append(StateChange(.events, from: before["events"], to: after["events"]))
    }
    let provisional = { (state: JSONValue) in
      ByName(state["provisional"]) { $0.string ?? "" }
    }
    all += pairs(provisional(before), provisional(after)).map { old, new in
      guard (old == nil) != (new == nil) else { return nil }
      let word = JSONValue.string("provisional")
      return StateChange(
        .provisional, id: (new ?? old)?.string, from: old.map { _ in word },
        to: new.map { _ in word })
    }
    let leftOut = { (state: JSONValue) in ByName(state["left_out"]) { $0.text } }
    all += pairs(leftOut(before), leftOut(after)).map { old, new in
      guard (old == nil) != (new == nil), let shown = new ?? old else { return nil }
      return StateChange(
        .leftOut, key: "\(word(shown, "rel")) \(word(shown, "to"))", id: word(shown, "id"),
        from: old?["reason"], to: new?["reason"])
    }
    return all
  }

  private static func interest(_ before: JSONValue?, _ after: JSONValue?) -> StateChange? {
    let ids = { (interest: JSONValue?) in
      (interest?["offers"]?.array ?? []).map { word($0, "id") }
    }
    let (old, new) = (ids(before), ids(after))
    guard old != new, let shown = after ?? before else { return nil }
    let known = Set(old)
    return StateChange(
      .interest, party: shown["party"]?.string, key: shown["key"]?.string,
      title: shown["name"]?.string, from: .int(old.count), to: .int(new.count),
      by: new.filter { !known.contains($0) })
  }

  private static func standing(
    _ what: StateChange.What, _ before: JSONValue?, _ after: JSONValue?
  ) -> StateChange? {
    guard (before == nil) != (after == nil), let shown = after ?? before else { return nil }
    let word = JSONValue.string("under way")
    return StateChange(
      what, id: self.word(shown, "id"), title: shown["title"]?.string,
      from: before.map { _ in word }, to: after.map { _ in word })
  }

  // MARK: Pieces

  private static func word(_ value: JSONValue, _ key: String) -> String {
    value[key]?.string ?? ""
  }

  private static func words(_ value: JSONValue?, _ key: String) -> [String] {
    (value?[key]?.array ?? []).compactMap(\.string)
  }

  /// What stands in both, in the order of the later, and then what is gone.
  private static func pairs(
    _ before: ByName, _ after: ByName
  ) -> [(JSONValue?, JSONValue?)] {
    after.names.map { (before[$0], after[$0]) }
      + before.names.filter { after[$0] == nil }.map { (before[$0], nil) }
  }

  /// The items of a list by what they are known by.
  private struct ByName {
    private(set) var names: [String] = []
    private var items: [String: JSONValue] = [:]

    init(_ list: JSONValue?, _ name: (JSONValue) -> String = { StateChanges.word($0, "id") }) {
      for item in list?.array ?? [] {
        let name = name(item)
        if items.updateValue(item, forKey: name) == nil { names.append(name) }
      }
    }

    subscript(name: String) -> JSONValue? { items[name] }
  }
}
