// E-8: the phase of a dyad: the first of seven that holds.

import TimelineModel

public enum Phase: String, Sendable, CaseIterable {
  case crisis, negotiating, implementing, confrontation, probing, stalled, estranged
}

/// An unbroken run of days in one phase: until the next one begins.
struct PhaseRun: Sendable, Equatable {
  var phase: Phase
  var since: Day
}

/// A sum of weights that a phase is found by; it is met where it is the threshold or below.
struct PhaseSum: Sendable {
  /// A party; nil for all events.
  var party: ActorCode?
  /// In thousandths, as all weights.
  var value: Int
  var threshold: Int
}

/// A phase with the events that it rests on.
public struct PhaseState: Sendable {
  public var phase: Phase
  /// The first day of the unbroken run of days in this phase.
  public var since: Day
  /// The phase of the day before; nil in the first run.
  public var before: Phase?
  /// What happened on that first day and brought it about; nothing where only time passed.
  public var moved: [EventID]
  public var causes: [EventID]
}

extension DyadHistory {
  /// The phase on a day.
  func phase(on day: Day) -> PhaseState {
    guard let run = run(on: day) else {
      return PhaseState(phase: .estranged, since: day, moved: [], causes: [])
    }
    let (phase, since) = (phases[run].phase, phases[run].since)
    // A stalled phase rests on no event: on what does not come.
    func causes(_ day: Day) -> ArraySlice<Int> {
      let judged = judge(day)
      return judged.phase == phase ? judged.causes : []
    }
    let then = Set(causes(since))
    let moved = from(since, to: since).filter {
      then.contains($0) || entries[$0].kinds.contains(.breaking) || saysSomething($0)
    }
    return PhaseState(
      phase: phase, since: since, before: run > 0 ? phases[run - 1].phase : nil,
      moved: ids(moved), causes: ids(causes(day)))
  }

  /// The phase alone.
  func phaseName(on day: Day) -> Phase { run(on: day).map { phases[$0].phase } ?? .estranged }

  private func run(on day: Day) -> Int? {
    let run = lowerBound(phases.count) { phases[$0].since <= day } - 1
    return run < 0 ? nil : run
  }

  /// The runs of phases, found day by day from the dyad's first event, since `stalled` remembers. No
  /// rule looks ahead, so the run of a day is the same whatever came after it: of the runs that were
  /// found before, those of days that a change cannot reach are kept.
  func allPhases(keeping old: [PhaseRun], _ change: HistoryChange) -> [PhaseRun] {
    guard let first = firstDay else { return [] }
    guard let changed = change.first else { return old }
    var runs: [PhaseRun] = []
    var day = first
    var lastActive: Day?
    // Days before the change are as they were, where the dyad began when it did.
    if old.first?.since == first, changed > first {
      runs = Array(old.prefix { $0.since < changed })
      lastActive = Self.lastActive(in: runs, before: changed)
      day = changed
    }
    // From here on they are again.
    let settled =
      change.last == .distantFuture || old.first?.since != first
      ? nil : change.last.advanced(by: windows.echoDays)
    let turns = turns(from: day, through: settled)
    var turn = 0
    while true {
      var phase = judge(day).phase
      if phase == .estranged, let lastActive, day - lastActive <= windows.stalledDays {
        phase = .stalled
      }
      if phase != runs.last?.phase { runs.append(PhaseRun(phase: phase, since: day)) }
      if let settled, day >= settled { return runs + old.drop { $0.since <= day } }
      while turn < turns.count, turns[turn] <= day { turn += 1 }
      var next = turn < turns.count ? turns[turn] : nil
      if phase == .stalled, let end = lastActive?.advanced(by: windows.stalledDays + 1) {
        next = min(next ?? end, end)
      }
      guard let next else { return runs }
      if phase == .negotiating || phase == .implementing { lastActive = next.advanced(by: -1) }
      day = next
    }
  }

  private static func lastActive(in runs: [PhaseRun], before day: Day) -> Day? {
    guard
      let last = runs.lastIndex(where: { $0.phase == .negotiating || $0.phase == .implementing })
    else { return nil }
    return (last + 1 < runs.count ? runs[last + 1].since : day).advanced(by: -1)
  }

