// The events of a what-if, from files and from options, as lines for the daemon. Names of events in
// files are made into ids as an import makes them, so that what is recorded later is the same event.

import Foundation
import TimelineClient
import TimelineModel
import TimelineWire

struct HypothesisFiles {
  private struct Line {
    /// Where it stood; empty for one that options made.
    var location: String
    var event: JSONValue
  }

  private var files: [(path: String, data: Data)] = []
  private var lines: [Line] = []
  /// Of events of the log that are left out.
  private(set) var titles: [String: String] = [:]

  /// Reads the files; what they hold is looked at once there is a daemon.
  init(_ paths: [String]) throws(Failure) {
    for path in paths { files.append((path, try InputFile.read(path))) }
  }

  /// The last of the days on which one of them begins.
  var lastDay: Day? {
    lines.compactMap { line in
      (try? EventDate(line.event["date"]?.string ?? ""))?.first
    }.max()
  }

  /// What of it can be told of each: its date, kind, parties and title.
  var events: [JSONValue] { lines.map(\.event) }

  // MARK: Files

  mutating func read(_ client: Client) throws(Failure) {
    let registry = try Parties.registry(client)
    for (path, data) in files {
      var reader = ImportReader(registry: registry, author: nil)
      reader.read(data, ImportReader.Format(path: path))
      if let problem = (reader.faults + reader.problems).first {
        throw Failure(.failed, code: "bad-event", "\(path):\(problem.line): \(problem.message)")
      }
      if reader.count == 0 { Terminal.say("timelinectl: \(path) holds no events") }
      guard reader.actors.count == 0 else {
        throw Failure(
          .failed, code: "bad-event",
          "\(path):\(reader.actors.line(0)): a what-if takes events alone; \(Again.timelinectl) actor add"
            + " makes a new actor known")
      }
      for batch in reader.batches {
        for index in batch.items.indices {
          lines.append(
            Line(location: "\(path):\(batch.line(index))", event: Client.json(batch.text(index))))
        }
      }
    }
    try resolveLinks(client)
  }

  /// A link may name an event of the log by the first characters of its id. The reader took all that
  /// is no id for a name; what such a name leads to is looked for among the words of the file.
  private mutating func resolveLinks(_ client: Client) throws(Failure) {
    let own = Set(events.compactMap { $0["id"]?.string })
    var words: [String: String] = [:]
    for (_, data) in files {
      for word in Self.hexWords(data) { words[EventID(importedName: word).description] = word }
    }
    var found: [String: String] = [:]
    var isHere: [String: Bool] = [:]
    for (index, line) in lines.enumerated() {
      guard let links = line.event["links"]?.array else { continue }
      var body = EventBody(line.event.members ?? [])
      var resolved: [JSONValue] = []
      for link in links {
        let id = link["id"]?.string ?? ""
        guard !own.contains(id), let word = words[id] else {
          resolved.append(link)
          guard !own.contains(id), EventID(id) != nil else { continue }
          if isHere[id] == nil { isHere[id] = try Self.isHere(id, client) }
          if isHere[id] == false {
            Terminal.say(
              "timelinectl: \(line.location): the link \(link["rel"]?.string ?? "") leads to an event that"
                + " is neither here nor among these, and says nothing")
          }
          continue
        }
        if found[id] == nil {
          do throws(Failure) { found[id] = try EventVersions(word, client).id } catch {
            var failure = error
            failure.text = "\(line.location): links: \(error.text)"
            throw failure
          }
        }
        let members = (link.members ?? []).map { member in
          member.key == "id" ? JSONValue.Member("id", .string(found[id] ?? id)) : member
        }
        resolved.append(.object(members))
      }
      body.setItems("links", resolved)
      lines[index].event = body.json
    }
  }

  private static func isHere(_ id: String, _ client: Client) throws(Failure) -> Bool {
    do throws(Failure) {
      _ = try client.stream(.get(id)) { _, _ in }
      return true
    } catch {
      guard error.reply?.code == .notFound else { throw error }
      return false
    }
  }

  /// Words of hex digits and hyphens that are shorter than an id.
  private static func hexWords(_ data: Data) -> Set<String> {
    var words: Set<String> = []
    for word in data.split(whereSeparator: { byte in
      !((0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20) || byte == 0x2D)
    }) where (4..<UUIDBytes.textLength).contains(word.count) {
      words.insert(String(decoding: word, as: UTF8.self))
    }
    return words
  }

  // MARK: Options

  /// One more event, by options. Its links may name those before it.
  mutating func add(_ patch: EventPatch, _ client: Client) throws(Failure) {
    var body = EventBody()
    try patch.apply(to: &body) { (word) throws(Failure) in
      if let event = own(word) { return event }
      let versions = try EventVersions(word, client)
      try versions.needEvent(named: word)
      return EventLink.Target(id: versions.id, versions.body)
    }
    guard !body.isEmpty else {
      throw Failure(
        .usage, "--add stands ahead of the options of an event, those of timelinectl add")
    }
    lines.append(Line(location: "", event: body.json))
  }

  /// The ids of events of the log that are to be left out.
  mutating func without(_ words: [String], _ client: Client) throws(Failure) -> [String] {
    var ids: [String] = []
    for word in words {
      let versions = try EventVersions(word, client)
      try versions.needEvent(named: word)
      ids.append(versions.id)
      titles[versions.id] = versions.title
    }
    return ids
  }

  /// One of these events, by its name or the first characters of the id.
  private func own(_ word: String) -> EventLink.Target? {
    let named = EventID(importedName: word).description
    func first(_ isMeant: (String) -> Bool) -> EventLink.Target? {
      for event in events {
        guard let id = event["id"]?.string, isMeant(id) else { continue }
        return EventLink.Target(id: id, EventBody(of: event))
      }
      return nil
    }
    return first { $0 == named } ?? first { word.count >= 4 && $0.hasPrefix(word) }
  }

  // MARK: Asking

  func ask(_ question: JSONValue, _ client: Client) throws(Failure) -> JSONValue {
    let request = Ask.whatIf(lines.count, question)
    do throws(Failure) {
      try client.send(request, lines.lazy.map { Array(($0.event.text + "\n").utf8) })
      return try client.answer(to: request)
    } catch {
      throw error.reply.map(placed) ?? error
    }
  }

  /// What is wrong with a line, by where a person finds it.
  private func placed(_ reply: ErrorReply) -> Failure {
    guard let number = reply.line, lines.indices.contains(number - 1) else { return Failure(reply) }
    var reply = reply
    reply.line = nil
    let location = lines[number - 1].location
    var failure = Failure(reply, location.isEmpty ? .flags : .json)
    if !location.isEmpty { failure.text = "\(location): \(failure.text)" }
    return failure
  }
}
