// E-6: the ledger of promises, what the links of later events say of each, and whose turn it is.

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
      "by": .strings(commitment.by), "to": .strings(commitment.to),
      "what": .string(commitment.what), "due": commitment.due.map { .string($0.text) },
      "verifier": commitment.verifier.isEmpty ? nil : .strings(commitment.verifier),
      "state": .string(standing.rawValue), "event": by.map { .string($0.description) },
    ])
  }
}

/// One agreement, step for step.
struct AgreementState {
  /// An event that says something of its promises.
  struct Move {
    var event: Event
    var says: [Link]
  }

  var agreement: Event
  var commitments: [CommitmentState]
  var moves: [Move]
  var movedLast: [ActorCode]
  var owed: [ActorCode]

  var json: JSONValue {
    .object([
      "id": .string(agreement.id.description), "date": .string(agreement.date.text),
      "title": .string(agreement.title),
      "in_force": .bool(commitments.contains { $0.standing != .withdrawn }),
      "moves": .array(
        moves.map { move in
          .object([
            "id": .string(move.event.id.description), "date": .string(move.event.date.text),
            "by": .strings(move.event.actors),
            "says": .array(
              move.says.map { link in
                .object([
                  "rel": .string(link.relation.rawValue), "key": link.key.map { .string($0) },
                ])
              }),
          ])
        }),
      "moved_last": .strings(movedLast), "owed": .strings(owed),
    ])
  }
}

extension DyadHistory {
  func agreements(on day: Day) -> [AgreementState] {
    kinds.ledgers[upTo(day)].map { place in
      let entry = entries[place]
      let agreement = entry.event
      let commitments = commitments(of: entry, on: day)
      let moves = moves(of: entry, upTo: day)
      let parties = [dyad.first, dyad.second]
      let keepers = Self.lastKeeping(moves).map { Self.keepers($0, entry.promises) } ?? []
      let movedLast = parties.filter(keepers.contains)
      let owed = parties.filter { party in
        let other = dyad.other(party)
        return commitments.contains {
          $0.isOutstanding && $0.commitment.by.contains(other)
            && ($0.commitment.to.isEmpty || $0.commitment.to.contains(party))
            && ($0.standing == .overdue || movedLast == [party])
        }
      }
      return AgreementState(
        agreement: agreement, commitments: commitments, moves: moves, movedLast: movedLast,
        owed: owed)
    }
  }

  func commitments(of entry: PlacedEvent, on day: Day) -> [CommitmentState] {
    let said = saidOfAny(entry, upTo: day)
    return zip(entry.promises, speakers(of: entry.promises, said, last: true)).map {
      commitment, last in
      CommitmentState(
        agreement: entry.event, commitment: commitment,
        standing: Self.standing(commitment, last.map { said[$0].link.relation }, day),
        by: last.map { said[$0].event.id })
    }
  }

  /// E-6.5: the last move that keeps a promise, if nothing was broken since.
  private static func lastKeeping(_ moves: [AgreementState.Move]) -> AgreementState.Move? {
    let last = moves.lastIndex { $0.says.contains { $0.relation == .fulfils } }
    guard let last else { return nil }
    let isBroken = moves[(last + 1)...].contains { move in
      move.says.contains { [.suspends, .violates, .withdraws].contains($0.relation) }
    }
    return isBroken ? nil : moves[last]
  }

  /// Who took the step that a move tells: who acts in it, or where none of these made the promise, who did.
  private static func keepers(
    _ move: AgreementState.Move, _ promises: [Commitment]
  ) -> [ActorCode] {
    move.says.filter { $0.relation == .fulfils }.flatMap { link in
      promises.filter { $0.key == link.key }.flatMap { promise in
        promise.by.contains(where: move.event.actors.contains) ? move.event.actors : promise.by
      }
    }
  }

  /// E-6.2: links that concern at least one promise.
  func saidOfAny(
    _ agreement: PlacedEvent, upTo day: Day
  ) -> [(event: Event, link: Link)] {
    let keys = Set(agreement.promises.map(\.key))
    return links(to: agreement.event, Link.Relation.ofPromises, upTo: day).filter { _, link in
      link.key.map(keys.contains) ?? (link.relation != .fulfils && link.relation != .verifies)
    }
  }

  private func moves(of agreement: PlacedEvent, upTo day: Day) -> [AgreementState.Move] {
    var moves: [AgreementState.Move] = []
    for (event, link) in saidOfAny(agreement, upTo: day) {
      if moves.last?.event.id == event.id {
        moves[moves.count - 1].says.append(link)
      } else {
        moves.append(AgreementState.Move(event: event, says: [link]))
      }
    }
    return moves
  }

  /// Whether a link concerns one of these promises. Without a key a break concerns the whole agreement;
  /// a step must say which promise it keeps.
  static func concerns(_ link: Link, _ promises: [Commitment]) -> Bool {
    link.key.map { key in promises.contains { $0.key == key } }
      ?? (link.relation != .fulfils && link.relation != .verifies)
  }

  /// What a link says is of the promises with its key, or of all; said by neither of the two and no
  /// verification, only of those that one of its actors made.
  private struct Voice: Hashable {
    var key: String?
    var maker: ActorCode?
  }

  /// The places, in what is said of any, of what is said first or last of each promise.
  func speakers(
    of promises: [Commitment], _ said: [(event: Event, link: Link)], last: Bool
  ) -> [Int?] {
    var places: [Voice: Int] = [:]
    for (place, (event, link)) in said.enumerated() {
      let isOfAll =
        !link.relation.isOfParties
        || event.actors.contains { $0 == dyad.first || $0 == dyad.second }
      for maker in isOfAll ? [nil] : event.actors.map(Optional.some) {
        let voice = Voice(key: link.key, maker: maker)
        if last || places[voice] == nil { places[voice] = place }
      }
    }
    return promises.map { promise in
      let voices = ([nil] + promise.by.map(Optional.some)).flatMap { maker in
        [Voice(key: nil, maker: maker), Voice(key: promise.key, maker: maker)]
      }
      let found = voices.compactMap { places[$0] }
      return last ? found.max() : found.min()
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
