// The part of `Lint` that needs the other events: links that say nothing, offers that nobody answered,
// promises that nobody spoke of.

import TimelineModel

struct LintLinks {
  private struct Said {
    /// Index of the event that says it.
    var index: Int
    var link: Link
  }

  private let events: [LintedEvent]
  private let indices: [EventID: Int]
  private let find: (EventID) -> Lint.Target
  /// What links that count say of an event, by the event's index.
  private var said: [Int: [Said]] = [:]

  init(_ events: [LintedEvent], _ find: @escaping (EventID) -> Lint.Target) {
    self.events = events
    self.find = find
    indices = Dictionary(events.enumerated().map { ($1.id, $0) }) { first, _ in first }
  }

  mutating func look(_ lint: inout Lint) {
    for index in events.indices {
      for link in events[index].details!.linked.links { look(at: link, of: index, &lint) }
    }
    circles(&lint)
    for index in events.indices {
      offer(index, &lint)
      promises(index, &lint)
    }
  }

  // MARK: Links

  private mutating func look(at link: Link, of index: Int, _ lint: inout Lint) {
    let event = events[index]
    let own = event.details!.linked
    let target: LinkedEvent
    let says = "\(link.relation.rawValue) \(link.id.short)"
    func missing(_ why: String, _ lint: inout Lint) {
      lint.note(event, .missingTarget, others: [link.id]) { "\(says), which \(why)" }
    }
    if let other = indices[link.id] {
      target = events[other].details!.linked
    } else {
      switch find(link.id) {
      case .event(let found): target = found
      case .retracted: return missing("was retracted", &lint)
      case .line: return missing("is a line of the log, no event", &lint)
      case .unknown: return missing("is not here", &lint)
      }
    }
    func bad(_ reason: Finding.Reason, _ text: String, _ lint: inout Lint) {
      lint.note(event, .badLink, others: [link.id], reason: reason, key: link.key) { text }
    }
    // Same day and back: neither counts (E-1.6).
    let leadsBack = target.first == own.first && target.links.contains { $0.id == event.id }
    func count() {
      guard let other = indices[link.id], !leadsBack else { return }
      said[other, default: []].append(Said(index: index, link: link))
    }
    switch LinkFault.of(link, from: own, to: target) {
    case .itself: bad(.itself, "\(link.relation.rawValue) itself", &lint)
    case .later: bad(.later, "\(says), which begins later (\(target.date))", &lint)
    case .noSuchKey:
      let keys = target.keys.prefix(5).joined(separator: ", ")
      bad(
        .noSuchKey,
        "\(says)#\(link.key ?? ""), which it does not have"
          + (keys.isEmpty ? "" : "; it has \(keys)\(target.keys.count > 5 ? ", …" : "")"), &lint)
      // The figures pass over a key where there are no commitments at all (E-1.6).
      if keys.isEmpty { count() }
    case .ownWords: bad(.ownWords, "\(says), which is its own words", &lint)
    case .notTheirs:
      bad(
        .notTheirs,
        "\(says)\(link.key.map { "#\($0)" } ?? ""), which is for \(link.speakers(of: target))"
          + " to say", &lint)
    case .circle: break
    case nil:
      if link.key == nil, [.fulfils, .verifies].contains(link.relation), !target.keys.isEmpty {
        bad(.noKey, "\(says) without saying which commitment", &lint)
      }
      count()
    }
  }

  private func circles(_ lint: inout Lint) {
    let targets = events.map { event in
      event.details!.linked.links.compactMap { indices[$0.id] }
    }
    for circle in LinkCircles.all(targets) {
      let those = circle.map { events[$0] }
      lint.note(.badLink, those, reason: .circle) {
        "links lead round and round among \(those.count) events: "
          + those.prefix(5).map(\.id.short).joined(separator: ", ") + (those.count > 5 ? ", …" : "")
      }
    }
  }

  // MARK: Offers and promises

  /// What was said of an event by the day.
  private func said(_ index: Int, by day: Day) -> [Said] {
    (said[index] ?? []).filter { events[$0.index].first <= day }
  }

  /// E-4, for an offer by any party to any other.
  private func offer(_ index: Int, _ lint: inout Lint) {
    let event = events[index]
    guard event.details!.hasOffer, event.first != .distantPast, event.first <= lint.day else {
      return
    }
    let days = lint.day - event.first
    let lapsed = event.details!.expires.map { $0.last < lint.day } ?? false
    guard days >= Lint.answerDays, !lapsed else { return }
    let isSettled = said(index, by: lint.day).contains { said in
      let other = events[said.index]
      let isOwn = other.parties.actors.contains(where: event.parties.actors.contains)
      let isTheirs =
        event.parties.targets.isEmpty
        || other.parties.actors.contains(where: event.parties.targets.contains)
      return switch said.link.relation {
      case .answers, .accepts, .declines, .counters: isTheirs
      case .withdraws: isOwn
      case .follows: isOwn && other.details!.hasOffer
      default: false
      }
    }
    guard !isSettled else { return }
    lint.note(event, .unanswered, days: days) { "open for \(days) days" }
  }

  /// E-6, for every promise of an agreement.
  private func promises(_ index: Int, _ lint: inout Lint) {
    let event = events[index]
    guard !event.details!.promises.isEmpty, event.first <= lint.day else { return }
    let said = said(index, by: lint.day).map(\.link)
    for (key, due) in event.details!.promises {
      let isSpokenOf = said.contains { link in
        switch link.relation {
        case .fulfils, .verifies: link.key == key
        case .suspends, .violates, .withdraws: link.key == nil || link.key == key
        default: false
        }
      }
      guard !isSpokenOf else { continue }
      guard let due else {
        lint.note(event, .noDue, key: key) { "\(key) has no due date, and nobody spoke of it" }
        continue
      }
      guard due.last < lint.day else { continue }
      let days = lint.day - due.last
      lint.note(event, .overdue, key: key, days: days) {
        "\(key) was due on \(due.text), \(days) days ago"
      }
    }
  }
}
