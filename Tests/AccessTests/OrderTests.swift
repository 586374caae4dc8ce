import Access
import Support
import Testing
import TimelineModel

@Suite("Order of arrival plays no part")
struct OrderTests {
  @Test("M-0.1: any order, any pieces, the same membership")
  func shuffled() {
    let seed = UInt64.random(in: 0..<1 << 32)
    print("order of membership: seed \(seed)")
    var chance = SplitMix(seed: seed)
    for _ in 0..<150 {
      let facts = Self.randomHistory(&chance).facts
      let whole = Membership(of: History.founding.hash, facts)
      for _ in 0..<4 {
        var rest = facts.shuffled(using: &chance)
        var membership = Membership(of: History.founding.hash)
        while !rest.isEmpty {
          let count = Int.random(in: 1...rest.count, using: &chance)
          // Some come twice.
          membership.insert(rest.prefix(count) + rest.prefix(1))
          rest.removeFirst(count)
        }
        guard membership == whole, membership.members == whole.members else {
          Issue.record("seed \(seed)")
          return
        }
      }
    }
  }

  @Test("M-13: no line behind a log's reach plays a part")
  func reach() {
    let seed = UInt64.random(in: 0..<1 << 32)
    print("reach of membership: seed \(seed)")
    var chance = SplitMix(seed: seed)
    for _ in 0..<300 {
      let facts = Self.randomHistory(&chance).facts
      let whole = Membership(of: History.founding.hash, facts)
      let kept = facts.filter {
        guard case .line(let replica, let seq, let record) = $0 else { return true }
        switch record {
        case .replica, .timeline: return true
        // What the recovery key signed is passed on by itself.
        case .member(let record): if record.signature != nil { return true }
        case .end(let record): if record.signature != nil { return true }
        }
        return whole.reach(of: replica).map { seq <= $0 } ?? true
      }
      let without = Membership(of: History.founding.hash, kept)
      guard without.members == whole.members, without.openForks == whole.openForks,
        without.logs.allSatisfy({
          without.end(of: $0) == whole.end(of: $0) && without.reach(of: $0) == whole.reach(of: $0)
        })
      else {
        Issue.record("seed \(seed)")
        return
      }
    }
  }

  private static let names = ["a", "b", "c", "d", "e"]

  static func randomHistory(_ chance: inout SplitMix) -> History {
    var history = History()
    var admins = ["a"]
    for _ in 0..<Int.random(in: 3...25, using: &chance) {
      let recorder = (Bool.random(using: &chance) ? admins : names).randomElement(using: &chance)!
      let log = UInt8.random(in: 0...1, using: &chance)
      let target = names.randomElement(using: &chance)!
      switch Int.random(in: 0..<10, using: &chance) {
      case 0..<4:
        let role = Role.allCases.randomElement(using: &chance)!
        if role == .admin { admins.append(target) }
        let code = UInt8.random(in: 0...3, using: &chance)
        history.invite(target, by: recorder, log: log, role, code: code == 0 ? nil : code)
      case 4..<8:
        let subject = Int.random(in: 0..<4, using: &chance) == 0 ? recorder : target
        history.end(
          subject, by: recorder, log: log, at: upTo(subject, &chance),
          root: .random(in: 1...2, using: &chance),
          to: (Role.allCases + [nil, nil]).randomElement(using: &chance)!)
      case 8:
        let timeline = History.founding.hash
        history.say(
          recorder, log: log,
          Bool.random(using: &chance)
            ? .member(History.member(target).signed(by: History.recovery, of: timeline))
            : .end(
              History.ending(target, upTo(target, &chance)).signed(
                by: History.recovery, of: timeline)))
      default: history.fork(target, log: log)
      }
    }
    return history
  }

  private static func upTo(_ name: String, _ chance: inout SplitMix) -> [ReplicaID: UInt64] {
    var upTo: [ReplicaID: UInt64] = [:]
    for log in 0...1 as ClosedRange<UInt8> where Int.random(in: 0..<5, using: &chance) > 0 {
      upTo[History.log(name, log)] = .random(in: 1...9, using: &chance)
    }
    return upTo
  }
}