  /// The days on which a phase can change, rising: an event begins, is over, or leaves a window. On
  /// the days between, nothing that a rule asks is different. Within a stretch, where one is given.
  private func turns(from start: Day, through end: Day?) -> [Day] {
    let lengths = Set([
      0, windows.crisisDays, windows.crisisDays + 1, windows.stepDays + 1,
      windows.confrontationDays, windows.contactDays + 1, windows.offerDays + 1,
    ])
    let echoes = [1, windows.talksDays + 1, windows.contactDays + 1]
    var turns: [Day] = []
    func add(_ day: Day) {
      if day > start, day != .distantFuture, end.map({ day <= $0 }) ?? true { turns.append(day) }
    }
    for entry in entries {
      if let end, entry.first > end { break }
      if entry.first != .distantPast, entry.first.advanced(by: windows.echoDays) >= start {
        for length in lengths { add(entry.first.advanced(by: length)) }
      }
      if entry.kinds.contains(.contact), entry.last.advanced(by: windows.echoDays) >= start {
        for echo in echoes { add(entry.last.advanced(by: echo)) }
      }
    }
    // An offer lapses by its own date.
    for closing in closings { add(closing) }
    if let end { turns.append(end) }
    turns.sort()
    return turns
  }

  /// The phase by the events alone, with the places of those that it rests on; `estranged` where none
  /// of the others holds.
  private func judge(_ day: Day) -> (phase: Phase, causes: ArraySlice<Int>) {
    if let causes = crisis(day) { return (.crisis, causes) }
    if let causes = negotiating(day) { return (.negotiating, causes) }
    if let causes = implementing(day) { return (.implementing, causes) }
    if let causes = confrontation(day) { return (.confrontation, causes) }
    if let causes = probing(day) { return (.probing, causes) }
    return (.estranged, [])
  }

  private func crisis(_ day: Day) -> ArraySlice<Int>? {
    let shocks = kinds.shocks[over(windows.crisisDays + 1, to: day)]
    if !shocks.isEmpty { return shocks }
    let window = over(windows.crisisDays, to: day)
    return sums.over(window).all.taken >= windows.crisisWeight ? kinds.negative[window] : nil
  }

  /// The sums by which the phase of a day holds, and the events with weights above 0 that it holds
  /// against; none where it rests on no sum.
  func sums(of phase: Phase, on day: Day) -> (sums: [PhaseSum], against: ArraySlice<Int>) {
    switch phase {
    case .crisis:
      guard kinds.shocks[over(windows.crisisDays + 1, to: day)].isEmpty else { return ([], []) }
      let taken = sums.over(over(windows.crisisDays, to: day)).all.taken
      return ([PhaseSum(value: -taken, threshold: -windows.crisisWeight)], [])
    case .confrontation:
      let window = over(windows.confrontationDays, to: day)
      let (all, first, second) = sums.over(window)
      let least = -windows.confrontationWeight
      return (
        [
          PhaseSum(party: dyad.first, value: -first.taken, threshold: least),
          PhaseSum(party: dyad.second, value: -second.taken, threshold: least),
          PhaseSum(value: -all.taken, threshold: -3 * all.given),
        ], kinds.positive[window]
      )
    default: return ([], [])
    }
  }

  private func negotiating(_ day: Day) -> ArraySlice<Int>? {
    // Those that were long, and of the others those that can have ended so lately.
    let recent = kinds.talks[over(KindPlaces.talksDaysMax + windows.talksDays + 1, to: day)]
    if recent.isEmpty, kinds.longTalks.all.isEmpty { return nil }
    let going = (kinds.longTalks[upTo(day)] + recent).filter { place in
      let entry = entries[place]
      guard entry.last >= day || day - entry.last <= windows.talksDays else { return false }
      let since = entry.last >= day ? entry.first : entry.last
      return kinds.breaks[from(since, to: day)].isEmpty
    }
    return going.isEmpty ? nil : Set(going).sorted()[...]
  }

  private func implementing(_ day: Day) -> ArraySlice<Int>? {
    let steps = kinds.steps.offsets(over(windows.stepDays + 1, to: day))
      .filter { stepEnds[$0] > day }.map { kinds.steps.all[$0] }
    guard let last = steps.last, kinds.breaks[from(entries[last].first, to: day)].isEmpty
    else { return nil }
    return steps[...]
  }

  private func confrontation(_ day: Day) -> ArraySlice<Int>? {
    let window = over(windows.confrontationDays, to: day)
    let (all, first, second) = sums.over(window)
    let least = windows.confrontationWeight
    guard first.taken >= least, second.taken >= least, all.taken >= 3 * all.given else {
      return nil
    }
    return kinds.negative[window]
  }

  private func probing(_ day: Day) -> ArraySlice<Int>? {
    let lasting = kinds.longContacts[upTo(day)].filter { place in
      let last = entries[place].last
      return last >= day || day - last <= windows.contactDays
    }
    let contacts = kinds.contacts[over(windows.contactDays + 1, to: day)]
    if !contacts.isEmpty || !lasting.isEmpty { return Set(lasting + contacts).sorted()[...] }
    let offsets = kinds.messages.offsets(over(windows.offerDays + 1, to: day))
    let offers = offsets.filter { offset in
      closings[offset] > day && entries[kinds.messages.all[offset]].event.offer != nil
    }.map { kinds.messages.all[$0] }
    return offers.isEmpty ? nil : offers[...]
  }
}
