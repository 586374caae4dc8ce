// E-13: the four criteria of genuine engagement, each with the events for and against.

import TimelineModel

public enum CriterionName: String, Sendable, CaseIterable {
  case conducive
  case jointAction = "joint_action"
  case rewards, respect
}

/// E-13: a criterion of genuine engagement, after M. Gurtov, "Engaging North Korea".
public struct CriterionState: Sendable, Hashable {
  public enum Verdict: String, Sendable {
    case met, partly
    case notMet = "not met"
    case noEvidence = "no evidence"
  }

  /// The events for it, or against it.
  public struct Side: Sendable, Hashable {
    public var count: Int
    /// The last five, in order.
    public var latest: [EventID]
  }

  static let latestMax = 5

  public var name: CriterionName
  public var verdict: Verdict
  public var supporting: Side
  public var opposing: Side
}

/// A criterion with the events that it rests on.
struct Criterion {
  var name: CriterionName
  var verdict: CriterionState.Verdict
  /// Indices in a history, rising.
  var supporting: [Int]
  var opposing: [Int]
  var gifts: Gifts?

  /// Of rewards: the events that gave something, how much each side did, and what all blows of these
  /// days weigh, in thousandths.
  struct Gifts {
    var indices: [Int]
    var first: Int
    var second: Int
    var taken: Int

    /// From so much on what was given counts for nothing.
    var drowned: Int { 3 * (first + second) }
    var areDrowned: Bool { taken >= drowned }
  }
}

extension DyadHistory {
  func criteria(on day: Day) -> [Criterion] {
    let window = over(windows[.criteriaDays], to: day)
    let messages = kinds.messages[window].compactMap { index in
      message(entries[index], on: day).map { (index: index, message: $0) }
    }
    return [
      conducive(window), jointAction(window), rewards(window, messages), respect(window, messages),
    ]
  }

  private func conducive(_ window: Range<Int>) -> Criterion {
    let easing = kinds.easing[window]
    let straining = kinds.straining[window]
    let bothGive =
      easing.contains { entries[$0].isByFirst } && easing.contains { entries[$0].isBySecond }
    let verdict: CriterionState.Verdict =
      if easing.isEmpty && straining.isEmpty {
        .noEvidence
      } else if bothGive && easing.count >= 2 * straining.count {
        .met
      } else if !easing.isEmpty && 2 * easing.count >= straining.count {
        .partly
      } else {
        .notMet
      }
    return Criterion(
      name: .conducive, verdict: verdict, supporting: Array(easing), opposing: Array(straining))
  }

  private func jointAction(_ window: Range<Int>) -> Criterion {
    let meetings = kinds.meetings[window]
    let sharing = kinds.sharing[window]
    let verdict: CriterionState.Verdict =
      if !meetings.isEmpty && !sharing.isEmpty {
        .met
      } else if !meetings.isEmpty || !sharing.isEmpty {
        .partly
      } else {
        window.isEmpty ? .noEvidence : .notMet
      }
    return Criterion(
      name: .jointAction, verdict: verdict, supporting: (meetings + sharing).sorted(),
      opposing: Array(kinds.breaks[window]))
  }

  private func rewards(
    _ window: Range<Int>, _ messages: [(index: Int, message: ResolvedMessage)]
  ) -> Criterion {
    let offers = messages.filter { $0.message.event.offer != nil }
    let open = offers.filter(\.message.isOpen).map(\.index)
    let refused = offers.filter {
      [.declined, .withdrawn, .expired].contains($0.message.outcome)
    }.map(\.index)
    let given = kinds.positive[window].filter { !entries[$0].isJoint }
    func sum(_ indices: [Int]) -> Int { indices.reduce(0) { $0 + entries[$1].weight } }
    let gifts = Criterion.Gifts(
      indices: given, first: sum(given.filter { entries[$0].isByFirst }),
      second: sum(given.filter { entries[$0].isBySecond }), taken: sums.over(window).all.taken)
    let (smaller, larger) = (min(gifts.first, gifts.second), max(gifts.first, gifts.second))
    let count = larger > 0 && !gifts.areDrowned
    let verdict: CriterionState.Verdict =
      if count && 2 * smaller >= larger {
        .met
      } else if count && 5 * smaller >= larger || !open.isEmpty {
        .partly
      } else {
        larger == 0 && refused.isEmpty ? .noEvidence : .notMet
      }
    return Criterion(
      name: .rewards, verdict: verdict,
      supporting: Set(given + open).sorted(), opposing: refused, gifts: gifts)
  }

  private func respect(
    _ window: Range<Int>, _ messages: [(index: Int, message: ResolvedMessage)]
  ) -> Criterion {
    let days = windows[.answerDays]
    func isAnswered(_ message: ResolvedMessage) -> Bool { message.isRespected(within: days) }
    let answered = messages.filter { isAnswered($0.message) }.map(\.index)
    let unanswered = messages.filter {
      !isAnswered($0.message)
        && ($0.message.isScorned || $0.message.age ?? 0 > days)
    }.map(\.index)
    let threats = kinds.threats[window]
    let judged = answered.count + unanswered.count
    let areAnswered = judged > 0 && 3 * answered.count >= 2 * judged
    let verdict: CriterionState.Verdict =
      if areAnswered && threats.isEmpty {
        .met
      } else if areAnswered || judged > 0 && threats.isEmpty {
        .partly
      } else {
        judged == 0 && threats.isEmpty ? .noEvidence : .notMet
      }
    return Criterion(
      name: .respect, verdict: verdict, supporting: answered,
      opposing: Set(unanswered + threats).sorted())
  }

  func criterionState(_ criterion: Criterion) -> CriterionState {
    func side(_ indices: [Int]) -> CriterionState.Side {
      CriterionState.Side(
        count: indices.count, latest: ids(indices.suffix(CriterionState.latestMax)))
    }
    return CriterionState(
      name: criterion.name, verdict: criterion.verdict, supporting: side(criterion.supporting),
      opposing: side(criterion.opposing))
  }
}
