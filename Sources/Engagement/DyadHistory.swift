// The events between two parties: a value that takes them in any order and answers any day. All rules
// stand here and in the files beside it, numbered as in docs/engagement.md; none reads the order of
// arrival, none reads events that begin after the day asked for.
//
// What a day's answer needs again and again is found once, when events come in: which events are of
// which kind, sums of weights, the runs of phases, the climate every 64 days. An answer then costs
// what it shows, not what the years hold.

import TimelineModel

public struct DyadHistory: Sendable {
  public let dyad: Dyad
  public let weights: Weights
  private let exerciseTargets: [ActorCode: [ActorCode]]
  /// By (first day, id). A place is an offset in it.
  public private(set) var events: [Event] = []
  private var days: [Day] = []
  /// For each event that is linked to: which events say so, by their place, rising.
  private var said: [EventID: [(place: Int, link: Link)]] = [:]
  private(set) var kinds = Kinds()
  private(set) var sums = Sums()
  private(set) var phases: [PhaseRun] = []
  private(set) var climates: [(day: Day, climate: Climate)] = []

  public init(
    _ dyad: Dyad, weights: Weights = .shipped,
    exerciseTargets: [ActorCode: [ActorCode]] = ActorRegistry.shipped.exerciseTargets
  ) {
    self.dyad = dyad
    self.weights = weights
    self.exerciseTargets = exerciseTargets
  }

  /// Takes events in; those of other parties are passed over.
  public mutating func insert(_ new: some Sequence<Event>) { replace([], with: new) }

  /// Drops the events of these ids, and takes others in.
  public mutating func replace(_ old: Set<EventID>, with new: some Sequence<Event>) {
    if !old.isEmpty { events.removeAll { old.contains($0.id) } }
    events += new.filter { holds($0.type, actors: $0.actors, targets: $0.targets) }
    events.sort { ($0.date.first, $0.id) < ($1.date.first, $1.id) }
    days = events.map(\.date.first)
    said = [:]
    for (place, event) in events.enumerated() {
      for link in event.links { said[link.id, default: []].append((place, link)) }
    }
    kinds = Kinds(self)
    sums = Sums(self)
    climates = allClimates()
    phases = allPhases()
  }

  /// E-1, by what an index knows of an event.
  public func holds(_ type: EventType, actors: [ActorCode], targets: [ActorCode]) -> Bool {
    dyad.holds(type, actors: actors, targets: targets, exerciseTargets: exerciseTargets)
  }

  // MARK: What the rules have in common

  /// The places of the events that began on the day or before.
  func upTo(_ day: Day) -> Range<Int> { 0..<firstPlace(after: day) }

  /// The places of the events that began in the `length` days that end with this one.
  func over(_ length: Int, to day: Day) -> Range<Int> {
    firstPlace(after: day.advanced(by: -length))..<firstPlace(after: day)
  }

  private func firstPlace(after day: Day) -> Int {
    lowerBound(days.count) { days[$0] <= day }
  }

  /// The first day of an event that has one.
  var firstDay: Day? { days.first { $0 != .distantPast } }

  func weight(_ event: Event) -> Int { weights.weight(of: event) }

  func acts(_ party: ActorCode, in event: Event) -> Bool { event.actors.contains(party) }

  func isJoint(_ event: Event) -> Bool {
    acts(dyad.first, in: event) && acts(dyad.second, in: event)
  }

  /// What others say of an event by their links, up to a day: earliest first. An event does not
  /// answer itself, nor one that came later.
  func links(
    to event: Event, _ relations: Set<Link.Relation>, upTo day: Day
  ) -> [(event: Event, link: Link)] {
    guard let said = said[event.id] else { return [] }
    let end = firstPlace(after: day)
    return said.compactMap { place, link in
      let other = events[place]
      guard place < end, relations.contains(link.relation), other.id != event.id,
        other.date.first >= event.date.first
      else { return nil }
      return (other, link)
    }
  }

  func ids(_ places: some Sequence<Int>) -> [EventID] { places.map { events[$0].id } }
}

/// The number of leading places for which the test holds.
func lowerBound(_ count: Int, _ isBefore: (Int) -> Bool) -> Int {
  var low = 0
  var high = count
  while low < high {
    let middle = (low + high) / 2
    if isBefore(middle) { low = middle + 1 } else { high = middle }
  }
  return low
}

