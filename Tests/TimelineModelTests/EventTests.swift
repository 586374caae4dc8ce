import Testing

@testable import TimelineModel

/// The message of a refusal; nil where the event is accepted.
private func refusal(_ json: String) -> String? {
  let bytes = [UInt8](json.utf8)
  return bytes.withUnsafeBufferPointer { bytes in
    let reader = BodyReader(Vocabulary())
    do throws(JSONError) {
      try reader.parse(bytes)
    } catch {
      return error.message
    }
    do throws(EventError) {
      _ = try reader.validate(bytes, registry: .shipped, isStored: false)
      return nil
    } catch {
      return error.text
    }
  }
}

private func event(_ changes: String = "", date: String = "2017-11-29") -> String {
  #"{"type":"test","subtype":"icbm","date":"\#(date)","actors":["PRK"],"title":"A test","#
    + #""unsourced":true\#(changes)}"#
}

@Test("a whole event is accepted")
func accepted() {
  #expect(refusal(event()) == nil)
  #expect(refusal(event(#","tags":["a","b:c"],"targets":["USA"],"anything":{"x":[1,2]}"#)) == nil)
}

@Test(
  "a refusal names the field, the value and what would be right",
  arguments: [
    (event(date: "2017-02-30"), "date: \"2017-02-30\": February 2017 has 28 days"),
    (event(date: "30.11.2017"), "date: \"30.11.2017\": write the year first: 2017-11-29"),
    (
      event(#","targets":["PKR"]"#),
      "targets: unknown actor \"PKR\"; did you mean PRK"
    ),
    (event(#","confidence":"sure""#), "confidence: \"sure\" is not one of high, medium, low"),
    (event(#","type":"test""#), "the key \"type\" stands twice in one object"),
    (event(#","seq":3"#), "seq: this field is written by the daemon"),
    (event(#","weight":5"#), "weight_reason: missing"),
    (event(#","weight":1e999"#), "a number that a double cannot hold"),
    (event(#","commitments":[]"#), "commitments: stand on an agreement"),
    (#"{"type":"tset"}"#, "type: \"tset\" is no type; did you mean test?"),
  ])
func refused(json: String, message: String) {
  #expect(refusal(json)?.hasPrefix(message) == true, "\(refusal(json) ?? "accepted")")
}

@Test("what one event is linked with has a bound; a line of another machine is read all the same")
func bounds() {
  func linked(_ count: Int) -> String {
    let links = (0..<count).map {
      #"{"rel":"follows","id":"00000000-0000-4000-8000-0000000\#(10_000 + $0)"}"#
    }
    return event(",\"links\":[" + links.joined(separator: ",") + "]")
  }
  #expect(refusal(linked(200)) == nil)
  #expect(refusal(linked(201))?.hasPrefix("links: 201 of them; at most 200: ") == true)
  let bytes = [UInt8](linked(201).utf8)
  bytes.withUnsafeBufferPointer { bytes in
    let reader = BodyReader(Vocabulary())
    #expect(throws: Never.self) {
      try reader.parse(bytes)
      _ = try reader.validate(bytes, registry: nil, isStored: true)
    }
  }
}
