import Testing
import TimelineModel

@Suite("Tables of rules")
struct RuleTableTests {
  private func body(_ table: String, _ rows: String, name: String = "TEAM-1") -> String {
    #"{"type":"log.rules","table":"\#(table)","name":"\#(name)","reason":"r","rows":\#(rows)}"#
  }

  /// What a request is refused with, or a line of another machine cannot be used for.
  private func fault(_ text: String, isStored: Bool = false) -> String? {
    let reader = BodyReader(Vocabulary())
    return Array(text.utf8).withUnsafeBufferPointer { bytes in
      do {
        try reader.parse(bytes)
        let body = try reader.validate(
          bytes, registry: isStored ? nil : .shipped, isStored: isStored)
        if case .controlRecord(_, .unusableRules(let fault)) = body { return fault }
        guard case .controlRecord(_, .rules) = body else { return "no table" }
        return nil
      } catch let error as EventError {
        return error.text
      } catch { return "\(error)" }
    }
  }

  private func weights(_ more: String = "", without: String = "") -> String {
    let rows = EventType.ofEvents.filter { $0.word != without }
      .map { #"{"type":"\#($0.word)","weight":1}"# }
    return "[" + (rows + (more.isEmpty ? [] : [more])).joined(separator: ",") + "]"
  }

  private func windows(_ change: (WindowName) -> String?) -> String {
    "["
      + WindowName.allCases.compactMap { window in
        change(window).map { #"{"name":"\#(window.rawValue)","value":\#($0)}"# }
      }.joined(separator: ",") + "]"
  }

  @Test("What ships is valid, and its rows are a team's table too")
  func shipped() throws {
    for table in RuleTables.shipped.all {
      #expect(fault(body(table.kind.rawValue, table.json.text, name: table.recordedVersion)) == nil)
      #expect(fault(body(table.kind.rawValue, table.json.text)) == nil)
      #expect(CSVTable(utf8: table.csv.utf8).rows.count == table.rows.count)
      let again = try RuleTable(
        table.kind, version: table.version, rows: table.json.array ?? [], registry: nil)
      #expect(again == table)
    }
    #expect(
      RuleTables.shipped[.weights].csv.hasPrefix(
        "version,type,subtype,weight,note\n3,message,,2,\n"))
  }

  @Test(
    "A row that cannot be right is refused, with its number and value",
    arguments: [
      (#"{"type":"test","subtype":"srbm","weight":10.001}"#, "rows[14].weight: 10.001: a number"),
      (#"{"type":"test","subtype":"srbm","weight":-11}"#, "rows[14].weight: -11: a number"),
      (#"{"type":"test","subtype":"srbm","weight":0.0001}"#, "rows[14].weight: 0.0001: a number"),
      (#"{"type":"test","subtype":"srbm","weight":1e300}"#, "rows[14].weight: "),
      (#"{"type":"test","subtype":"srbm","weight":"5"}"#, "rows[14].weight: "),
      (#"{"type":"test","subtype":"srbm","weight":null}"#, "rows[14].weight: null"),
      (#"{"type":"test","subtype":"srbm"}"#, "rows[14].weight: missing"),
      (#"{"type":"test","subtype":"s r","weight":1}"#, #"rows[14].subtype: "s r" is no word"#),
      (#"{"type":"test","weight":1}"#, "rows[14].type: test stands in rows[6] already"),
      (#"{"subtype":"srbm","weight":1}"#, "rows[14].type: missing"),
      (#""test""#, "rows[14]: a row is an object"),
    ])
  func rows(row: String, said: String) {
    for isStored in [false, true] {
      let text = fault(body("weights", weights(row)), isStored: isStored)
      #expect(text?.hasPrefix(said) == true, "\(text ?? "taken")")
    }
  }

  @Test("What another program may know is refused here, and kept where it comes from elsewhere")
  func elsewhere() {
    for (table, rows, said) in [
      ("weights", weights(#"{"type":"visit","weight":1}"#), #"rows[14].type: "visit" is no type"#),
      ("weights", weights(#"{"type":"tset","weight":1}"#), "did you mean test?"),
      (
        "weights", weights(#"{"type":"test","subtype":"srbm","weight":1,"wight":2}"#),
        "did you mean weight?"
      ),
      ("weights", weights(without: "aid"), "lacks aid"),
      ("interests", #"[{"party":"XYZ","key":"k","name":"n"}]"#, "unknown actor"),
      ("interests", "[]", "the list is empty"),
      (
        "windows", "[" + #"{"name":"new_days","value":1},"# + windows { _ in "1" }.dropFirst(),
        #""new_days" is no window"#
      ),
    ] {
      #expect(
        fault(body(table, rows))?.contains(said) == true, "\(fault(body(table, rows)) ?? "taken")")
      #expect(fault(body(table, rows), isStored: true) == nil)
    }
  }

  @Test("Every weight of three decimals is one, in a table and of an event")
  func threeDecimals() {
    for number in stride(from: -10_000, through: 10_000, by: 7) {
      let text =
        "\(number < 0 ? "-" : "")\(abs(number) / 1000).\(String(abs(number) % 1000 + 1000).dropFirst())"
      let row = #"{"type":"test","subtype":"srbm","weight":\#(text)}"#
      #expect(fault(body("weights", weights(row))) == nil)
      let event =
        #"{"type":"test","date":"2017","actors":["PRK"],"title":"t","unsourced":true,"weight":\#(text),"weight_reason":"r"}"#
      #expect(fault(event) == "no table", "\(text)")
    }
  }

  @Test("Windows are whole, in their range, and all there")
  func windowRanges() {
    #expect(fault(body("windows", windows { _ in "1" })) == nil)
    #expect(fault(body("windows", windows { _ in "1e2" })) == nil)
    for isStored in [false, true] {
      for value in ["0", "-1", "3651", "1.5", "1e4", "\"7\"", "123456789012"] {
        let rows = windows { $0 == .talksDays ? value : "30" }
        let text = fault(body("windows", rows), isStored: isStored)
        #expect(text?.hasPrefix("rows[2].value: ") == true, "\(value): \(text ?? "taken")")
      }
      #expect(
        fault(body("windows", windows { $0 == .answerDays ? nil : "30" }), isStored: isStored)?
          .hasSuffix("lacks answer_days") == true)
      #expect(
        fault(body("windows", windows { $0 == .crisisWeight ? "1001" : "30" }), isStored: isStored)
          != nil)
    }
  }

  @Test(
    "A name is none that ships",
    arguments: ["2", "99", "shipped-2", "shipped-3", "shipped-x", "a b", "", "é", "a/b"])
  func names(name: String) {
    #expect(fault(body("weights", weights(), name: name))?.hasPrefix("name: ") == true)
  }

  @Test("A body says which table, its name, its rows, and why")
  func bodies() {
    for (text, said) in [
      (#"{"type":"log.rules","name":"T","reason":"r","rows":[]}"#, "table: missing"),
      (
        #"{"type":"log.rules","table":"actors","name":"T","reason":"r","rows":[]}"#,
        "table: \"actors\""
      ),
      (#"{"type":"log.rules","table":"weights","reason":"r","rows":[]}"#, "name: missing"),
      (#"{"type":"log.rules","table":"weights","name":"T","reason":"r"}"#, "rows: missing"),
      (
        #"{"type":"log.rules","table":"weights","name":"T","reason":"r","rows":{}}"#,
        "rows: must be"
      ),
    ] {
      for isStored in [false, true] {
        #expect(fault(text, isStored: isStored)?.hasPrefix(said) == true, "\(text)")
      }
    }
    let bare = #"{"type":"log.rules","table":"weights","name":"T","rows":\#(weights())}"#
    #expect(fault(bare)?.hasPrefix("reason: missing") == true)
    #expect(fault(bare, isStored: true) == nil)
  }

  @Test("Subtypes that the model does not name are reported")
  func subtypes() throws {
    let rows = try JSONValue(parsing: weights(#"{"type":"test","subtype":"glide","weight":1}"#))
    let table = try RuleTable(.weights, version: "T", rows: rows.array!, registry: .shipped)
    #expect(table.unknownSubtypes.map(\.row) == [14])
    #expect(RuleTables.shipped[.weights].unknownSubtypes.isEmpty)
  }
}
