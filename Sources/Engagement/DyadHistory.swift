// The events between two parties: a value that takes them in any order and answers any day. All rules
// stand here and in the files beside it, numbered as in docs/reference/engagement.md; none reads the order of
// arrival, none reads events that begin after the day asked for.
//
// What a day's answer needs again and again is found once, when events come in: which events are of
// which kind, sums of weights, the runs of phases, the climate every 64 days. An answer then costs
// what it shows, not what the years hold. An event that comes late is put in its place, and the
// phases are found again as far as it can reach.

import TimelineModel

public struct DyadHistory: Sendable {
  public let dyad: Dyad
  public let rules: Rules
  public let exerciseTargets: [ActorCode: [ActorCode]]
  /// In order (E-0.3). A place is an offset in it.
  private(set) var entries: [PlacedEvent] = []
  private var days: [Day] = []
  /// Events with others that may be testimony: those with a link that could make them so.
  private var candidates: [Event] = []
  /// For each event that is linked to: which events say so, by their place, rising; links that are
  /// left out do not stand here.
  private var said: [EventID: [(place: Int, link: Link)]] = [:]
  private(set) var leftOut: [LeftOutLink] = []
  private(set) var kinds = KindPlaces()
  private(set) var sums = WeightSums()
  private(set) var silences: [Silence] = []
  /// For each place of `kinds.messages`: from which day on it is not open.
  private(set) var closings: [Day] = []
  private(set) var openMessages = SpanCounts()
  private(set) var openOffers = SpanCounts()
  private(set) var outstanding = SpanCounts()
  private(set) var overdue = SpanCounts()
  /// For each place of `kinds.steps`: until which day an agreement that it carries out has something
  /// outstanding.
  private(set) var stepEnds: [Day] = []
  private(set) var phases: [PhaseRun] = []
  private(set) var climates: [(day: Day, climate: Climate)] = []

  /// How many events it has.
  public var count: Int { entries.count }

  public init(
    _ dyad: Dyad, rules: Rules = .shipped,
    exerciseTargets: [ActorCode: [ActorCode]] = ActorRegistry.shipped.exerciseTargets
  ) {
    self.dyad = dyad
    self.rules = rules
    self.exerciseTargets = exerciseTargets
  }

  /// Takes events in; those of other parties are passed over.
  public mutating func insert(_ new: some Sequence<Event>) { replace([], with: new) }

  /// Drops the events of these ids, and takes others in.
  public mutating func replace(_ old: Set<EventID>, with new: some Sequence<Event>) {
    var change = HistoryChange()
    if !old.isEmpty {
      for entry in entries where old.contains(entry.event.id) {
        change.add(entry.event, isSaidOf: said[entry.event.id] != nil)
      }
      entries.removeAll { old.contains($0.event.id) }
      candidates.removeAll { old.contains($0.id) }
    }
    var added: [PlacedEvent] = []
    for event in new {
      if isBetween(event.type, actors: event.actors, targets: event.targets) {
        added.append(
          PlacedEvent(event, dyad, weight: rules.weights.weight(of: event)))
      } else if Self.mayTestify(event), isByOrTo(event.actors, event.targets) {
        candidates.append(event)
      }
    }
    for entry in added { change.add(entry.event, isSaidOf: false) }
    place(added)
    placeTestimony(&change)
    days = entries.map(\.first)
    hear()
    // What had been waited for may be there now.
    for entry in added where said[entry.event.id] != nil {
      change.add(entry.event, isSaidOf: true)
    }
    kinds = KindPlaces(entries)
    sums = WeightSums(entries)
    silences = allSilences()
    closings = kinds.messages.all.map(closing)
    countMessages()
    countPromises()
    climates = allClimates()
    phases = allPhases(keeping: phases, change)
  }

  private mutating func place(_ added: [PlacedEvent]) {
    guard added.count > 16 else {
      for entry in added {
        let place = lowerBound(entries.count) { PlacedEvent.isBefore(entries[$0], entry) }
        entries.insert(entry, at: place)
      }
      return
    }
    entries = (entries + added).sorted(by: PlacedEvent.isBefore)
  }

