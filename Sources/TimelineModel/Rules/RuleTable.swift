// A table that the rules of engagement compute with: weights, windows or interests. One of each ships (data/);
// a team's own is a log.rules line, whole, so that what is computed by it depends on nothing that ships:
//
//     {"type":"log.rules","table":"windows","name":"TEAM-2","reason":"…",
//      "rows":[{"name":"crisis_days","value":45},…]}                             (one line in fact)
//
// What is recorded here is checked in full. A line of another machine need only be usable:
// its program may know more types than this one.

public struct RuleTable: Sendable, Hashable {
  public enum Kind: String, Sendable, Hashable, CaseIterable { case weights, windows, interests }

  /// One row: the words of its columns, those that are empty left out, and its number.
  public struct Row: Sendable, Hashable {
    public internal(set) var words: [String: String] = [:]
    /// A weight in thousandths, or the value of a window.
    public internal(set) var number = 0

    public subscript(column: String) -> String { words[column] ?? "" }
  }

  /// Why a table cannot be taken; `row` from 0, nil where it is not a row's fault.
  public struct Fault: Error, Sendable, Hashable {
    public var row: Int?
    public var field: String
    public var message: String
    public var hint: ErrorHint?

    /// As a message names it: `rows[2].weight`.
    public var location: String {
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
    var indices: [String: Int] = [:]
    for (index, json) in list.enumerated() {
      do throws(CellFault) {
        guard let row = try Self.row(json, of: kind, registry) else { continue }
        let key = row.key(of: kind)
        if let other = indices.updateValue(index, forKey: key) {
          throw CellFault(kind.keys[0], "\(key.prefix(40)) stands in rows[\(other)] already")
        }
        rows.append(row)
      } catch {
        throw Fault(row: index, field: error.field, message: error.message, hint: error.hint)
      }
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
  public var recordedVersion: String { event == nil ? Self.shippedPrefix + version : version }

  private static let shippedPrefix = "shipped-"

  /// Nobody is to take a team's table for one that ships.
  private var faultInName: String? {
    if version.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      return "\"\(version)\" is a number, as tables that ship have: add a letter"
    }
    let shipped = RuleTables.shipped[kind]
    guard version.hasPrefix(Self.shippedPrefix),
      version != shipped.recordedVersion || rows != shipped.rows
    else { return nil }
    // Of an older table that shipped nobody here can tell whether these are its rows.
    return "\"\(version)\" is that of a table that ships, and these rows are not those of"
      + " \(shipped.recordedVersion): give it another"
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
    return rows.enumerated().compactMap { index, row in
      guard let type = EventType(word: row["type"]), !row["subtype"].isEmpty,
        !type.knownSubtypes.contains(row["subtype"])
      else { return nil }
      return (index, type, row["subtype"])
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
      let missing = EventType.ofEvents.filter { !types.contains($0.word) }.map(\.word)
      return missing.isEmpty || !isStrict
        ? nil
        : "a table of weights has a row for every type, without a subtype; this one lacks "
          + missing.joined(separator: ", ")
    case .windows:
      let names = Set(rows.map { $0["name"] })
      let missing = WindowName.allCases.map(\.rawValue).filter { !names.contains($0) }
      return missing.isEmpty
        ? nil : "a table of windows has them all; this one lacks " + missing.joined(separator: ", ")
    case .interests: return rows.isEmpty && isStrict ? "the list is empty" : nil
    }
  }
}
