// Events in few words, as JSON: what is linted is what stands in a line.

import Coding
import TimelineModel

func id(_ name: String) -> EventID { EventID(importedName: name) }

/// - Parameter more: members that come last, as JSON.
func linted(
  _ name: String, _ type: String, _ date: String, title: String? = nil,
  actors: [String] = ["USA"], targets: [String] = ["PRK"], contested: Bool = false,
  _ more: String = #""sources":[{"url":"https://a.example"}]"#
) -> LintedEvent {
  let quoted = { (codes: [String]) in codes.map { "\"\($0)\"" }.joined(separator: ",") }
  let title = JSONValue.string(title ?? name).text
  let text =
    #"{"type":"\#(type)","date":"\#(date)","actors":[\#(quoted(actors))],"#
    + #""targets":[\#(quoted(targets))],"title":\#(title),\#(more)}"#
  return Array(text.utf8).withUnsafeBufferPointer { bytes in
    var document = JSONDocument()
    try! document.parse(bytes)
    return LintedEvent(
      id: id(name), isContested: contested, document, node: 0, in: bytes)!
  }
}

/// `rel:name` or `rel:name#key`, as the member `links`.
func links(_ words: String...) -> String {
  let links = words.map { word in
    let sides = word.split(separator: ":")
    let target = sides[1].split(separator: "#")
    return #"{"rel":"\#(sides[0])","id":"\#(id(String(target[0])))""#
      + (target.count > 1 ? #","key":"\#(target[1])""# : "") + "}"
  }
  return #""unsourced":true,"tags":["lint:no-source"],"links":[\#(links.joined(separator: ","))]"#
}

/// The findings of all kinds that are asked for, or of all but the soft ones.
func findings(
  _ events: [LintedEvent], on day: String = "2020-01-01", _ kinds: LintKind...,
  find: @escaping (EventID) -> Lint.Target = { _ in .unknown }
) -> [Finding] {
  var lint = Lint(on: Day(day)!)
  for event in events { lint.take(event) }
  return lint.finish(find).filter {
    kinds.isEmpty ? !$0.kind.isSoft : kinds.contains($0.kind)
  }
}
