// The events of a WHATIF: each gets an id where it has none, is checked as if it were to be recorded,
// and is laid over the log of the question. Nothing of it is kept.

import Engagement
import EventStore
import TimelineModel
import TimelineWire

struct Hypotheses {
  private let lines: [[UInt8]]

  init(_ texts: [UnsafeBufferPointer<UInt8>]) {
    // The same words twice are two events: the id is that of the words, and of how often they came.
    var counts: [String: Int] = [:]
    lines = texts.map { text in
      guard let body = try? JSONValue(parsing: text), let members = body.members, body["id"] == nil
      else { return Array(text) }
      let said = members.filter { $0.key != "author" }.sorted { $0.key < $1.key }
      let words = JSONValue.object(said).text
      let number = counts[words, default: 0]
      counts[words] = number + 1
      let id = EventID(importedName: "what-if:\(number):" + words)
      return Array(JSONValue.object([JSONValue.Member("id", .string("\(id)"))] + members).text.utf8)
    }
  }

  /// The events, by their ids, in the order of the lines; none of a line that says what one before it
  /// said.
  func events(
    _ timeline: Timeline, _ recording: Timeline.Recording
  ) throws(ErrorReply) -> [Event] {
    let verdicts = Self.withBuffers(lines) {
      timeline.check($0, recording, areHypotheses: true)
    }
    var events: [Event] = []
    for (index, verdict) in verdicts.enumerated() {
      do throws(ErrorReply) {
        events.append(try event(index, verdict))
      } catch {
        var error = error
        error.line = index + 1
        throw error
      }
    }
    var seen: Set<EventID> = []
    return events.filter { seen.insert($0.id).inserted }
  }

  private func event(
    _ index: Int, _ verdict: Result<Timeline.Staged, AppendError>
  ) throws(ErrorReply) -> Event {
    let staged: Timeline.Staged
    do throws(AppendError) { staged = try verdict.get() } catch { throw ErrorReply(error) }
    let event = lines[index].withUnsafeBufferPointer { text -> Event? in
      var document = JSONDocument()
      guard (try? document.parse(text)) != nil else { return nil }
      return Event(id: staged.id, document: document, in: text)
    }
    guard let event else {
      throw ErrorReply(
        .badEvent,
        "a line about the log is no event that might happen; without names events that are"
          + " to be left out", field: "type")
    }
    return event
  }

  private static func withBuffers<Result>(
    _ lines: [[UInt8]], _ body: ([UnsafeBufferPointer<UInt8>]) -> Result
  ) -> Result {
    let all = lines.flatMap { $0 }
    return all.withUnsafeBufferPointer { bytes in
      var start = 0
      return body(
        lines.map { line in
          defer { start += line.count }
          return UnsafeBufferPointer(rebasing: bytes[start..<start + line.count])
        })
    }
  }
}

extension StateQuestion {
  /// Takes the events of a WHATIF in. What the log holds already by the moment asked about is nothing
  /// to be added, even where it was retracted: recording it once more would change nothing.
  mutating func lay(
    _ hypotheses: Hypotheses, _ timeline: Timeline, _ recording: Timeline.Recording
  ) throws(ErrorReply) {
    guard var whatIf else { return }
    let log = timeline.view
    let shown = log.shownIDs(knownAt: query.knownAt)
    let events = try hypotheses.events(timeline, recording).map { $0.leading(to: shown) }
    whatIf.events = events
    for event in events {
      switch log.find(event.id, knownAt: query.knownAt) {
      case .unknown: break
      case .retracted: whatIf.known[event.id] = .retracted
      case .shown, .line: whatIf.known[event.id] = .recorded
      }
    }
    for id in whatIf.without {
      if case .retracted = log.find(id, knownAt: query.knownAt) { whatIf.known[id] = .retracted }
    }
    whatIf.laid = WhatIf(
      events: events.filter { whatIf.known[$0.id] == nil },
      without: whatIf.without.map { shown[$0] ?? $0 })
    if !whatIf.isDayGiven, let last = events.map(\.date.first).max() { day = max(day, last) }
    self.whatIf = whatIf
  }
}
