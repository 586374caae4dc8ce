import Testing

@testable import TimelineModel

private func problem(_ json: String) -> JSONError.Problem? {
  Array(json.utf8).withUnsafeBufferPointer { bytes in
    var document = JSONDocument()
    do throws(JSONError) {
      try document.parse(bytes)
      return nil
    } catch { return error.problem }
  }
}

@Test("a key that stands twice is refused, whatever its length, its place and what follows it")
func duplicateKeys() {
  for length in 0...20 {
    let key = String("abcdefghijklmnopqrstuvwxyz".prefix(length))
    for between in ["", #""other":1,"#, #""p":{"q":[1,2,{}]},"longer than eight":2,"#] {
      for value in ["1", "[]", "{}", "null", #""""#, #""a value of some length""#] {
        for tail in ["", #","z":1"#, #","salt":"UYq719Mzhg0yR+fBgGd4sg==","crc32c":"fed09399""#] {
          let json = #"{"\#(key)":\#(value),\#(between)"\#(key)":\#(value)\#(tail)}"#
          #expect(problem(json) == .duplicateKey(key), "\(json)")
          #expect(problem(#"{"in":\#(json)}"#) == .duplicateKey(key), "\(json)")
        }
      }
    }
    // Two spellings of one key are the same key.
    if let first = key.first {
      let spelled = "\\u00" + String(first.asciiValue!, radix: 16) + key.dropFirst()
      #expect(problem(#"{"\#(key)":1,"\#(spelled)":2}"#) == .duplicateKey(key))
      #expect(problem(#"{"\#(spelled)":1,"\#(key)":2}"#) == .duplicateKey(key))
    }
  }
}

@Test("keys that differ are taken, however alike, and however many")
func differentKeys() {
  let keys = (0..<400).map { "key\($0)" } + ["", "k", "ke", "key", "keykeyke", "keykeykey"]
  let members = keys.map { #""\#($0)":1"# }.joined(separator: ",")
  #expect(problem("{\(members)}") == nil)
  for key in keys { #expect(problem(#"{\#(members),"\#(key)":2}"#) == .duplicateKey(key)) }
}
