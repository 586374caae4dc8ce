// RULES: which tables of rules hold and which there were, or one of them whole.

import EventStore
import TimelineModel
import TimelineWire

struct RulesQuestion {
  /// How the log stood.
  var query: Query
  /// The one that is wanted whole; nil for a list.
  var kind: RuleTable.Kind?
  /// By its id, or the beginning of it.
  var event: String?
  var isShipped = false
  /// Whether the lines are wanted of those that hold and do not ship.
  var isLines = false

  func answer(_ log: ReadView, to out: inout [UInt8]) throws(ErrorReply) {
    let tables = log.rules(knownAt: query.knownAt)
    let recorded = log.recordedRules(knownAt: query.knownAt)
    if let cited = query.cited, let damaged = recorded.lazy.compactMap(\.damaged).first {
      throw ErrorReply(CitationError.damaged(cited, damaged))
    }
    if isLines { return lines(recorded, tables, to: &out) }
    guard let kind else { return list(recorded, tables, to: &out) }
    Reply.ok(
      try whole(kind, recorded, tables).citing(query.cited), to: &out)
  }

  private func list(
    _ recorded: [RecordedTable], _ tables: RuleTables, to out: inout [UInt8]
  ) {
    var count = 0
    func row(_ json: JSONValue) {
      Reply.row(json, to: &out)
      count += 1
    }
    for table in RuleTables.shipped.all { row(table.json(holdsIn: tables)) }
    for table in recorded { row(table.json(holdsIn: tables)) }
    Reply.end(JSONValue.object(["count": .int(count)]).citing(query.cited), to: &out)
  }

  private func lines(
    _ recorded: [RecordedTable], _ tables: RuleTables, to out: inout [UInt8]
  ) {
    let held = RuleTable.Kind.allCases.compactMap { kind in
      tables[kind].event.flatMap { id in recorded.first { $0.id == id }?.line }
    }
    for line in held {
      out.append(contentsOf: "EVENT ".utf8)
      line.append(to: &out)
      out.append(0x0A)
    }
    Reply.end(JSONValue.object(["count": .int(held.count)]).citing(query.cited), to: &out)
  }

  private func whole(
    _ kind: RuleTable.Kind, _ recorded: [RecordedTable], _ tables: RuleTables
  ) throws(ErrorReply) -> JSONValue {
    var table = isShipped ? RuleTables.shipped[kind] : tables[kind]
    var source = recorded.first { $0.id == table.event }
    if let event {
      let found = recorded.filter { $0.id.description.hasPrefix(event) && $0.table?.kind == kind }
      guard let one = found.first, let its = one.table else {
        throw ErrorReply(
          .notFound,
          "no table of \(kind.rawValue) whose event begins with \(event.prefix(40)); RULES without a table lists all"
        )
      }
      guard Set(found.map(\.id)).count == 1 else {
        throw ErrorReply(.badRequest, "\(event) begins more than one id: give more of it")
      }
      (table, source) = (its, one)
    }
    let rows = JSONValue.Member("rows", table.json)
    let about = source?.json(holdsIn: tables) ?? table.json(holdsIn: tables)
    return .object((about.members ?? []).filter { $0.key != "rows" } + [rows])
  }
}

extension RuleTable {
  /// A row of a list.
  fileprivate func json(holdsIn tables: RuleTables) -> JSONValue {
    .object([
      "table": .string(kind.rawValue), "version": .string(version),
      "holds": .bool(tables[kind].event == event), "rows": .int(rows.count),
      "shipped": event == nil ? .bool(true) : nil,
    ])
  }
}

extension RecordedTable {
  fileprivate func json(holdsIn tables: RuleTables) -> JSONValue {
    let about =
      table?.json(holdsIn: tables).members
      ?? [
        JSONValue.Member("holds", .bool(false)), JSONValue.Member("unusable", .string(fault ?? "")),
      ]
    return .object(
      about
        + (JSONValue.object([
          "event": .string(id.description), "recorded": .string(recorded.description),
          "author": line?["author"], "reason": line?["reason"],
          "replica": .string(replica.description), "seq": .int(Int(seq)),
        ]).members ?? []))
  }
}
