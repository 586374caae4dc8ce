// CONFLICTS: events whose versions nobody settled, a row each: who says what, by field. A row has a bounded
// size, whatever the conflict's.

import EventStore
import TimelineModel

struct ConflictsQuestion: Sendable {
  static let limitUsual = 100
  static let limitMax = 10_000
  /// Versions of an event that are told, the newest; nobody reads more side by side.
  private static let versionsMax = 10
  /// What one says of a field is told whole up to so many bytes, and then only how it begins.
  private static let valueBytesMax = 500
  private static let beginning = 120

  var limit: Int

  func answer(
    _ query: Query, _ view: ReadView, isWanted: () -> Bool
  ) -> (rows: [JSONValue], end: JSONValue) {
    var rows: [JSONValue] = []
    var count = 0
    view.conflicts(query, versionsMax: Self.versionsMax) { conflict in
      count += 1
      if rows.count < limit { rows.append(Self.row(conflict)) }
      return isWanted()
    }
    let end = JSONValue.object([
      "count": .int(count), "position": (query.knownAt ?? view.position).json,
    ]).citing(query.cited)
    return (rows, end)
  }

  private static func row(_ conflict: Conflict) -> JSONValue {
    let wordings = conflict.newest.compactMap { version in
      version.line.flatMap(body).map { (version.id, $0) }
    }
    let shown = conflict.wording.flatMap(body)
    return .object([
      "id": .string(conflict.id.description), "date": shown?["date"], "type": shown?["type"],
      "title": shown?["title"],
      "count": .int(conflict.standing.count), "lines": .int(conflict.standing.lines),
      "shows": conflict.newest.last.map { .string($0.id.description) },
      "versions": .array(conflict.newest.map { row($0, of: conflict.id) }),
      "fields": .array(fields(wordings)),
    ])
  }

  private static func row(_ version: Conflict.Version, of event: EventID) -> JSONValue {
    let type = version.line?["type"]?.string.flatMap(EventType.init(word:))
    let kind =
      switch type {
      case .logCorrect: "corrected"
      case .logRetract: "retracted"
      default: "recorded"
      }
    return .object([
      "id": .string(version.id.description), "kind": .string(kind),
      "author": version.line?["author"], "replica": .string(version.address.replica.description),
      "seq": .int(Int(version.address.seq)), "recorded": .string(version.recorded.description),
      "reason": type == nil || type?.isEvent == true ? nil : version.line?["reason"].map(cut),
    ])
  }

  /// What a line says that the event is; nil for a retraction.
  private static func body(_ line: JSONValue) -> JSONValue? {
    switch line["type"]?.string.flatMap(EventType.init(word:)) {
    case .logCorrect: line["body"]
    case .logRetract, nil: nil
    default:
      .object(
        (line.members ?? []).filter { member in
          !BodyMember.envelope.contains(member.key) && !BodyMember.recorder.contains(member.key)
        })
    }
  }

  /// The fields in which wordings differ, and which versions say what.
  private static func fields(_ wordings: [(id: EventID, body: JSONValue)]) -> [JSONValue] {
    var names: [String] = []
    for member in wordings.flatMap({ $0.body.members ?? [] }) where !names.contains(member.key) {
      names.append(member.key)
    }
    return names.compactMap { name in
      var values: [(value: JSONValue?, ids: [EventID])] = []
      for (id, body) in wordings {
        if let index = values.firstIndex(where: { $0.value == body[name] }) {
          values[index].ids.append(id)
        } else {
          values.append((body[name], [id]))
        }
      }
      guard values.count > 1 else { return nil }
      return .object([
        "field": .string(name),
        "values": .array(
          values.map {
            .object(["value": $0.value.map(cut), "versions": .strings($0.ids)])
          }),
      ])
    }
  }

  /// The same, or how a long value begins.
  private static func cut(_ value: JSONValue) -> JSONValue {
    let text = value.text
    guard text.utf8.count > valueBytesMax else { return value }
    return .object([
      "begins": .string(String((value.string ?? text).prefix(beginning))),
      "bytes": .int(text.utf8.count),
    ])
  }
}
