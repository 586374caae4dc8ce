// Records that are joined and parted: one shows of each group, whatever came in which order.

import Support
import Testing
import TimelineModel

@testable import EventStore

@Suite("Records of one happening")
struct SameEventsTests {
  private static func id(_ number: Int) -> EventID { EventID(importedName: "event \(number)") }

  private static func statement(
    _ one: Int, _ other: Int, shows: Int?, at time: Int64, seq: Int
  ) -> SameEvents.Statement {
    SameEvents.Statement(
      record: SameRecord(EventPair(id(one), id(other))!, shows: shows.map(id)),
      id: EventID(importedName: "line \(seq)"), recorded: RecordedTime(microseconds: time),
      replica: VersionGraphTests.replicas[0], ref: LineRef(replica: 0, seq: UInt64(seq)))
  }

  @Test("F-13: the same lines make the same groups, in whatever order they come")
  func property() {
    for seed in UInt64(1)...300 {
      var random = SplitMix(seed: seed)
      let statements = (1...Int.random(in: 1...25, using: &random)).map { seq in
        let one = Int.random(in: 0...7, using: &random)
        let other = (one + Int.random(in: 1...7, using: &random)) % 8
        let shows = [nil, one, other, other].randomElement(using: &random)!
        // Often at one time: the id decides.
        return Self.statement(
          one, other, shows: shows, at: Int64.random(in: 1...6, using: &random), seq: seq)
      }
      let there = Set(
        (0...7).filter { _ in Int.random(in: 0...4, using: &random) > 0 }.map(Self.id))
      let expected = Self.plain(statements, there)
      for _ in 0..<4 {
        var sames = SameEvents()
        for statement in statements.shuffled(using: &random) {
          sames.add(statement)
          // Others may be there meanwhile.
          if Bool.random(using: &random) { _ = sames.regroup { _ in Bool.random(using: &random) } }
        }
        for number in 0...7 { sames.note(Self.id(number)) }
        _ = sames.regroup(isThere: there.contains)
        #expect(sames.shown == expected, "seed \(seed)")
      }
    }
  }

  /// F-13 to the letter.
  private static func plain(
    _ statements: [SameEvents.Statement], _ there: Set<EventID>
  ) -> [EventID: EventID] {
    let holding = Dictionary(grouping: statements, by: \.record.pair)
      .compactMap { $0.value.max(by: <) }.filter { $0.record.shows != nil }
    var shown: [EventID: EventID] = [:]
    for number in 0...7 {
      var group: Set<EventID> = [id(number)]
      while let new = holding.first(where: { pair in
        pair.record.pair.ids.count(where: group.contains) == 1
      }) {
        group.formUnion(new.record.pair.ids)
      }
      let lines = holding.filter { group.contains($0.record.pair.smaller) }
      let latest = lines.filter { there.contains($0.record.shows!) }.max(by: <)
      let one = latest?.record.shows ?? group.filter(there.contains).min()
      if group.count > 1, one != id(number) { shown[id(number)] = one }
    }
    return shown
  }

  private static func same(_ one: EventID, _ other: EventID, shows: EventID) -> String {
    #"{"type":"log.same","events":["\#(one)","\#(other)"],"shows":"\#(shows)"}"#
  }

  private static func apart(_ one: EventID, _ other: EventID) -> String {
    #"{"type":"log.apart","events":["\#(one)","\#(other)"]}"#
  }

  @Test("The one that shows is listed and counted, before a restart and behind it")
  func lists() throws {
    let scratch = Scratch()
    let joined = try joinedAndParted(scratch)
    // From the index that was saved.
    let (directory, timeline) = try scratch.open()
    #expect(timeline.unverified != nil)
    #expect(Set(timeline.titles) == ["a", "b", "d", "x"])
    #expect(timeline.view.count(Query()) == 1_003)
    #expect(timeline.titles(Query(knownAt: joined)) == ["a", "d"])
    withExtendedLifetime(directory) {}
  }

