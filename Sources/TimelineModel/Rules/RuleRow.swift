// Reads a row of a table of rules: every check of one row stands here.

/// Why a row cannot be taken: a column, and what is wrong there.
struct CellFault: Error {
  var field: String
  var message: String
  var hint: ErrorHint?

  init(_ field: String, _ message: String, hint: ErrorHint? = nil) {
    self.field = field
    self.message = message
    self.hint = hint
  }
}

extension RuleTable {
  /// Nil for a row of a window that is none here, but may be elsewhere.
  static func row(
    _ json: JSONValue, of kind: Kind, _ registry: ActorRegistry?
  ) throws(CellFault) -> Row? {
    guard let members = json.members else {
      throw CellFault("", "a row is an object with \(kind.columns.joined(separator: ", "))")
    }
    var row = Row()
    for member in members {
      guard kind.columns.contains(member.key) else {
        guard registry != nil else { continue }
        let advice = EditDistance.advice(
          on: member.key, in: kind.columns,
          else: "these are \(kind.columns.joined(separator: ", "))")
        throw CellFault(
          String(member.key.prefix(40)), "no column of \(kind.rawValue); \(advice)")
      }
      guard member.key != kind.numberColumn else {
        row.number = try number(member.value, of: kind)
        continue
      }
      guard let text = member.value.string else { throw CellFault(member.key, "must be a string") }
      if !text.isEmpty { row.words[member.key] = text }
    }
    let given = Set(members.map(\.key))
    for column in kind.required
    where row[column].isEmpty && !(column == kind.numberColumn && given.contains(column)) {
      throw CellFault(column, "missing")
    }
    return try check(row, of: kind, registry)
  }

  private static func number(_ json: JSONValue, of kind: Kind) throws(CellFault) -> Int {
    let shown = String(json.text.prefix(40))
    guard kind == .weights else {
      guard let value = json.int else {
        throw CellFault("value", "\(shown): a whole number")
      }
      return value
    }
    guard let weight = json.number.flatMap(EventValidator.thousandths) else {
      throw CellFault("weight", "\(shown): a number from -10 to 10 with at most three decimals")
    }
    return weight
  }

  private static func check(
    _ row: Row, of kind: Kind, _ registry: ActorRegistry?
  ) throws(CellFault) -> Row? {
    switch kind {
    case .weights:
      try word(row, "type")
      if !row["subtype"].isEmpty { try word(row, "subtype") }
      let types = EventType.ofEvents.map(\.word)
      if registry != nil, !types.contains(row["type"]) {
        throw CellFault("type", "\"\(row["type"])\" is no type; " + advice(row["type"], types))
      }
    case .windows:
      guard let window = WindowName(rawValue: row["name"]) else {
        guard registry != nil else { return nil }
        throw CellFault(
          "name",
          "\"\(row["name"].prefix(40))\" is no window; "
            + advice(row["name"], WindowName.allCases.map(\.rawValue)))
      }
      guard window.range.contains(row.number) else {
        throw CellFault(
          "value",
          "\(row.number): \(window.rawValue) is a whole number from \(window.range.lowerBound) to"
            + " \(window.range.upperBound)")
      }
    case .interests:
      try word(row, "key")
      guard let party = ActorCode(row["party"]), registry?.contains(party) ?? true else {
        let near = (registry ?? .shipped).nearest(to: row["party"]).map {
          "\($0.code) (\($0.name))"
        }
        throw CellFault(
          "party",
          "unknown actor \"\(row["party"].prefix(40))\""
            + (near.isEmpty ? "" : "; did you mean \(near.joined(separator: ", "))?"),
          hint: near.isEmpty ? .unknownActor : .similarActor)
      }
    }
    return row
  }

  private static func advice(_ word: String, _ known: [String]) -> String {
    EditDistance.advice(on: word, in: known, else: "one of \(known.joined(separator: ", "))")
  }

  private static func word(_ row: Row, _ column: String) throws(CellFault) {
    guard row[column].utf8.allSatisfy(EventValidator.isOfAWord) else {
      throw CellFault(
        column,
        "\(JSONValue.string(String(row[column].prefix(40))).text) is no word: lower-case letters,"
          + " digits, and . - _ : only")
    }
  }
}
