import Access
import Support
import Testing
import TimelineModel
import TransparencyLog

private func log(_ name: String, _ number: UInt8 = 0) -> ReplicaID { History.log(name, number) }

@Suite("Who is a member")
struct MembershipTests {
  @Test("M-3: without the founding nobody is a member and nothing counts")
  func noFounding() {
    var history = History()
    history.invite("b", by: "a")
    let facts = history.facts.filter {
      if case .line(_, _, .timeline) = $0 { false } else { true }
    }
    let membership = Membership(of: History.founding.hash, facts)
    #expect(membership.members.isEmpty && membership.founder == nil)
    #expect(membership.end(of: log("a")) == 0 && !membership.counts(log("a"), 1))
    #expect(membership.device(of: log("a")) == History.id("a"))
    #expect(history.membership.founder == History.id("a"))
  }

  @Test("M-3: the founding counts wherever it stands; another one does not")
  func foundingElsewhere() {
    let other = TimelineFounding(
      name: "main", key: History.key("x").publicKey, nonce: Array(1..<17),
      recovery: History.recovery.publicKey)!
    let membership = Membership(
      of: History.founding.hash,
      [.line(log("x"), 9, .timeline(History.founding)), .line(log("a"), 2, .timeline(other))])
    #expect(membership.role("a") == .admin && membership.role("x") == nil)
  }

  @Test(
    "M-4: a log without a right line 1 is of nobody"
  )
  func nobodysLogs() {
    var history = History()
    history.invite("b", by: "a")
    let good = History.line1("b", 1)
    let stranger = ReplicaRecord(
      timeline: History.root(9), device: History.key("b"), key: History.key("b").publicKey,
      nonce: good.nonce)!
    let text = good.json.text.replacing(
      Base64.encode(good.signature), with: Base64.encode(stranger.signature))
    guard case .replica(let unsigned) = MembershipRecord(body: text) else {
      Issue.record("no record: \(text)")
      return
    }
    history.add(.line(log("c"), 1, .replica(good)))
    history.add(.line(stranger.id, 1, .replica(stranger)))
    history.add(.line(unsigned.id, 1, .replica(unsigned)))
    history.add(.line(good.id, 2, .replica(good)))
    let membership = history.membership
    for replica in [log("c"), stranger.id, unsigned.id, good.id] {
      #expect(membership.device(of: replica) == nil)
      #expect(membership.end(of: replica) == 0 && membership.reach(of: replica) == 0)
      #expect(membership.key(of: replica) == nil)
    }
    history.add(.line(good.id, 1, .replica(good)))
    #expect(history.membership.device(of: good.id) == History.id("b"))
    #expect(history.membership.end(of: good.id) == nil)
  }

  @Test("M-9: the founder has rank 1, whom rank n brings in n + 1, of several the lowest")
  func ranks() {
    var history = History()
    history.invite("b", by: "a", .admin)
    history.invite("c", by: "b", .admin)
    history.invite("d", by: "c")
    #expect(["a", "b", "c", "d"].map(history.membership.rank) == [1, 2, 3, 4])
    #expect(history.membership.member(History.id("d"))?.by == .device(History.id("c")))
    history.invite("d", by: "a", .read)
    #expect(history.membership.rank("d") == 2)
    #expect(history.membership.member(History.id("d"))?.by == .device(History.id("a")))
  }

  @Test("M-9: the highest role holds, and an admin acts with the rank of what made it one")
  func rankOfTheGrant() {
    var history = History()
    history.invite("b", by: "a", .admin)
    history.invite("c", by: "a", .read)
    history.invite("c", by: "b", .admin)
    // c is of rank 2, but as an admin of rank 3: it cannot end d, whom a and so on brought in as rank 3.
    history.invite("d", by: "b")
    history.end("d", by: "c")
    history.end("b", by: "c")
    #expect(history.membership.role("c") == .admin)
    #expect(history.membership.rank("c") == 2)
    #expect(history.membership.role("b") == .admin && history.membership.role("d") == .write)
    // Whom b made an admin, b ends; what the founder gave stays.
    history.end("c", by: "b")
    #expect(history.membership.role("c") == .read)
    #expect(history.membership.end(of: log("c")) == 0)
  }

  @Test("M-8: a reader's lines count for nothing, nor does what a writer says of others")
  func roles() {
    var history = History()
    history.invite("r", by: "a", .read)
    history.invite("w", by: "a", .write)
    history.invite("x", by: "r", .write)
    history.invite("y", by: "w", .write)
    history.end("r", by: "w")
    #expect(history.membership.role("x") == nil && history.membership.role("y") == nil)
    #expect(history.membership.role("r") == .read && history.membership.end(of: log("r")) == 0)
    #expect(history.membership.end(of: log("w")) == nil)
    #expect(history.membership.end(of: log("x")) == 0)
  }

