// Who may say what a link says (docs/reference/engagement.md, E-1.7): an answer comes from one of those who were asked, a
// promise is kept or broken by one of those who made it or to whom it was made, what somebody did is
// withdrawn by him alone. That a promise was kept anybody may verify.

/// By whom and to whom a promise is.
public protocol PromiseParties {
  var key: String { get }
  var by: [ActorCode] { get }
  /// Empty where it is to all parties of the agreement.
  var to: [ActorCode] { get }
}

extension Commitment: PromiseParties {}

/// What matters of an event to who may speak of it.
public protocol SpokenOf {
  associatedtype Promise: PromiseParties
  var actors: [ActorCode] { get }
  var targets: [ActorCode] { get }
  var commitments: [Promise] { get }
  var isAgreement: Bool { get }
  /// Whether it waits for an answer: a message, or what holds an offer.
  var isMessage: Bool { get }
}

extension Event: SpokenOf {
  public var isAgreement: Bool { type == .agreement }
  public var isMessage: Bool { type == .message || offer != nil }
}

extension Link.Relation {
  /// What the parties of a promise say of it; that it was kept anybody may verify.
  public var isOfParties: Bool {
    switch self {
    case .fulfils, .suspends, .violates, .withdraws: true
    default: false
    }
  }

  public var isAnswer: Bool {
    switch self {
    case .answers, .accepts, .declines, .counters: true
    default: false
    }
  }
}

extension Link {
  /// Why these actors cannot say it of an event; nil where they can.
  public func speakerFault(by actors: [ActorCode], of target: some SpokenOf) -> LinkFault? {
    func act(_ codes: [ActorCode]) -> Bool { codes.contains(where: actors.contains) }
    if relation.isAnswer {
      if act(target.targets) { return nil }
      // Who says something to nobody by name may be answered by anybody, and by one of several who say it.
      let isOwn = actors.allSatisfy(target.actors.contains)
      if isOwn, !target.targets.isEmpty || target.actors.count == 1 { return .ownWords }
      return target.isMessage && !target.targets.isEmpty ? .notTheirs : nil
    }
    guard relation.isOfParties else { return nil }
    if target.commitments.isEmpty {
      // What a demand or a resolution asks for is kept or broken by those whom it is made to.
      guard relation == .suspends || relation == .withdraws else { return nil }
      return act(target.actors) || target.isAgreement && act(target.targets) ? nil : .notTheirs
    }
    if key == nil, act(target.actors) || act(target.targets) { return nil }
    let may = target.commitments.contains { promise in
      guard key == nil || promise.key == key else { return false }
      return act(promise.by) || act(promise.to)
        || promise.to.isEmpty && (act(target.actors) || act(target.targets))
    }
    return may ? nil : .notTheirs
  }

  /// Who can say it, in words.
  public func speakers(of target: some SpokenOf) -> String {
    if relation.isAnswer { return Self.words(target.targets) }
    var codes: [ActorCode] = []
    func add(_ more: [ActorCode]) {
      for code in more where !codes.contains(code) { codes.append(code) }
    }
    let promises = target.commitments.filter { key == nil || $0.key == key }.prefix(20)
    for promise in promises { add(promise.by + promise.to) }
    if key == nil || promises.contains(where: \.to.isEmpty) {
      add(target.actors + (target.commitments.isEmpty && !target.isAgreement ? [] : target.targets))
    }
    return Self.words(codes)
  }

  static func words(_ codes: [ActorCode]) -> String {
    codes.prefix(10).map(\.description).joined(separator: ", ") + (codes.count > 10 ? ", …" : "")
  }
}
