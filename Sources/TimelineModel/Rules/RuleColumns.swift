// The columns of the tables of rules, and how a row stands in a file and in a line.

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
