import Testing

@testable import TimelineModel

@Test("Marks that join their neighbours do not hide a space, a quote or a sign of the language")
func joiningMarks() throws {
  // U+0602 makes one Character with what follows, U+0301 with what stands before.
  let filter = try Filter("tag=x\u{602} actor=PRK tag=\u{301}y author=\"a b\u{602}\"")
  #expect(filter.tags == ["x\u{602}", "\u{301}y"])
  #expect(filter.actors == [ActorCode("PRK")!])
  #expect(filter.authors == ["a b\u{602}"])
}
