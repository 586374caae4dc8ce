import Access
import Testing
import TimelineModel

private func log(_ name: String, _ number: UInt8 = 0) -> ReplicaID { History.log(name, number) }

@Suite("Which erasures have right")
struct ErasureTests {
  private func timeline() -> History {
    var history = History()
    history.invite("b", by: "a", .admin)
    history.invite("c", by: "b")
    history.invite("r", by: "b", .read)
    return history
  }

  @Test("M-15: a writer erases lines of its own device, in all its logs, and no others")
  func writers() {
    var history = timeline()
    history.write("c", log: 1, 3)
    let membership = history.membership
    #expect(membership.judge(erasureIn: log("c"), at: 5, of: log("c")) == .erase)
    #expect(membership.judge(erasureIn: log("c"), at: 5, of: log("c", 1)) == .erase)
    #expect(membership.judge(erasureIn: log("c"), at: 5, of: log("a")) == .keep)
    #expect(membership.judge(erasureIn: log("r"), at: 5, of: log("r")) == .keep)
    #expect(membership.judge(erasureIn: log("x"), at: 5, of: log("x")) == .keep)
  }

  @Test(
    "M-15: what an admin erases of others is hidden, unless he is ended below it")
  func admins() {
    var history = timeline()
    #expect(history.membership.judge(erasureIn: log("b"), at: 9, of: log("a")) == .hide)
    #expect(history.membership.judge(erasureIn: log("b"), at: 9, of: log("b")) == .erase)
    history.end("b", by: "a", at: [log("b"): 9])
    #expect(history.membership.judge(erasureIn: log("b"), at: 9, of: log("a")) == .hide)
    history.end("b", by: "a", at: [log("b"): 8])
    #expect(history.membership.judge(erasureIn: log("b"), at: 9, of: log("a")) == .keep)
    #expect(history.membership.judge(erasureIn: log("b"), at: 9, of: log("b")) == .keep)
    #expect(ErasureVerdict.delay == .seconds(259_200))
  }

  @Test("M-15: behind a lowering to a writer an admin's erasure covers its own lines alone")
  func lowered() {
    var history = timeline()
    history.end("b", by: "a", at: [log("b"): 8], to: .write)
    #expect(history.membership.judge(erasureIn: log("b"), at: 8, of: log("a")) == .hide)
    #expect(history.membership.judge(erasureIn: log("b"), at: 9, of: log("a")) == .keep)
    #expect(history.membership.judge(erasureIn: log("b"), at: 9, of: log("b")) == .erase)
  }

  @Test("M-15: in a log with an open fork nothing loses its bytes")
  func forked() {
    var history = timeline()
    history.fork("b")
    #expect(history.membership.judge(erasureIn: log("b"), at: 9, of: log("a")) == .hideUntilSettled)
    #expect(history.membership.judge(erasureIn: log("b"), at: 9, of: log("b")) == .hideUntilSettled)
    history.end("b", by: "a", at: [log("b"): 9], to: .admin)
    #expect(history.membership.judge(erasureIn: log("b"), at: 9, of: log("a")) == .hide)
  }

  @Test("M-15: erasures from before the founding are carried out, up to the adopted size")
  func adopted() {
    let membership = timeline().membership
    let old = History.old("b")
    #expect(membership.judge(erasureIn: old, at: 6, of: History.old("nobody")) == .erase)
    #expect(membership.judge(erasureIn: old, at: 7, of: History.old("nobody")) == .keep)
  }
}

@Suite("What a machine refuses to record")
struct RecordingTests {
  private let a = History.id("a")
  private let b = History.id("b")

