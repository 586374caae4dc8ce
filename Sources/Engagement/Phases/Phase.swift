// E-8: the phase of a dyad: the first of seven that holds. Each rule stands in a file of its own.

import TimelineModel

public enum Phase: String, Sendable, CaseIterable {
  case crisis, negotiating, implementing, confrontation, probing, stalled, estranged

  /// What `stalled` remembers.
  var isActive: Bool { self == .negotiating || self == .implementing }
}

/// E-8.4: a phase with the events that it rests on.
public struct PhaseState: Sendable, Hashable {
  public var phase: Phase
  /// The first day of the unbroken run of days in this phase.
  public var since: Day
  /// The phase of the day before; nil in the first run.
  public var before: Phase?
  /// What happened on that first day and brought it about; nothing where only time passed.
  public var moved: [EventID]
  public var events: [EventID]
}

extension DyadHistory {
  /// The phase on a day.
  func phase(on day: Day) -> PhaseState {
    guard let run = run(on: day) else {
      return PhaseState(phase: .estranged, since: day, moved: [], events: [])
    }
    let (phase, since) = (phases[run].phase, phases[run].since)
    // A stalled phase rests on no event: on what does not come.
    func grounds(_ day: Day) -> ArraySlice<Int> {
      let found = classify(day)
      return found.phase == phase ? found.grounds : []
    }
    let then = Set(grounds(since))
    let moved = from(since, to: since).filter {
      then.contains($0) || entries[$0].kinds.contains(.breaking) || saysSomething($0)
    }
    return PhaseState(
      phase: phase, since: since, before: run > 0 ? phases[run - 1].phase : nil,
      moved: ids(moved), events: ids(grounds(day)))
  }

  /// The phase alone.
  func phaseName(on day: Day) -> Phase { run(on: day).map { phases[$0].phase } ?? .estranged }

  private func run(on day: Day) -> Int? {
    let run = lowerBound(phases.count) { phases[$0].since <= day } - 1
    return run < 0 ? nil : run
  }
}
