// A table that the rules of engagement reckon with: weights, windows or interests. One of each ships (data/);
// a team's own is a log.rules line, whole, so that what is reckoned by it hangs on nothing that ships:
//
//     {"type":"log.rules","table":"windows","name":"TEAM-2","reason":"…",
//      "rows":[{"name":"crisis_days","value":45},…]}                             (one line in fact)
//
// What is recorded here is checked in full. A line of another machine need only be what can be reckoned with:
// its program may know more types than this one.

public struct RuleTable: Sendable, Hashable {
  public enum Kind: String, Sendable, Hashable, CaseIterable { case weights, windows, interests }

  /// One row: the words of its columns, those that are empty left out, and its number.
  public struct Row: Sendable, Hashable {
    public fileprivate(set) var words: [String: String] = [:]
    /// A weight in thousandths, or the value of a window.
    public fileprivate(set) var number = 0

    public subscript(column: String) -> String { words[column] ?? "" }
  }

  /// Why a table cannot be taken; `row` from 0, nil where it is not a row's fault.
  public struct Fault: Error, Sendable, Hashable {
    public var row: Int?
    public var field: String
    public var message: String

    /// As a message names it: `rows[2].weight`.
    public var place: String {
      guard let row else { return field }
      return "rows[\(row)]" + (field.isEmpty ? "" : "." + field)
    }
  }

  public let kind: Kind
  /// What answers state.
  public let version: String
  public let rows: [Row]
  /// The event that holds it; nil for one that ships.
  public var event: EventID?

  public static let versionLengthMax = 64

  private init(_ kind: Kind, _ version: String, _ rows: [Row]) {
    self.kind = kind
    self.version = version
    self.rows = rows
  }

  /// - Parameter registry: the actors that interests may name; nil for a line of another machine.
  public init(
    _ kind: Kind, version: String, rows list: [JSONValue], registry: ActorRegistry?
  ) throws(Fault) {
    if let fault = Self.fault(inVersion: version) {
      throw Fault(row: nil, field: "name", message: fault)
    }
    var rows: [Row] = []
    var places: [String: Int] = [:]
    for (place, json) in list.enumerated() {
      do throws(CellFault) {
        guard let row = try Self.row(json, of: kind, registry) else { continue }
        let key = row.key(of: kind)
        if let other = places.updateValue(place, forKey: key) {
          throw CellFault(kind.keys[0], "\(key) stands in rows[\(other)] already")
        }
        rows.append(row)
      } catch { throw Fault(row: place, field: error.field, message: error.message) }
    }
    self.init(kind, version, rows)
    if let fault = missing(isStrict: registry != nil) {
      throw Fault(row: nil, field: "rows", message: fault)
    }
    if registry != nil, let fault = faultInName {
      throw Fault(row: nil, field: "name", message: fault)
    }
  }

  /// What a team calls a table that ships, once it has recorded it.
  public var recordedVersion: String { event == nil ? "shipped-" + version : version }

  /// Nobody is to take a team's table for one that ships.
  private var faultInName: String? {
    if version.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      return "\"\(version)\" is a number, as tables that ship have: add a letter"
    }
    let shipped = RuleTables.shipped[kind]
    return version == shipped.recordedVersion && rows != shipped.rows
      ? "\"\(version)\" is that of the table that ships, and these rows are others: give it another"
      : nil
  }

  /// One that ships.
  init(_ kind: Kind, shipped csv: [UInt8]) {
    let table = CSVTable(utf8: csv)
    let rows = table.rows.map { row in kind.json { row[$0] } }
    do throws(Fault) {
      let read = try RuleTable(
        kind, version: table.rows.first?["version"] ?? "", rows: rows, registry: nil)
      self.init(kind, read.version, read.rows)
    } catch { fatalError("data/\(kind.rawValue).csv: row \(error.row ?? 0): \(error.message)") }
  }

  /// The rows as a log.rules line has them.
  public var json: JSONValue { .array(rows.map { $0.json(of: kind) }) }

  /// A file as those of data/ are.
  public var csv: String {
    let columns = kind.columns
    return ([["version"] + columns] + rows.map { row in [version] + row.cells(of: kind) })
      .map { $0.map(CSVTable.field).joined(separator: ",") + "\n" }.joined()
  }

  /// Subtypes that the model does not name, by row.
  public var unknownSubtypes: [(row: Int, type: EventType, subtype: String)] {
    guard kind == .weights else { return [] }
    return rows.enumerated().compactMap { place, row in
      guard let type = EventType(word: row["type"]), !row["subtype"].isEmpty,
        !type.knownSubtypes.contains(row["subtype"])
      else { return nil }
      return (place, type, row["subtype"])
    }
  }

  /// Letters, digits and `. _ -`.
  private static func fault(inVersion version: String) -> String? {
    func isPlain(_ byte: UInt8) -> Bool {
      (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte)
        || [0x2E, 0x5F, 0x2D].contains(byte)
    }
    let shown = JSONValue.string(String(version.prefix(versionLengthMax))).text
    if version.isEmpty { return "is empty" }
    guard version.utf8.count <= versionLengthMax else {
      return "\(version.utf8.count) bytes; at most \(versionLengthMax)"
    }
    return version.utf8.allSatisfy(isPlain)
      ? nil : "\(shown): letters, digits and . _ - only, such as TEAM-2"
  }

  /// What a whole table has and this one lacks.
  private func missing(isStrict: Bool) -> String? {
    switch kind {
    case .weights:
      let types = Set(rows.filter { $0["subtype"].isEmpty }.map { $0["type"] })
      let lacking = EventType.happenings.filter { !types.contains($0.word) }.map(\.word)
      return lacking.isEmpty || !isStrict
        ? nil
        : "a table of weights has a row for every type, without a subtype; this one lacks "
          + lacking.joined(separator: ", ")
    case .windows:
      let names = Set(rows.map { $0["name"] })
      let lacking = WindowName.allCases.map(\.rawValue).filter { !names.contains($0) }
      return lacking.isEmpty
        ? nil : "a table of windows has them all; this one lacks " + lacking.joined(separator: ", ")
    case .interests: return rows.isEmpty && isStrict ? "the list is empty" : nil
    }
  }
}