  /// E-1.4: puts in the events with others that speak of a promise between the two.
  private mutating func placeTestimony(_ change: inout HistoryChange) {
    let before = Dictionary(
      uniqueKeysWithValues: entries.lazy.compactMap { entry in
        entry.testimony.map { (entry.event.id, $0) }
      })
    guard !candidates.isEmpty || !before.isEmpty else { return }
    let agreements = Dictionary(
      uniqueKeysWithValues: entries.lazy.filter { $0.kinds.contains(.ledger) }.map {
        ($0.event.id, $0)
      })
    var now: [EventID: PlacedEvent.Testimony] = [:]
    var added: [PlacedEvent] = []
    for event in candidates {
      guard let testimony = testimony(event, on: agreements) else { continue }
      now[event.id] = testimony
      if before[event.id] != testimony {
        added.append(PlacedEvent(event, dyad, weight: 0, testimony: testimony))
      }
    }
    for entry in entries where entry.isTestimony && now[entry.event.id] != entry.testimony {
      change.add(entry.event, isSaidOf: true)
    }
    entries.removeAll { $0.isTestimony && now[$0.event.id] != $0.testimony }
    for entry in added { change.add(entry.event, isSaidOf: true) }
    place(added)
  }

  private func testimony(
    _ event: Event, on agreements: [EventID: PlacedEvent]
  ) -> PlacedEvent.Testimony? {
    var found: PlacedEvent.Testimony?
    for link in event.links where Link.Relation.ofPromises.contains(link.relation) {
      guard let agreement = agreements[link.id], agreement.first <= event.date.first else {
        continue
      }
      if Self.concerns(link, agreement.promises),
        LeftOutLink.reason(event, link, agreement, dyad) == nil
      {
        return .ofMoves
      }
      found = .ofNone
    }
    return found
  }

  /// E-1.6: the links that count, and those that are left out.
  private mutating func hear() {
    said = [:]
    leftOut = []
    guard entries.contains(where: { !$0.event.links.isEmpty }) else { return }
    let byID = Dictionary(uniqueKeysWithValues: entries.map { ($0.event.id, $0) })
    for (place, entry) in entries.enumerated() {
      for link in entry.event.links {
        guard let target = byID[link.id] else { continue }
        if let reason = LeftOutLink.reason(entry.event, link, target, dyad) {
          leftOut.append(
            LeftOutLink(
              place: place, link: link, reason: reason, seen: max(entry.first, target.first)))
        } else {
          said[link.id, default: []].append((place, link))
        }
      }
    }
  }

  /// Whether one of the two takes part: only such an event can be testimony, and only with links.
  public func isByOrTo(_ actors: [ActorCode], _ targets: [ActorCode]) -> Bool {
    [dyad.first, dyad.second].contains { actors.contains($0) || targets.contains($0) }
  }

  /// E-1.1 to E-1.3, by what an index knows of an event.
  public func isBetween(_ type: EventType, actors: [ActorCode], targets: [ActorCode]) -> Bool {
    dyad.holds(type, actors: actors, targets: targets, exerciseTargets: exerciseTargets)
  }

  private static func mayTestify(_ event: Event) -> Bool {
    event.links.contains { Link.Relation.ofPromises.contains($0.relation) }
  }

  private mutating func countMessages() {
    var open: [(first: Day, end: Day)] = []
    var offers: [(first: Day, end: Day)] = []
    for (place, end) in zip(kinds.messages.all, closings) {
      open.append((entries[place].first, end))
      if entries[place].event.offer != nil { offers.append((entries[place].first, end)) }
    }
    openMessages = SpanCounts(open)
    openOffers = SpanCounts(offers)
  }

