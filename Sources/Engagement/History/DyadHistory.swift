// The events between two parties: a value that takes them in any order and answers any day. All rules
// stand here and in the files next to it, numbered as in docs/reference/engagement.md; none reads the order of
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
  /// In order (E-0.3). An index is an offset in it.
  private(set) var entries: [PlacedEvent] = []
  /// The first day of each of them.
  private var days: [Day] = []
  private var candidates = TestimonyCandidates()
  private(set) var links = ResolvedLinks()
  private(set) var kinds = KindIndices()
  private(set) var sums = WeightSums()
  /// For each index of `kinds.contacts`.
  private(set) var silences: [Silence] = []
  private(set) var messageSpans = MessageSpans()
  private(set) var promiseSpans = PromiseSpans()
  /// Rising; no two neighbours in the same phase.
  private(set) var phases: [PhaseRun] = []
  /// Every 64 days.
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
        change.add(entry, isSaidOf: isSaidOf(entry))
      }
      entries.removeAll { old.contains($0.event.id) }
      candidates.remove(old)
    }
    var added: [PlacedEvent] = []
    for event in new {
      if isBetween(event.type, actors: event.actors, targets: event.targets) {
        added.append(PlacedEvent(event, dyad, weight: rules.weights.weight(of: event)))
      } else if TestimonyCandidates.mayTestify(event), isByOrTo(event.actors, event.targets) {
        candidates.add(event)
      }
    }
    for entry in added { change.add(entry, isSaidOf: false) }
    insertInOrder(added)
    insertTestimony(&change)
    days = entries.map(\.first)
    links = ResolvedLinks(entries, dyad)
    // What had been waited for may be there now.
    for entry in added where isSaidOf(entry) { change.add(entry, isSaidOf: true) }
    kinds = KindIndices(entries)
    sums = WeightSums(entries)
    silences = allSilences()
    messageSpans = MessageSpans(self)
    promiseSpans = PromiseSpans(self)
    climates = allClimates()
    phases = allPhases(keeping: phases, change)
  }

  private mutating func insertInOrder(_ added: [PlacedEvent]) {
    guard added.count > 16 else {
      for entry in added {
        let index = lowerBound(entries.count) { PlacedEvent.isBefore(entries[$0], entry) }
        entries.insert(entry, at: index)
      }
      return
    }
    entries = (entries + added).sorted(by: PlacedEvent.isBefore)
  }

  /// E-1.4: puts in the events with others that speak of a promise between the two.
  private mutating func insertTestimony(_ change: inout HistoryChange) {
    let before = Dictionary(
      uniqueKeysWithValues: entries.lazy.compactMap { entry in
        entry.testimony.map { (entry.event.id, $0) }
      })
    guard !candidates.isEmpty || !before.isEmpty else { return }
    var now: [EventID: PlacedEvent.Testimony] = [:]
    var added: [PlacedEvent] = []
    for (event, testimony) in candidates.testimony(beside: entries, dyad) {
      now[event.id] = testimony
      if before[event.id] != testimony {
        added.append(PlacedEvent(event, dyad, weight: 0, testimony: testimony))
      }
    }
    for entry in entries where entry.isTestimony && now[entry.event.id] != entry.testimony {
      change.add(entry, isSaidOf: true)
    }
    entries.removeAll { $0.isTestimony && now[$0.event.id] != $0.testimony }
    for entry in added { change.add(entry, isSaidOf: true) }
    insertInOrder(added)
  }

  private func isSaidOf(_ entry: PlacedEvent) -> Bool { !links[entry.event.id].isEmpty }

  /// Whether one of the two takes part: only such an event can be testimony, and only with links.
  public func isByOrTo(_ actors: [ActorCode], _ targets: [ActorCode]) -> Bool {
    [dyad.first, dyad.second].contains { actors.contains($0) || targets.contains($0) }
  }

  /// E-1.1 to E-1.3, by what an index knows of an event.
  public func isBetween(_ type: EventType, actors: [ActorCode], targets: [ActorCode]) -> Bool {
    dyad.holds(type, actors: actors, targets: targets, exerciseTargets: exerciseTargets)
  }

  // MARK: What the rules have in common

  var windows: Windows { rules.windows }

  /// The first day of the event of an index.
  func first(_ index: Int) -> Day { days[index] }

  /// The indices of the events that began on the day or before.
  func upTo(_ day: Day) -> Range<Int> { 0..<firstIndex(after: day) }

  /// E-0.4: the indices of the events that began in the `length` days that end with this one.
  func over(_ length: Int, to day: Day) -> Range<Int> {
    firstIndex(after: day.advanced(by: -length))..<firstIndex(after: day)
  }

  /// The indices of the events that began on one of these days; an open start is none of them.
  func from(_ first: Day, to day: Day) -> Range<Int> {
    let start = first == .distantPast ? first : first.advanced(by: -1)
    let lower = firstIndex(after: start)
    return lower..<max(lower, firstIndex(after: day))
  }

  private func firstIndex(after day: Day) -> Int {
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

  func ids(_ indices: some Sequence<Int>) -> [EventID] { indices.map { entries[$0].event.id } }
}