/// The windows of the rules. Whoever adds one says in docs/engagement.md what it is for a table that came
/// before it, so that such a table goes on meaning what it meant.
public enum WindowName: String, Sendable, CaseIterable {
  case crisisDays = "crisis_days"
  case crisisWeight = "crisis_weight"
  case talksDays = "talks_days"
  case stepDays = "step_days"
  case confrontationDays = "confrontation_days"
  case confrontationWeight = "confrontation_weight"
  case contactDays = "contact_days"
  case offerDays = "offer_days"
  case stalledDays = "stalled_days"
  case reciprocityDays = "reciprocity_days"
  case criteriaDays = "criteria_days"
  case answerDays = "answer_days"

  public var range: ClosedRange<Int> {
    switch self {
    case .crisisWeight, .confrontationWeight: 1...1000
    default: 1...3650
    }
  }
}

// MARK: Columns

extension RuleTable.Kind {
  /// In the order of the files in data/, whose first column is the version.
  public var columns: [String] {
    switch self {
    case .weights: ["type", "subtype", "weight", "note"]
    case .windows: ["name", "value", "note"]
    case .interests: ["party", "key", "name", "description", "source"]
    }
  }

  /// Those that tell a row from all others.
  public var keys: [String] {
    switch self {
    case .weights: ["type", "subtype"]
    case .windows: ["name"]
    case .interests: ["party", "key"]
    }
  }

  /// Those that no row is without.
  public var required: [String] {
    switch self {
    case .weights: ["type", "weight"]
    case .windows: ["name", "value"]
    case .interests: ["party", "key", "name"]
    }
  }

  public var numberColumn: String? {
    switch self {
    case .weights: "weight"
    case .windows: "value"
    case .interests: nil
    }
  }

  /// A row of a file: numbers as numbers, what is empty left out.
  public func json(cell: (String) -> String) -> JSONValue {
    .object(
      columns.compactMap { column in
        let text = cell(column)
        guard !text.isEmpty else { return nil }
        let number = column == numberColumn ? Int(text).map { .int($0) } ?? Self.decimal(text) : nil
        return JSONValue.Member(column, number ?? .string(text))
      })
  }

  private static func decimal(_ text: String) -> JSONValue? {
    guard let number = Double(text), number.isFinite else { return nil }
    return .double(number)
  }
}

extension RuleTable.Row {
  public func key(of kind: RuleTable.Kind) -> String {
    kind.keys.map { self[$0] }.filter { !$0.isEmpty }.joined(separator: "/")
  }

  public func json(of kind: RuleTable.Kind) -> JSONValue {
    .object(
      kind.columns.compactMap { column in
        if column == kind.numberColumn { return JSONValue.Member(column, numberJSON(of: kind)) }
        return words[column].map { JSONValue.Member(column, .string($0)) }
      })
  }

  /// The cells of the columns, in order.
  public func cells(of kind: RuleTable.Kind) -> [String] {
    kind.columns.map { $0 == kind.numberColumn ? numberJSON(of: kind).text : self[$0] }
  }

  private func numberJSON(of kind: RuleTable.Kind) -> JSONValue {
    guard kind == .weights else { return .int(number) }
    return number % 1000 == 0 ? .int(number / 1000) : .double(Double(number) / 1000)
  }
}

// MARK: Reading

private struct CellFault: Error {
  var field: String
  var message: String

  init(_ field: String, _ message: String) {
    self.field = field
    self.message = message
  }
}

extension RuleTable {
  /// Nil for a row of a window that is none here, but may be elsewhere.
  private static func row(
    _ json: JSONValue, of kind: Kind, _ registry: ActorRegistry?
  ) throws(CellFault) -> Row? {
    guard let members = json.members else {
      throw CellFault("", "a row is an object with \(kind.columns.joined(separator: ", "))")
    }
    var row = Row()
    for member in members {
      guard kind.columns.contains(member.key) else {
        guard registry != nil else { continue }
        let near = EditDistance.nearest(to: member.key, in: kind.columns)
        throw CellFault(
          String(member.key.prefix(40)),
          "no column of \(kind.rawValue); "
            + (near.isEmpty
              ? "these are \(kind.columns.joined(separator: ", "))"
              : "did you mean \(near.joined(separator: ", "))?"))
      }
      guard member.key != kind.numberColumn else {
        row.number = try number(member.value, of: kind, row)
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

  private static func number(
    _ json: JSONValue, of kind: Kind, _ row: Row
  ) throws(CellFault) -> Int {
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
      let types = EventType.happenings.map(\.word)
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
          "unknown actor \"\(row["party"].prefix(40))\"; "
            + (near.isEmpty
              ? "`timelinectl actor list` shows all"
              : "did you mean \(near.joined(separator: ", "))?"))
      }
    }
    return row
  }

  private static func advice(_ word: String, _ known: [String]) -> String {
    let near = EditDistance.nearest(to: word, in: known)
    return near.isEmpty
      ? "one of \(known.joined(separator: ", "))" : "did you mean \(near.joined(separator: ", "))?"
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