  /// Where the log stood while two were joined.
  private func joinedAndParted(_ scratch: Scratch) throws -> Position {
    let (directory, timeline) = try scratch.open()
    let ids = try ["a", "b", "c"].map { try timeline.record(body($0)).id }
    let link = #","links":[{"rel":"follows","id":"\#(ids[1])"}]"#
    let linking = try timeline.record(body("d", date: "2018-01-01", more: link)).id
    let before = timeline.position
    try timeline.record(Self.same(ids[0], ids[1], shows: ids[0]))
    #expect(Set(timeline.titles) == ["a", "c", "d"])
    #expect(timeline.view.count(Query()) == 3)
    #expect(timeline.view.linked(ids[1])?.id == ids[0])
    #expect(timeline.view.records(ofSameAs: ids[1]).count == 2)
    guard case .shown(let shown) = timeline.view.find(linking) else {
      Issue.record("it shows")
      return before
    }
    let event = timeline.view.event(shown)?.leading(to: timeline.view.shownIDs())
    #expect(event?.links.map(\.id) == [ids[0]])
    // A chain is one group, of which the line recorded last says which shows.
    try timeline.record(Self.same(ids[1], ids[2], shows: ids[2]))
    #expect(timeline.titles == ["c", "d"])
    #expect(Set(timeline.titles(Query(knownAt: before))) == ["a", "b", "c", "d"])
    // The one that shows is retracted: another does.
    try timeline.record(
      #"{"type":"log.retract","retracts":"\#(ids[2])","supersedes":["\#(ids[2])"],"reason":"r"}"#)
    #expect(timeline.titles == ["a", "d"])
    let joined = timeline.position
    try timeline.record(Self.apart(ids[0], ids[1]))
    #expect(Set(timeline.titles) == ["a", "b", "d"])
    #expect(timeline.view.apart() == [EventPair(ids[0], ids[1])!])
    #expect(timeline.titles(Query(knownAt: joined)) == ["a", "d"])
    // So many that the index is worth saving.
    for _ in 0..<1_000 { try timeline.record(body("x", date: "2030-01-01")) }
    try #require(timeline.indexToSave(isQuiet: true)).write()
    withExtendedLifetime(directory) {}
    return joined
  }

  @Test("Who joins what is not here, or is no event, is told so")
  func refused() throws {
    let (directory, timeline) = try Scratch().open()
    let id = try timeline.record(body("a")).id
    let actor = try timeline.record(#"{"type":"log.actor","code":"X-1","name":"Ours"}"#).id
    let absent = EventID(importedName: "absent")
    for other in [actor, absent, id] {
      #expect(throws: AppendError.self) {
        try timeline.record(Self.same(id, other, shows: id))
      }
    }
    #expect(throws: AppendError.self) {
      try timeline.record(
        #"{"type":"log.same","events":["\#(id)","\#(actor)"],"shows":"\#(absent)"}"#)
    }
    withExtendedLifetime(directory) {}
  }

  @Test("Machines with the same lines agree, whichever log came first")
  func machines() throws {
    let machines = try (0..<2).map { _ in try Scratch().open() }
    let timelines = machines.map(\.1)
    let ids = try ["a", "b", "c"].map { try timelines[0].record(body($0)).id }
    try timelines[1].take(timelines[0].lines(of: timelines[0].replica), of: timelines[0].replica)
    try timelines[1].record(Self.apart(ids[0], ids[1]), at: 2_500_000)
    try timelines[0].record(Self.same(ids[0], ids[1], shows: ids[0]), at: 3_000_000)
    try timelines[1].record(Self.same(ids[1], ids[2], shows: ids[1]), at: 4_000_000)
    let logs = timelines.map { ($0.replica, $0.lines(of: $0.replica)) }
    for order in [logs, logs.reversed()] {
      let (directory, timeline) = try Scratch().open()
      for (replica, lines) in order { try timeline.take(lines, of: replica) }
      #expect(timeline.titles == ["b"])
      withExtendedLifetime(directory) {}
    }
    withExtendedLifetime(machines) {}
  }
}
