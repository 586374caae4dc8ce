// E-8.2, 5: contact of late; without any, an open offer.

import TimelineModel

struct ProbingRule: PhaseRule {
  let phase = Phase.probing
  private let contactDays: Int
  private let offerDays: Int

  init(_ windows: Windows) {
    contactDays = windows[.contactDays]
    offerDays = windows[.offerDays]
  }

  func grounds(in history: DyadHistory, on day: Day) -> ArraySlice<Int>? {
    let (kinds, entries) = (history.kinds, history.entries)
    let lasting = kinds.longContacts[history.upTo(day)].filter { index in
      let last = entries[index].last
      return last >= day || day - last <= contactDays
    }
    let contacts = kinds.contacts[history.over(contactDays + 1, to: day)]
    if !contacts.isEmpty || !lasting.isEmpty { return Set(lasting + contacts).sorted()[...] }
    let offsets = kinds.messages.offsets(history.over(offerDays + 1, to: day))
    let offers = offsets.filter { offset in
      history.messageSpans.closings[offset] > day
        && entries[kinds.messages.all[offset]].event.offer != nil
    }.map { kinds.messages.all[$0] }
    return offers.isEmpty ? nil : offers[...]
  }

  func addTransitions(in history: DyadHistory, to transitions: inout TransitionDays) {
    for index in history.kinds.contacts.all {
      let entry = history.entries[index]
      transitions.add(entry.first)
      transitions.add(entry.last.advanced(by: contactDays + 1))
    }
    for (index, closing) in zip(history.kinds.messages.all, history.messageSpans.closings)
    where history.entries[index].event.offer != nil {
      transitions.add(history.first(index))
      transitions.add(history.first(index).advanced(by: offerDays + 1))
      // An offer lapses by its own date.
      transitions.add(closing)
    }
  }

  func reach(of change: HistoryChange, in history: DyadHistory) -> Day {
    change.last.advanced(by: max(contactDays, offerDays))
  }

  func reason(_ index: Int, in history: DyadHistory, on day: Day) -> String {
    history.entries[index].kinds.contains(.contact)
      ? "a contact at most \(contactDays) days ago" : "an open offer at most \(offerDays) days old"
  }
}
