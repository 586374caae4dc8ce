import Support
import Testing
import TimelineModel

@testable import EventStore

@Suite("The ordered list of events")
struct OrderedSlotsTests {
  @Test("holds what was put in and not taken out, in order, however it came")
  func order() {
    let seed = UInt64.random(in: 0 ... .max)
    var chance = SplitMix(seed: seed)
    // Few days, so that many events share one and the ids decide.
    let events = (0..<6000).map { _ in
      (
        day: Day(number: Int32(chance.next() % 40)),
        id: UUIDBytes(high: chance.next() % 500, low: chance.next())
      )
    }
    var list = OrderedSlots()
    var expected: Set<UInt32> = []
    var next: UInt32 = 0
    func idAt(_ slot: UInt32) -> UUIDBytes { events[Int(slot)].id }
    func isBefore(_ left: UInt32, _ right: UInt32) -> Bool {
      (events[Int(left)].day, idAt(left)) < (events[Int(right)].day, idAt(right))
    }
    while next < events.count {
      let count = min(UInt32([1, 2, 30, 700, 2000][Int(chance.next() % 5)]), 6000 - next)
      let new = (next..<next + count).sorted(by: isBefore)
      list.insert(
        ContiguousArray(new.map { OrderedSlots.Entry(first: events[Int($0)].day, slot: $0) }),
        idAt: idAt)
      expected.formUnion(new)
      next += count
      for slot in expected where chance.next() % 9 == 0 {
        list.remove(OrderedSlots.Entry(first: events[Int(slot)].day, slot: slot), idAt: idAt)
        expected.remove(slot)
      }
      let day = Day(number: Int32(chance.next() % 42))
      var up: [UInt32] = []
      list.ascending(from: day) {
        up.append($0)
        return true
      }
      var down: [UInt32] = []
      list.descending(to: day) {
        down.append($0)
        return true
      }
      let sorted = expected.sorted(by: isBefore)
      #expect(list.count == sorted.count, "seed \(seed)")
      #expect(up == sorted.filter { events[Int($0)].day >= day }, "seed \(seed)")
      #expect(down == sorted.filter { events[Int($0)].day <= day }.reversed(), "seed \(seed)")
    }
  }
}