  @Test("M-12: all lines of a member count from 1")
  func fromTheFirst() {
    var history = History()
    history.write("b", 20)
    #expect(!history.membership.counts(log("b"), 1))
    history.invite("b", by: "a")
    #expect(history.membership.counts(log("b"), 1) && history.membership.counts(log("b"), 1000))
    #expect(!history.membership.counts(log("b"), 0))
  }

  @Test("M-10: an end holds up to the line that it names, in each log")
  func end() {
    var history = History()
    history.invite("b", by: "a", .admin)
    let last = history.invite("c", by: "b")
    history.write("b", log: 1, 3)
    history.invite("d", by: "b")
    history.end("b", by: "a", at: [log("b"): last])
    let membership = history.membership
    #expect(membership.end(of: log("b")) == last && membership.reach(of: log("b")) == last)
    #expect(membership.counts(log("b"), last) && !membership.counts(log("b"), last + 1))
    #expect(membership.role("b") == nil)
    #expect(membership.role("c") == .write && membership.role("d") == nil)
    #expect(membership.end(of: log("b", 1)) == 0, "a log that is not named ends at 0")
  }

  @Test("M-10: of several ends the lowest holds, log by log")
  func lowestEnd() {
    var history = History()
    history.invite("b", by: "a", .admin)
    history.invite("c", by: "b")
    history.write("c", 10)
    history.write("c", log: 1, 10)
    history.end("c", by: "a", at: [log("c"): 5, log("c", 1): 3])
    history.end("c", by: "b", at: [log("c"): 2, log("c", 1): 9])
    #expect(history.membership.end(of: log("c")) == 2)
    #expect(history.membership.end(of: log("c", 1)) == 3)
    // Two of one recorder too, and a log that one of them does not name ends at 0.
    history.write("c", log: 2, 10)
    history.end("c", by: "a", at: [log("c"): 1, log("c", 1): 8, log("c", 2): 8])
    #expect(history.membership.end(of: log("c")) == 1)
    #expect(history.membership.end(of: log("c", 1)) == 3)
    #expect(history.membership.end(of: log("c", 2)) == 0)
  }

  @Test("M-10: equals cannot end each other, nor those of a lower rank")
  func equals() {
    var history = History()
    history.invite("b", by: "a", .admin)
    history.invite("c", by: "a", .admin)
    history.end("b", by: "c")
    history.end("c", by: "b")
    history.end("a", by: "b")
    #expect(["a", "b", "c"].map(history.membership.role) == [.admin, .admin, .admin])
    #expect(history.membership.end(of: log("a")) == nil)
    // Each ends whom the other brought in.
    history.invite("d", by: "c")
    history.end("d", by: "b")
    #expect(history.membership.role("d") == nil)
  }

  @Test("M-10: what an ended admin said behind its end counts for nothing, in cascade")
  func cascade() {
    var history = History()
    history.invite("b", by: "a", .admin)
    let kept = history.invite("c", by: "b", .admin)
    history.invite("d", by: "b", .admin)
    history.invite("e", by: "d", .admin)
    history.invite("f", by: "e")
    history.invite("g", by: "c")
    history.end("c", by: "d")
    history.end("b", by: "a", at: [log("b"): kept])
    let membership = history.membership
    #expect(["c", "g"].map(membership.role) == [.admin, .write])
    #expect(["d", "e", "f"].map(membership.role) == [nil, nil, nil])
    #expect(membership.members.count == 4)
  }

  @Test("M-10: an end is undone with its recorder's right")
  func endOfTheEnder() {
    var history = History()
    let before = history.invite("b", by: "a", .admin)
    #expect(before > 0)
    history.invite("c", by: "b")
    let end = history.end("c", by: "b")
    #expect(history.membership.role("c") == nil)
    history.end("b", by: "a", at: [log("b"): end - 1])
    #expect(history.membership.role("c") == .write && history.membership.end(of: log("c")) == nil)
  }

