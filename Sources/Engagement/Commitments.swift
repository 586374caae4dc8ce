// E-6: the ledger of promises, and what the links of later events say of each.

import TimelineModel

public struct CommitmentState: Sendable {
  public enum Standing: String, Sendable {
    case open, due, overdue, fulfilled, verified, suspended, violated, withdrawn
  }

  public let agreement: Event
  public let commitment: Commitment
  public let standing: Standing
  public let by: EventID?

  public var isOutstanding: Bool {
    standing == .open || standing == .due || standing == .overdue
  }

  var json: JSONValue {
    .object([
      "agreement": .string(agreement.id.description), "key": .string(commitment.key),
      "by": .strings(commitment.by), "what": .string(commitment.what),
      "due": commitment.due.map { .string($0.text) },
      "verifier": commitment.verifier.isEmpty ? nil : .strings(commitment.verifier),
      "state": .string(standing.rawValue), "event": by.map { .string($0.description) },
    ])
  }
}

extension DyadHistory {
  func commitments(on day: Day) -> [CommitmentState] {
    kinds.agreements[upTo(day)].flatMap { place in
      let agreement = events[place]
      return zip(agreement.commitments, saidOfCommitments(of: agreement, upTo: day)).map {
        commitment, said in
        CommitmentState(
          agreement: agreement, commitment: commitment,
          standing: Self.standing(commitment, said.last?.link.relation, day),
          by: said.last?.event.id)
      }
    }
  }

  /// What later events say of each promise of an agreement. Without a key a break concerns the whole
  /// agreement; a step must say which promise it keeps.
  func saidOfCommitments(of agreement: Event, upTo day: Day) -> [[(event: Event, link: Link)]] {
    let said = links(
      to: agreement, [.fulfils, .verifies, .suspends, .violates, .withdraws], upTo: day)
    return agreement.commitments.map { commitment in
      said.filter { _, link in
        link.key == commitment.key
          || (link.key == nil && link.relation != .fulfils && link.relation != .verifies)
      }
    }
  }

  private static func standing(
    _ commitment: Commitment, _ relation: Link.Relation?, _ day: Day
  ) -> CommitmentState.Standing {
    switch relation {
    case .fulfils: return .fulfilled
    case .verifies: return .verified
    case .suspends: return .suspended
    case .violates: return .violated
    case .withdraws: return .withdrawn
    default: break
    }
    guard let due = commitment.due else { return .open }
    if due.last < day { return .overdue }
    return due.first <= day ? .due : .open
  }
}
