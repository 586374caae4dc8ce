// The events of one day, compared with each other: which of them are probably one. Of a crowd each event is
// compared with few others, those that share its words and came last, so that no day costs the square of
// its events.

import TimelineModel

struct Neighbours: Sendable {
  private struct Group: Sendable {
    var event: LintedEvent
    /// All of them, the event first.
    var ids: [EventID]
  }

  let day: Day?
  private var groups: [Group] = []
  /// By type and word: the groups whose first event has it, the newest last.
  private var groupsByKey: [Key: [Int]] = [:]

  private struct Key: Hashable {
    var type: EventType
    var word: UInt64
  }

  private static let comparedMax = 32

  init(_ day: Day? = nil) { self.day = day }

  var duplicates: [[EventID]] { groups.lazy.map(\.ids).filter { $0.count > 1 } }

  mutating func add(_ event: LintedEvent) {
    guard !event.accepted.contains(.duplicate) else { return }
    let keys = event.title.words.map { Key(type: event.type, word: $0) }
    var candidates: Set<Int> = []
    for key in keys { candidates.formUnion((groupsByKey[key] ?? []).suffix(Self.comparedMax)) }
    for index in candidates.sorted() where Self.isProbablyOne(event, groups[index].event) {
      groups[index].ids.append(event.id)
      return
    }
    for key in keys { groupsByKey[key, default: []].append(groups.count) }
    groups.append(Group(event: event, ids: [event.id]))
  }

  private static func isProbablyOne(_ one: LintedEvent, _ other: LintedEvent) -> Bool {
    Likeness.haveLikeParties(one.parties, other.parties) && one.title.isAlike(other.title)
  }
}

/// When two events of one day and type are probably one.
public enum Likeness {
  /// An actor in common; a target in common, or one of the two names none.
  public static func haveLikeParties(_ one: Parties, _ other: Parties) -> Bool {
    one.actors.contains(where: other.actors.contains)
      && (one.targets.isEmpty || other.targets.isEmpty
        || one.targets.contains(where: other.targets.contains))
  }

  /// Of two events of a day and type: what a person who adds one is asked about. That is what lint would
  /// tell of, and, whatever their titles say, one by the same actors of a subtype that both state.
  public static func mayBeOne(_ one: Draft, _ other: Draft) -> Bool {
    guard one.type == other.type, one.date.first == other.date.first else { return false }
    let (title, its) = (TitleWords(one.title), TitleWords(other.title))
    guard haveLikeParties(one.parties, other.parties) else { return false }
    return title.isAlike(its)
      || one.subtype != nil && one.subtype == other.subtype && Set(one.actors) == Set(other.actors)
        && !title.speaksOfAnotherNumber(than: its)
  }
}