  @Test(
    "M-10: an end is final, for later grants and new logs too"
  )
  func final() {
    var history = History()
    history.invite("b", by: "a", .admin)
    history.invite("c", by: "b")
    history.end("c", by: "b", at: [log("c"): 1])
    history.invite("c", by: "b", .admin)
    history.write("c", log: 1, 5)
    #expect(history.membership.role("c") == nil)
    #expect(
      history.membership.end(of: log("c")) == 1 && history.membership.end(of: log("c", 1)) == 0)
    // Whoever may overrule its recorder can.
    history.invite("c", by: "a")
    #expect(history.membership.role("c") == .write)
  }

  @Test("M-10: a lowering leaves what was before it")
  func lowering() {
    var history = History()
    history.invite("b", by: "a", .admin)
    let last = history.invite("c", by: "b")
    history.invite("d", by: "b")
    history.end("b", by: "a", at: [log("b"): last], to: .write)
    var membership = history.membership
    #expect(membership.role("b") == .write && membership.end(of: log("b")) == nil)
    #expect(membership.role("c") == .write && membership.role("d") == nil)
    #expect(membership.role(in: log("b"), at: last) == .admin)
    #expect(membership.role(in: log("b"), at: last + 1) == .write)
    history.invite("b", by: "a", .admin)
    history.end("b", by: "a", at: [log("b"): last], to: .admin)
    membership = history.membership
    #expect(membership.role("b") == .write, "a lowering is final")
    history.end("b", by: "a", at: [log("b"): last + 3], to: .read)
    #expect(history.membership.role("b") == .read)
    #expect(history.membership.end(of: log("b")) == last + 3)
  }

  @Test("M-10: anybody who writes ends itself; two such ends in two logs both count")
  func ownEnd() {
    var history = History()
    history.invite("b", by: "a")
    history.write("b", 9)
    history.end("b", by: "b", at: [log("b"): 4])
    #expect(history.membership.role("b") == nil)
    #expect(history.membership.end(of: log("b")) == 4)
    #expect(history.membership.reach(of: log("b")) == nil, "M-13: its own end hides nothing")
    history.end("b", by: "b", log: 1, at: [log("b", 1): 2])
    #expect(history.membership.end(of: log("b")) == 0)
    #expect(history.membership.end(of: log("b", 1)) == 0)
    // Behind what others allow it counts for nothing.
    history.end("b", by: "a", at: [log("b"): 7])
    #expect(history.membership.end(of: log("b")) == 7)
    #expect(history.membership.reach(of: log("b")) == 7)
    #expect(history.membership.reach(of: log("b", 1)) == 0)
  }

  @Test("M-6: what the recovery key signed counts wherever it stands, and ends anybody")
  func recovery() {
    var history = History()
    let end = History.ending("a", [log("a"): 2]).signed(
      by: History.recovery, of: History.founding.hash)
    let member = History.member("b", .admin).signed(
      by: History.recovery, of: History.founding.hash)
    // In the log of nobody, and behind the end of a member's.
    history.say("x", .end(end))
    history.invite("c", by: "a")
    history.end("c", by: "a")
    history.say("c", .member(member))
    let membership = history.membership
    #expect(membership.role("a") == nil && membership.end(of: log("a")) == 2)
    #expect(membership.role("b") == .admin && membership.rank("b") == 1)
    #expect(membership.member(History.id("b"))?.by == .recovery)
    #expect(membership.member(History.id("a"))?.ends.map(\.by) == [.recovery])
    #expect(membership.role("c") == nil, "the founder's later lines are gone")
  }

  @Test(
    "M-6: with another signature a record counts for nothing")
  func wrongRecovery() {
    var history = History()
    history.invite("b", by: "a", .admin)
    let end = History.ending("b")
    let member = History.member("c")
    history.say("b", .member(member.signed(by: History.key("a"), of: History.founding.hash)))
    history.say("a", .end(end.signed(by: History.key("a"), of: History.founding.hash)))
    history.say("a", .end(end.signed(by: History.recovery, of: History.root(3))))
    #expect(history.membership.role("b") == .admin && history.membership.role("c") == nil)
  }

  @Test("M-7: a code brings in one device, the same one again; another admin's codes are its own")
  func codes() {
    var history = History()
    history.invite("b", by: "a", .admin, code: 1)
    history.invite("x", by: "a", code: 1)
    history.invite("b", by: "a", .admin, code: 1)
    #expect(history.membership.role("x") == nil && history.membership.role("b") == .admin)
    history.invite("y", by: "b", code: 1)
    #expect(history.membership.role("y") == .write)
    // A line that does not count uses up nothing.
    var other = History()
    other.invite("b", by: "a", .admin)
    let last = other.write("b", 4)
    other.invite("x", by: "b", code: 2)
    other.end("b", by: "a", at: [log("b"): last, log("b", 1): 2])
    other.invite("y", by: "b", log: 1, code: 2)
    #expect(other.membership.role("x") == nil && other.membership.role("y") == .write)
  }

  @Test("M-7: of two logs of a restored host the first by id says whose the code was")
  func codesOfCopies() {
    var history = History()
    history.invite("x", by: "a", log: 1, code: 1)
    history.invite("y", by: "a", log: 2, code: 1)
    let first = log("a", 1) < log("a", 2) ? "x" : "y"
    #expect(history.membership.role(first) == .write)
    #expect(history.membership.role(first == "x" ? "y" : "x") == nil)
  }

  @Test("M-11: an adopted log counts up to its size, whoever is a member")
  func adopted() {
    var history = History()
    let (old, nobody) = (History.old("b"), History.old("nobody"))
    var membership = history.membership
    #expect(membership.end(of: old) == 6 && membership.end(of: nobody) == 8)
    #expect(membership.role("b") == nil && membership.device(of: old) == History.id("b"))
    #expect(membership.device(of: nobody) == nil && membership.logs.contains(nobody))
    history.end("b", by: "a", at: [old: 3])
    #expect(history.membership.end(of: old) == 3)
    // Its records count for nothing, and an admin of rank 2 has no say.
    history = History()
    history.invite("c", by: "a", .admin)
    history.end("b", by: "c", at: [old: 2])
    history.add(.line(History.old("a"), 3, .member(History.member("d"))))
    membership = history.membership
    #expect(membership.end(of: old) == 6 && membership.role("d") == nil)
  }

  @Test(
    "M-14: a fork stops nothing else; who may end the device settles it"
  )
  func forks() {
    var history = History()
    history.invite("b", by: "a", .admin)
    history.invite("c", by: "b")
    history.fork("b")
    var membership = history.membership
    #expect(membership.openForks == [log("b")] && membership.isInDoubt)
    #expect(membership.role("c") == .write && membership.branch(of: log("b")) == nil)
    // An equal cannot.
    history.invite("d", by: "a", .admin)
    history.end("b", by: "d", at: [log("b"): 2], to: .admin)
    #expect(history.membership.openForks == [log("b")])
    // The founder names the branch and takes nothing else away.
    history.end("b", by: "a", at: [log("b"): 3], root: 7, to: .admin)
    membership = history.membership
    #expect(membership.openForks.isEmpty && !membership.isInDoubt)
    #expect(membership.branch(of: log("b")) == LogEnd(3, History.root(7)))
    #expect(membership.role("b") == .admin && membership.role("c") == .write)
    #expect(membership.end(of: log("b")) == 3, "a forked log ends where it was settled")
    #expect(membership.end(of: log("b", 1)) == 0, "no such log is here")
    history.write("b", log: 1, 2)
    #expect(history.membership.end(of: log("b", 1)) == nil, "a new log goes on")
  }

  @Test("M-14: a device settles its own fork from another log, not from one that forked")
  func ownForks() {
    var history = History()
    history.invite("b", by: "a")
    history.write("b", 9)
    history.fork("b")
    #expect(!history.membership.isInDoubt && history.membership.openForks == [log("b")])
    history.end("b", by: "b", at: [log("b"): 5], to: .write)
    #expect(history.membership.openForks == [log("b")])
    history.end("b", by: "b", log: 1, at: [log("b"): 5], root: 3, to: .write)
    #expect(history.membership.openForks.isEmpty)
    #expect(history.membership.branch(of: log("b")) == LogEnd(5, History.root(3)))
    #expect(history.membership.end(of: log("b")) == 5)
    // The lowest rank decides the branch, the lowest number how far.
    history.end("b", by: "a", at: [log("b"): 8], root: 4, to: .write)
    #expect(history.membership.branch(of: log("b")) == LogEnd(8, History.root(4)))
    #expect(history.membership.end(of: log("b")) == 8)
    #expect(history.membership.role("b") == .write)
  }

  @Test("Members are listed with name, rank, role, by whom, logs and ends")
  func members() {
    var history = History()
    history.invite("a", by: "a", .read)
    history.invite("b", by: "a", .admin)
    history.end("b", by: "a", to: .write)
    let members = history.membership.members
    #expect(members.map(\.device) == [History.id("a"), History.id("b")])
    #expect(members.map(\.name) == ["a", "b"], "a founder can name itself")
    #expect(members.map(\.by) == [.founding, .device(History.id("a"))])
    #expect(members[0].role == .admin && members[0].logs == [log("a")])
    #expect(members[1].granted == .admin && members[1].role == .write)
    #expect(members[1].ends.map(\.by) == [.device(History.id("a"))])
  }

  @Test(
    "Logs that are followed: the founder's first, then by rank; not those that are cut to nothing")
  func followed() {
    var history = History()
    history.invite("b", by: "a", .admin)
    history.invite("c", by: "b")
    history.invite("d", by: "b")
    history.end("d", by: "b")
    history.write("x", 3)
    #expect(["a", "b", "c"].allSatisfy { history.membership.follows(History.line1($0, 2)) })
    #expect(["d", "x"].allSatisfy { !history.membership.follows(History.line1($0, 2)) })
    let old = Set(History.adopted.keys)
    let followed = history.membership.followed
    #expect(Array(followed.prefix(3)) == [log("a"), log("b"), log("c")])
    #expect(Set(followed.dropFirst(3)) == old)
  }
}