  private mutating func countPromises() {
    var promises: [(first: Day, end: Day)] = []
    var late: [(first: Day, end: Day)] = []
    var ends: [Int: Day] = [:]
    for place in kinds.ledgers.all {
      let agreement = entries[place]
      let said = saidOfAny(agreement, upTo: .distantFuture)
      let firsts = speakers(of: agreement.promises, said, last: false)
      var last = Day.distantPast
      for (commitment, first) in zip(agreement.promises, firsts) {
        let end = first.map { said[$0].event.date.first } ?? .distantFuture
        promises.append((agreement.first, end))
        last = max(last, end)
        guard let due = commitment.due?.last, due != .distantFuture else { continue }
        late.append((max(agreement.first, due.advanced(by: 1)), end))
      }
      for step in steps(of: agreement) { ends[step] = max(ends[step] ?? .distantPast, last) }
    }
    stepEnds = kinds.steps.all.map { ends[$0] ?? .distantPast }
    outstanding = SpanCounts(promises)
    overdue = SpanCounts(late)
  }

  /// E-8.2: the places of the steps that carry out an agreement: keep a promise of it, or are part of it.
  private func steps(of agreement: PlacedEvent) -> [Int] {
    let keys = Set(agreement.promises.map(\.key))
    return (said[agreement.event.id] ?? []).compactMap { place, link in
      guard entries[place].kinds.contains(.step) else { return nil }
      let carriesOut =
        switch link.relation {
        case .partOf: true
        case .fulfils, .verifies: link.key.map(keys.contains) ?? false
        default: false
        }
      return carriesOut ? place : nil
    }
  }

  // MARK: What the rules have in common

  var windows: Windows { rules.windows }

  /// The places of the events that began on the day or before.
  func upTo(_ day: Day) -> Range<Int> { 0..<firstPlace(after: day) }

  /// E-0.4: the places of the events that began in the `length` days that end with this one.
  func over(_ length: Int, to day: Day) -> Range<Int> {
    firstPlace(after: day.advanced(by: -length))..<firstPlace(after: day)
  }

  /// The places of the events that began on one of these days; an open start is none of them.
  func from(_ first: Day, to day: Day) -> Range<Int> {
    let start = first == .distantPast ? first : first.advanced(by: -1)
    let lower = firstPlace(after: start)
    return lower..<max(lower, firstPlace(after: day))
  }

  private func firstPlace(after day: Day) -> Int {
    lowerBound(days.count) { days[$0] <= day }
  }

  /// The first day of an event that has one.
  var firstDay: Day? { days.first { $0 != .distantPast } }

  /// On which days those of some events begin that belong to the two.
  func firstDays(of ids: Set<EventID>) -> [EventID: Day] {
    guard !ids.isEmpty else { return [:] }
    return Dictionary(
      uniqueKeysWithValues: entries.lazy.filter { ids.contains($0.event.id) }.map {
        ($0.event.id, $0.first)
      })
  }

  func isBy(_ party: ActorCode, _ entry: PlacedEvent) -> Bool {
    party == dyad.first ? entry.isByFirst : entry.isBySecond
  }

  /// What is said of an event by links that count, up to a day: in order.
  func links(
    to event: Event, _ relations: Set<Link.Relation>, upTo day: Day
  ) -> [(event: Event, link: Link)] {
    guard let said = said[event.id] else { return [] }
    let end = firstPlace(after: day)
    return said.compactMap { place, link in
      guard place < end, relations.contains(link.relation) else { return nil }
      return (entries[place].event, link)
    }
  }

  /// Whether any link of the event counts.
  func saysSomething(_ place: Int) -> Bool {
    entries[place].event.links.contains { link in
      said[link.id]?.contains { $0.place == place } ?? false
    }
  }

  func ids(_ places: some Sequence<Int>) -> [EventID] { places.map { entries[$0].event.id } }
}

extension Link.Relation {
  /// What can be said of a promise.
  static let ofPromises: Set<Link.Relation> = [
    .fulfils, .verifies, .suspends, .violates, .withdraws,
  ]
}

/// Which days can have another phase after events came or went.
struct HistoryChange {
  /// Nil where nothing changed.
  private(set) var first: Day?
  /// The last day of the last of them; nothing stands behind it.
  private(set) var last = Day.distantPast

  mutating func add(_ event: Event, isSaidOf: Bool) {
    // What links and promises bring about may lie far behind the event.
    let reachesFar =
      isSaidOf || !event.links.isEmpty || event.offer != nil || !event.commitments.isEmpty
    first = min(first ?? event.date.first, event.date.first)
    last = max(last, reachesFar ? .distantFuture : event.date.last)
  }
}
