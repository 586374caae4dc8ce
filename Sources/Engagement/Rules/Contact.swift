// E-3: direct contact, and its absence.

import TimelineModel

/// E-3.3 to E-3.6.
public struct ContactState: Sendable, Hashable {
  /// The last contact by a party.
  public struct Last: Sendable, Hashable {
    public var party: ActorCode
    public var event: EventBrief
  }

  /// The longest time without contact: from the last day of one to the first of the next, or to the day.
  public struct Silence: Sendable, Hashable {
    public var from: Day
    public var to: Day

    public var days: Int { to - from }
  }

  /// Of the first party, then of the second, if there is one.
  public var last: [Last]
  /// Days since any contact; nil where there was none.
  public var neglect: Int?
  public var longestSilence: Silence?
  /// Since when nobody has spoken, where that is as long as an answer may take.
  public var silentSince: Day?
}

/// The longest time without contact up to a contact.
struct Silence: Sendable {
  /// The last day of the contacts so far.
  var covered: Day
  var longest: ContactState.Silence?
}

extension DyadHistory {
  func contact(on day: Day) -> ContactState {
    ContactState(
      last: lastContacts(day).map { party, entry in
        ContactState.Last(party: party, event: EventBrief(entry.event, on: day))
      },
      neglect: neglect(on: day), longestSilence: longestSilence(on: day),
      silentSince: silentSince(on: day))
  }

  /// For each contact, in order: the longest silence up to it.
  func allSilences() -> [Silence] {
    var all: [Silence] = []
    for index in kinds.contacts.all {
      let entry = entries[index]
      guard let before = all.last else {
        all.append(Silence(covered: entry.last))
        continue
      }
      var silence = before
      silence.covered = max(before.covered, entry.last)
      silence.note(from: before.covered, to: entry.first)
      all.append(silence)
    }
    return all
  }

  /// The days since any contact; nil where there was none.
  func neglect(on day: Day) -> Int? {
    silence(on: day).map { max(0, day - min($0.covered, day)) }
  }

  /// E-3.6: since when there has been no contact, where that is as long as an answer may take.
  func silentSince(on day: Day) -> Day? {
    guard let silence = silence(on: day) else { return nil }
    let since = min(silence.covered, day)
    return day - since >= windows[.answerDays] ? since : nil
  }

  private func silence(on day: Day) -> Silence? {
    let count = kinds.contacts.offsets(upTo(day)).upperBound
    return count == 0 ? nil : silences[count - 1]
  }

  func longestSilence(on day: Day) -> ContactState.Silence? {
    guard var silence = silence(on: day) else { return nil }
    silence.note(from: silence.covered, to: day)
    return silence.longest
  }

  /// The last contact by each side, if there is one: by its last day, up to this one.
  func lastContacts(_ day: Day) -> [(ActorCode, PlacedEvent)] {
    let past = upTo(day)
    return dyad.parties.compactMap { party in
      // Of those that begin and end on a day the one that began last.
      let candidates =
        kinds.longContacts[past].filter { isBy(party, entries[$0]) }
        + [kinds.contacts[past].last { isBy(party, entries[$0]) }].compactMap { $0 }
      return candidates.max { left, right in
        (min(entries[left].last, day), left) < (min(entries[right].last, day), right)
      }.map { (party, entries[$0]) }
    }
  }
}

extension Silence {
  fileprivate mutating func note(from: Day, to: Day) {
    guard to > from, to - from > longest?.days ?? 0 else { return }
    longest = ContactState.Silence(from: from, to: to)
  }
}