  @Test("M-16: a member line without the right, of a code that is used, of a device that was ended")
  func members() {
    var history = History()
    history.invite("b", by: "a", .admin, code: 1)
    history.invite("c", by: "b", code: 2)
    var membership = history.membership
    #expect(membership.refusal(of: History.member("d"), by: History.id("c")) == .noRight)
    #expect(membership.refusal(of: History.member("d"), by: History.id("x")) == .noRight)
    #expect(membership.refusal(of: History.member("d", code: 3), by: a) == nil)
    #expect(membership.refusal(of: History.member("d", code: 1), by: a) == .codeUsed(by: b))
    #expect(membership.refusal(of: History.member("b", code: 1), by: a) == nil)
    #expect(membership.refusal(of: History.member("d", code: 1), by: b) == nil)
    history.end("c", by: "b")
    membership = history.membership
    #expect(membership.refusal(of: History.member("c"), by: b) == .ended)
    #expect(membership.refusal(of: History.member("c"), by: a) == .ended)
    let signed = History.member("c").signed(by: History.recovery, of: membership.timeline)
    #expect(membership.refusal(of: signed, by: History.id("x")) == .ended)
    let new = History.member("d").signed(by: History.recovery, of: membership.timeline)
    #expect(membership.refusal(of: new, by: History.id("x")) == nil)
    let wrong = History.member("d").signed(by: History.key("x"), of: membership.timeline)
    #expect(membership.refusal(of: wrong, by: a) == .signature)
  }

  @Test("M-16: after a lowering no higher role, but the same one")
  func lowered() {
    var history = History()
    history.invite("b", by: "a", .admin)
    history.end("b", by: "a", to: .write)
    #expect(history.membership.refusal(of: History.member("b", .admin), by: a) == .ended)
    #expect(history.membership.refusal(of: History.member("b", .write), by: a) == nil)
  }

  @Test("M-16: an end without the right, of an equal, of nobody, below what is here")
  func ends() {
    var history = History()
    history.invite("b", by: "a", .admin)
    history.invite("c", by: "a", .admin)
    history.invite("d", by: "b")
    history.invite("r", by: "b", .read)
    let membership = history.membership
    let having = Position([log("d"): 5, log("a"): 7])
    func refusal(_ end: MemberEnd, by name: String) -> RecordingRefusal? {
      membership.refusal(of: end, by: History.id(name), having: having)
    }
    #expect(refusal(History.ending("d", [log("d"): 5]), by: "c") == nil)
    #expect(refusal(History.ending("d", [log("d"): 9]), by: "c") == nil)
    #expect(refusal(History.ending("d", [log("d"): 4]), by: "c") == .below(log("d"), has: 5))
    #expect(refusal(History.ending("d"), by: "c") == .below(log("d"), has: 5))
    #expect(refusal(History.ending("b"), by: "c") == .rank)
    #expect(refusal(History.ending("x"), by: "c") == .noMember)
    #expect(refusal(History.ending("r"), by: "d") == .noRight)
    #expect(refusal(History.ending("d", [log("d"): 5]), by: "d") == nil)
    #expect(refusal(History.ending("r"), by: "r") == .noRight)
    let signed = History.ending("a", [log("a"): 7]).signed(
      by: History.recovery, of: membership.timeline)
    #expect(refusal(signed, by: "d") == nil)
    #expect(
      refusal(History.ending("a").signed(by: History.recovery, of: membership.timeline), by: "d")
        == .below(log("a"), has: 7))
    #expect(
      refusal(History.ending("a").signed(by: History.key("b"), of: membership.timeline), by: "a")
        == .signature)
  }

  @Test("M-16: where a log forked, or was cut already, an end may name a lower line")
  func belowAnEnd() {
    var history = History()
    history.invite("b", by: "a")
    history.end("b", by: "a", at: [log("b"): 3], to: .read)
    let having = Position([log("b"): 9])
    let lower = History.ending("b", [log("b"): 3])
    #expect(history.membership.refusal(of: lower, by: a, having: having) == nil)
    let lowest = History.ending("b", [log("b"): 2])
    #expect(
      history.membership.refusal(of: lowest, by: a, having: having) == .below(log("b"), has: 3))
    history.fork("b")
    #expect(history.membership.refusal(of: lowest, by: a, having: having) == nil)
  }
}
