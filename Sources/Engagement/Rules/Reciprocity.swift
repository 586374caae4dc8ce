// E-11, E-12: what each side gave, and what most of its offers ask first.

import TimelineModel

/// E-11: the sums of the weights above 0 of the events by each side, and the smaller over the larger.
public struct ReciprocityState: Sendable, Hashable {
  /// From 0 to 1; nil where neither gave anything.
  public var ratio: Thousandths?
  public var first: Thousandths
  public var second: Thousandths
}

/// E-12: how many of a side's offers ask for what, after M. Gurtov, "Engaging North Korea".
public struct ApproachState: Sendable, Hashable {
  public enum Word: String, Sendable {
    case mixed, engagement
    case noOffers = "no offers"
    case sticksAndCarrots = "sticks and carrots"
  }

  public var party: ActorCode
  public var prior: Int
  public var simultaneous: Int
  public var none: Int

  public var word: Word {
    let all = prior + simultaneous + none
    guard all > 0 else { return .noOffers }
    guard prior * 2 != all else { return .mixed }
    return prior * 2 > all ? .sticksAndCarrots : .engagement
  }
}

extension DyadHistory {
  func reciprocity(on day: Day) -> ReciprocityState {
    let (_, first, second) = sums.over(over(windows[.reciprocityDays], to: day))
    let (smaller, larger) = (min(first.given, second.given), max(first.given, second.given))
    return ReciprocityState(
      ratio: larger == 0 ? nil : Thousandths(Double(smaller) / Double(larger)),
      first: Thousandths(count: first.given), second: Thousandths(count: second.given))
  }

  func approaches(in messages: [MessageState]) -> [ApproachState] {
    dyad.parties.map { party in
      let conditions = messages.filter { $0.from == party }.compactMap(\.offer?.condition)
      func count(_ condition: Offer.Condition) -> Int { conditions.count { $0 == condition } }
      return ApproachState(
        party: party, prior: count(.prior), simultaneous: count(.simultaneous), none: count(.none))
    }
  }
}