/// Places of the events of each kind, rising.
struct Kinds: Sendable {
  /// Some places of a history, rising.
  struct Places: Sendable {
    var all: [Int] = []

    /// Those within a range.
    subscript(range: Range<Int>) -> ArraySlice<Int> {
      let start = lowerBound(all.count) { all[$0] < range.lowerBound }
      let end = lowerBound(all.count) { all[$0] < range.upperBound }
      return all[start..<end]
    }
  }

  /// E-3: direct contact: message, talks that were held, exchange, release, agreement.
  var contacts = Places()
  /// Messages, and offers wherever they stand.
  var messages = Places()
  var agreements = Places()
  /// Those that went on beyond a day: one that began long ago may be the last.
  var longContacts = Places()
  /// Talks that were held.
  var talks = Places()
  /// Those that went on for more than `talksDaysMax`.
  var longTalks = Places()
  static let talksDaysMax = 366
  /// What ends talks or an agreement's run.
  var breaks = Places()
  /// Steps that keep or verify a promise.
  var steps = Places()
  /// Attacks and nuclear tests.
  var shocks = Places()
  var negative = Places()
  /// By what was tested.
  var tests: [String: Places] = [:]
  /// What may be under way for longer than a day.
  var lasting = Places()
  var contested = Places()

  init() {}

  init(_ history: DyadHistory) {
    for (place, event) in history.events.enumerated() {
      switch (event.type, event.subtype) {
      case (.talks, "breakdown"): breaks.all.append(place)
      case (.talks, _):
        contacts.all.append(place)
        talks.all.append(place)
      case (.message, _), (.exchange, _), (.release, _): contacts.all.append(place)
      case (.agreement, _):
        contacts.all.append(place)
        if !event.commitments.isEmpty { agreements.all.append(place) }
      case (.step, "suspension"), (.step, "violation"), (.step, "withdrawal"):
        breaks.all.append(place)
      case (.step, "fulfilment"), (.step, "verification"): steps.all.append(place)
      case (.test, "moratorium"): break
      case (.test, let kind):
        tests[kind ?? "", default: Places()].all.append(place)
        if kind == "nuclear" { shocks.all.append(place) }
      case (.incident, "attack"): shocks.all.append(place)
      default: break
      }
      if contacts.all.last == place, event.date.last > event.date.first {
        longContacts.all.append(place)
      }
      if talks.all.last == place, event.date.last - event.date.first > Self.talksDaysMax {
        longTalks.all.append(place)
      }
      switch event.type {
      case .exercise, .talks, .deployment, .sanction: lasting.all.append(place)
      default: break
      }
      if event.type == .message || event.offer != nil { messages.all.append(place) }
      if history.weight(event) < 0 { negative.all.append(place) }
      if event.isContested { contested.all.append(place) }
    }
  }
}

/// Weights in thousandths, added up from the first event on: what a window holds is one difference.
struct Sums: Sendable {
  struct Weight: Sendable {
    var given = 0
    var taken = 0

    mutating func add(_ weight: Int) {
      given += max(0, weight)
      taken += max(0, -weight)
    }

    static func - (left: Self, right: Self) -> Self {
      Weight(given: left.given - right.given, taken: left.taken - right.taken)
    }
  }

  private var all = [Weight()]
  private var first = [Weight()]
  private var second = [Weight()]

  init() {}

  init(_ history: DyadHistory) {
    for event in history.events {
      let weight = history.weight(event)
      func next(_ sums: [Weight], _ counts: Bool) -> Weight {
        var sum = sums[sums.count - 1]
        if counts { sum.add(weight) }
        return sum
      }
      all.append(next(all, true))
      first.append(next(first, history.acts(history.dyad.first, in: event)))
      second.append(next(second, history.acts(history.dyad.second, in: event)))
    }
  }

  /// Of all events; of those in which the first party acts; in which the second does.
  func over(_ range: Range<Int>) -> (all: Weight, first: Weight, second: Weight) {
    (
      all[range.upperBound] - all[range.lowerBound],
      first[range.upperBound] - first[range.lowerBound],
      second[range.upperBound] - second[range.lowerBound]
    )
  }
}
