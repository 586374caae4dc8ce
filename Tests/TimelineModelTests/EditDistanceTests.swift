import Testing
import TimelineModel

@Suite("Words that may have been meant")
struct EditDistanceTests {
  @Test(
    "A letter put in, left out, changed, or swapped with its neighbour counts one",
    arguments: [
      ("", "", 0), ("", "abc", 3), ("abc", "", 3), ("test", "test", 0), ("tset", "test", 1),
      ("tst", "test", 1), ("teest", "test", 1), ("tent", "test", 1), ("kitten", "sitting", 3),
      // A swap is of neighbours that stay neighbours.
      ("ca", "abc", 3), ("abcdef", "badcfe", 3), ("é", "e", 1),
    ])
  func distance(left: String, right: String, expected: Int) {
    #expect(EditDistance.between(left, right) == expected)
    #expect(EditDistance.between(right, left) == expected)
  }

  @Test("The nearest first, no more than three, none that is too far")
  func nearest() {
    let words = ["message", "meeting", "messages", "passage", "massage", "test", "talks"]
    #expect(EditDistance.nearest(to: "Mesage", in: words) == ["message", "massage", "messages"])
    #expect(EditDistance.nearest(to: "tset", in: words) == ["test"])
    #expect(EditDistance.nearest(to: "sanction", in: words) == [])
    #expect(EditDistance.nearest(to: String(repeating: "test", count: 17), in: words) == [])
  }
}
