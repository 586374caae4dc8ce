// The histories of the dyads that were asked for, kept between questions: the next one reads only the
// lines that came since, and none where nothing did.

import Engagement
import EventStore
import TimelineModel

/// The history of a dyad with all events up to a position.
struct KeptHistory: Sendable {
  private(set) var history: DyadHistory
  private(set) var position: Position
  /// The events that showed in the place of others when it was made: its links lead to those.
  private let shown: [EventID: EventID]
  /// A line that would have had to be read, and is damaged.
  private(set) var damaged: DamagedLine?

  /// Beyond this many new lines it is quicker to begin anew.
  private static let newLinesMax = 10_000

  /// All events of a read view, or those that were known at a position.
  init(_ dyad: Dyad, in view: ReadView, knownAt: Position? = nil) {
    var history = DyadHistory(
      dyad, rules: Rules(view.rules(knownAt: knownAt)),
      exerciseTargets: view.registry(knownAt: knownAt).exerciseTargets)
    let shownIDs = view.shownIDs(knownAt: knownAt)
    var events: [EventID: Event] = [:]
    var damaged: DamagedLine?
    // What is not between the two can only be testimony, and only with links: few lines have those.
    var isBetween = true
    func mayCount(_ type: EventType, _ actors: [ActorCode], _ targets: [ActorCode]) -> Bool {
      isBetween = history.isBetween(type, actors: actors, targets: targets)
      return isBetween || history.isByOrTo(actors, targets)
    }
    // One after the other: there is a list of the events of each, and none of those of either.
    for party in [dyad.first, dyad.second] {
      var filter = Filter()
      filter.parties = [party]
      let unread = view.visit(Query(filter, knownAt: knownAt), where: mayCount) { shown in
        if isBetween || view.mayHaveLinks(shown), events[shown.id] == nil {
          if let event = view.event(shown) {
            events[shown.id] = event.leading(to: shownIDs)
          } else {
            damaged = damaged ?? view.damaged(shown)
          }
        }
        // Of an event with versions nothing may be asked before.
        isBetween = true
        return true
      }
      damaged = damaged ?? unread
    }
    history.insert(events.values)
    self.history = history
    self.damaged = damaged
    position = view.position
    self.shown = shownIDs
  }

  /// Whether the tables, the actors and what was joined are those that it was made by: they decide which events
  /// count, and how much.
  private func rests(on view: ReadView) -> Bool {
    history.rules.tables == view.rules(knownAt: nil)
      && history.exerciseTargets == view.registry.exerciseTargets
      && shown == view.shownIDs()
  }

  /// The same with what has come since.
  func brought(upTo view: ReadView) -> KeptHistory {
    guard rests(on: view),
      let changed = view.subjects(after: position, max: Self.newLinesMax)
    else {
      return KeptHistory(history.dyad, in: view)
    }
    var result = self
    result.position = view.position
    let events = changed.compactMap { id in
      guard shown[id] == nil, case .shown(let event) = view.find(id) else { return Event?.none }
      return view.event(event)?.leading(to: shown)
    }
    result.history.replace(changed, with: events)
    return result
  }
}

/// It belongs to the engine's thread.
final class States {
  private static let keptMax = 64

  /// Lines that the last VERIFY found damaged.
  var damagedLines = 0

  /// The one used last comes last.
  private var kept: [KeptHistory] = []

  /// What is kept of some dyads.
  subscript(dyads: [Dyad]) -> [Dyad: KeptHistory] {
    Dictionary(
      kept.lazy.filter { dyads.contains($0.history.dyad) }.map { ($0.history.dyad, $0) }
    ) { $1 }
  }

  /// How often all was forgotten.
  private(set) var era = 0

  /// Nothing that was kept is believed any more, nor what is being made of what was read before.
  func forget() {
    kept = []
    era += 1
  }

  /// Keeps what was made of a read view of that era, unless all was forgotten since.
  func keep(_ histories: [KeptHistory], of era: Int) {
    guard era == self.era else { return }
    for history in histories {
      kept.removeAll { $0.history.dyad == history.history.dyad }
      kept.append(history)
    }
    kept.removeFirst(max(0, kept.count - Self.keptMax))
  }
}
