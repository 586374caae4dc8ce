import Testing
import TimelineModel
import TimelineWire

struct ErrorReplyTests {
  private func written(_ error: ErrorReply) -> String {
    var bytes: [UInt8] = []
    Reply.error(error, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  private func read(_ line: String) -> ErrorReply? { ErrorReply.parse(Array(line.utf8)) }

  @Test("An error with structure is a sentence, a TAB and the same as JSON")
  func structure() {
    let error = ErrorReply(
      .badEvent, "\"2017-02-30\": February 2017 has 28 days", line: 2, field: "date",
      value: "2017-02-30", hint: .missing)
    #expect(error.text == "line 2: date: \"2017-02-30\": February 2017 has 28 days")
    #expect(
      written(error)
        == "ERR bad-event line 2: date: \"2017-02-30\": February 2017 has 28 days\t"
        + "{\"line\":2,\"field\":\"date\",\"value\":\"2017-02-30\",\"hint\":\"missing\"}\n")
    #expect(read(String(written(error).dropLast())) == error)
  }

  @Test("An error without structure is the sentence alone")
  func noStructure() {
    let error = ErrorReply(.busy, "too many connections; try again later")
    #expect(written(error) == "ERR busy too many connections; try again later\n")
    #expect(read("ERR busy too many connections; try again later") == error)
  }

  @Test("Control characters of a quoted value leave neither the sentence nor the line")
  func control() {
    let error = ErrorReply(
      .badEvent, "a\tb\u{1B}[31m\r\n", field: "x\u{9B}y", value: "\t\u{2028}")
    let line = written(error)
    #expect(line == "ERR bad-event x y: a b [31m  \t{\"field\":\"x y\",\"value\":\"  \"}\n")
    #expect(read(String(line.dropLast()))?.message == "a b [31m  ")
  }

  @Test("A value is cut, whatever it is made of")
  func longValue() {
    let error = ErrorReply(.badEvent, "", value: String(repeating: "\r\n", count: 100))
    let line = String(written(error).dropLast())
    #expect(read(line)?.value?.unicodeScalars.count == ErrorReply.valueMax)
    #expect(read(line).map(written) == line + "\n")
  }

  @Test("What is no error, or one of a word to come, is not read; a hint to come is passed over")
  func strangers() {
    #expect(read("OK {}") == nil)
    #expect(read("ERR of-tomorrow text") == nil)
    #expect(read("ERR") == nil)
    #expect(read("ERR full") == ErrorReply(.full, ""))
    #expect(
      read("ERR full no space\t{\"hint\":\"later\",\"n\":1}") == ErrorReply(.full, "no space"))
    #expect(read("ERR full no space\t{") == ErrorReply(.full, "no space"))
  }

  @Test("A ROW of CHECKMANY has the same members")
  func rows() {
    let error = ErrorReply(
      .badEvent, "unknown actor \"QQQ\"", line: 3, field: "actors", value: "QQQ",
      hint: .unknownActor)
    #expect(
      error.row.text
        == "{\"line\":3,\"error\":\"bad-event\",\"text\":\"actors: unknown actor \\\"QQQ\\\"\","
        + "\"field\":\"actors\",\"value\":\"QQQ\",\"hint\":\"unknown-actor\"}")
    #expect(ErrorReply(row: error.row) == error)
    #expect(ErrorReply(row: .object(["line": .int(1), "error": .string("no-word")])) == nil)
  }
}
