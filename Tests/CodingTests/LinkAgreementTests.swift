// What is recorded by the rules of LinkFault and LinkWalk, no figure leaves out. A failure prints its seed:
// `LINK_SEED=N` repeats it.

import Coding
import Engagement
import Foundation
import Support
import Testing
import TimelineModel

@Suite("E-1.6: what is recorded here counts")
struct LinkAgreementTests {
  @Test("Links that were accepted, in whatever order their events came, are left out of no figure")
  func agreement() throws {
    let stated = ProcessInfo.processInfo.environment["LINK_SEED"].flatMap { UInt64($0) }
    let seed = stated ?? UInt64.random(in: 0..<1 << 32)
    print("link agreement: LINK_SEED=\(seed)")
    var chance = SplitMix(seed: seed)
    let parties = ["PRK", "USA"].map { ActorCode($0)! }
    var accepted = 0
    for run in 0..<200 {
      var events: [EventID: Event] = [:]
      var walk = LinkWalk()
      func linked(_ event: Event) -> LinkedEvent {
        LinkedEvent(
          id: event.id, first: event.date.first, date: event.date.text, title: event.title,
          actors: event.actors, targets: event.targets, isAgreement: event.type == .agreement,
          isMessage: event.type == .message || event.offer != nil,
          commitments: event.commitments.map { .init(key: $0.key, by: $0.by, to: $0.to) },
          links: event.links)
      }
      for number in (0..<12).shuffled(using: &chance) {
        let isDeal = Int.random(in: 0..<4, using: &chance) == 0
        let links = (0..<Int.random(in: 0..<3, using: &chance)).map { _ in
          Link(
            relation: Link.Relation.allCases.randomElement(using: &chance)!,
            id: id("\(run) \(Int.random(in: 0..<12, using: &chance))"),
            key: ["a", "b", nil].randomElement(using: &chance)!)
        }
        let event = Event(
          id: id("\(run) \(number)"), type: isDeal ? .agreement : .message,
          date: try EventDate("2001-01-0\(Int.random(in: 1..<5, using: &chance))"),
          actors: [parties[number % 2]],
          targets: Bool.random(using: &chance) ? [parties[1 - number % 2]] : [], title: "\(number)",
          commitments: isDeal
            ? [Commitment(key: "a", by: [parties[0]], to: [parties[1]], what: "w")] : [],
          links: links)
        let own = linked(event)
        // Nobody checks a link to what is not here: of those that named it first, none may be wrong.
        let isWrong = links.contains { link in
          link.id == event.id
            || events[link.id].map { LinkFault.of(link, from: own, to: linked($0)) != nil } ?? false
        }
        let namedWrongly = events.values.contains { other in
          other.links.contains {
            $0.id == event.id && LinkFault.of($0, from: linked(other), to: own) != nil
          }
        }
        let isCircle =
          walk.circle(of: event.id, isNew: true, links) { events[$0]?.links.map(\.id) } != nil
        if isCircle { walk = LinkWalk() }
        guard !isWrong, !namedWrongly, !isCircle else { continue }
        events[event.id] = event
        accepted += links.count
      }
      var history = DyadHistory(Dyad(parties[0], parties[1])!)
      history.insert(events.values)
      let state = history.state(on: Day("2002-01-01")!)
      let leftOut = state.leftOut.filter { link in
        !(link.relation.mayLeadForward && link.reason == .later)
      }
      #expect(leftOut.isEmpty, "seed \(seed), run \(run)")
    }
    #expect(accepted > 200)
  }
}
