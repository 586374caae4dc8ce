// E-6: the ledger of promises, what the links of later events say of each, and whose turn it is.

import TimelineModel

/// E-6.3: a promise between the two, and what was last said of it.
public struct CommitmentState: Sendable, Hashable {
  public enum Standing: String, Sendable {
    case open, due, overdue, fulfilled, verified, suspended, violated, withdrawn
  }

  public var agreement: EventID
  public var key: String
  public var by: [ActorCode]
  public var to: [ActorCode]
  public var what: String
  public var due: EventDate?
  public var verifier: [ActorCode]
  public var standing: Standing
  /// The event that says so; nil of what is outstanding.
  public var event: EventID?

  public var isOutstanding: Bool {
    standing == .open || standing == .due || standing == .overdue
  }
}

/// E-6.4: one agreement, step for step.
public struct AgreementState: Sendable, Hashable {
  /// An event that says something of its promises.
  public struct Move: Sendable, Hashable {
    public struct Link: Sendable, Hashable {
      public var relation: TimelineModel.Link.Relation
      /// Of a promise; nil where it speaks of the whole agreement.
      public var key: String?
    }

    public var id: EventID
    public var date: EventDate
    /// Its actors as they stand.
    public var by: [ActorCode]
    public var says: [Link]
  }

  public var id: EventID
  public var date: EventDate
  public var title: String
  /// The promises between the two, at least one, as they stand.
  public var commitments: [CommitmentState]
  public var moves: [Move]
  /// E-6.5, E-6.6: none, one of the two or both.
  public var movedLast: [ActorCode]
  public var owed: [ActorCode]

  /// Whether some promise is not withdrawn.
  public var isInForce: Bool { commitments.contains { $0.standing != .withdrawn } }
}

extension DyadHistory {
  func agreements(on day: Day) -> [AgreementState] {
    kinds.ledgers[upTo(day)].map { index in
      let entry = entries[index]
      let commitments = commitments(of: entry, on: day)
      let moves = moves(of: entry, upTo: day)
      let keepers = Self.lastKeeping(moves).map { Self.keepers($0, entry.promises) } ?? []
      let movedLast = dyad.parties.filter(keepers.contains)
      let owed = dyad.parties.filter { party in
        let other = dyad.other(party)
        return commitments.contains {
          $0.isOutstanding && $0.by.contains(other) && ($0.to.isEmpty || $0.to.contains(party))
            && ($0.standing == .overdue || movedLast == [party])
        }
      }
      return AgreementState(
        id: entry.event.id, date: entry.event.date, title: entry.event.title,
        commitments: commitments, moves: moves, movedLast: movedLast, owed: owed)
    }
  }

  func commitments(of entry: PlacedEvent, on day: Day) -> [CommitmentState] {
    let said = saidOfAny(entry, upTo: day)
    return zip(entry.promises, speakers(of: entry.promises, said, last: true)).map {
      commitment, last in
      CommitmentState(
        agreement: entry.event.id, key: commitment.key, by: commitment.by, to: commitment.to,
        what: commitment.what, due: commitment.due, verifier: commitment.verifier,
        standing: Self.standing(commitment, last.map { said[$0].link.relation }, day),
        event: last.map { said[$0].event.id })
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
        promise.by.contains(where: move.by.contains) ? move.by : promise.by
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
      let said = AgreementState.Move.Link(relation: link.relation, key: link.key)
      if moves.last?.id == event.id {
        moves[moves.count - 1].says.append(said)
      } else {
        moves.append(
          AgreementState.Move(id: event.id, date: event.date, by: event.actors, says: [said]))
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

  /// The indices, in what is said of any, of what is said first or last of each promise.
  func speakers(
    of promises: [Commitment], _ said: [(event: Event, link: Link)], last: Bool
  ) -> [Int?] {
    var indices: [Voice: Int] = [:]
    for (index, (event, link)) in said.enumerated() {
      let isOfAll =
        !link.relation.isOfParties
        || event.actors.contains { $0 == dyad.first || $0 == dyad.second }
      for maker in isOfAll ? [nil] : event.actors.map(Optional.some) {
        let voice = Voice(key: link.key, maker: maker)
        if last || indices[voice] == nil { indices[voice] = index }
      }
    }
    return promises.map { promise in
      let voices = ([nil] + promise.by.map(Optional.some)).flatMap { maker in
        [Voice(key: nil, maker: maker), Voice(key: promise.key, maker: maker)]
      }
      let found = voices.compactMap { indices[$0] }
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
