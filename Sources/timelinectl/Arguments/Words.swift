// The words of a command line, taken apart by the command's own table of flags.

import TimelineModel

struct Flag: Sendable {
  var name: String
  /// What stands for its value in help; nil for a switch.
  var value: String?
  var help: String
}

struct Words {
  var plain: [String] = []
  private var values: [String: [String]] = [:]
  /// All options in the order in which they came.
  private var inOrder: [(name: String, value: String)] = []

  private init() {}

  init(_ words: [String], flags: [Flag]) throws(Failure) {
    var rest = words[...]
    while var word = rest.popFirst() {
      // -n3 is -n 3.
      if word.hasPrefix("-n"), word.count > 2, word.dropFirst(2).allSatisfy(\.isNumber) {
        rest = ArraySlice([String(word.dropFirst(2))] + rest)
        word = "-n"
      }
      guard word.hasPrefix("--") || (word.hasPrefix("-") && word.count == 2), word != "--" else {
        if word == "--" {
          plain += rest
          break
        }
        plain.append(word)
        continue
      }
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        .map(String.init)
      let name = parts[0] == "-n" ? "--limit" : parts[0] == "-h" ? "--help" : parts[0]
      guard let flag = flags.first(where: { $0.name == name }) else {
        let advice = EditDistance.advice(
          on: name, in: flags.map(\.name), else: "--help lists all")
        throw Failure(.usage, "unknown option \(name); \(advice)")
      }
      if flag.value == nil {
        guard parts.count == 1 else {
          throw Failure(.usage, "\(name) takes no value: write \(name), or leave it out")
        }
        add(name, "")
      } else if parts.count == 2 {
        add(name, parts[1])
      } else if let value = rest.popFirst() {
        add(name, value)
      } else {
        throw Failure(.usage, "\(name) needs a value: \(name) \(flag.value!)")
      }
    }
  }

  mutating func add(_ name: String, _ value: String) {
    values[name, default: []].append(value)
    inOrder.append((name, value))
  }

  /// The options ahead of a switch that may come again and again, and those behind it each time.
  func split(at name: String) -> (ahead: Words, behind: [Words]) {
    var all = [Words()]
    for option in inOrder {
      if option.name == name {
        all.append(Words())
      } else {
        all[all.count - 1].add(option.name, option.value)
      }
    }
    return (all[0], Array(all.dropFirst()))
  }

  func has(_ name: String) -> Bool { values[name] != nil }
  func all(_ name: String) -> [String] { values[name] ?? [] }
  subscript(name: String) -> String? { values[name]?.last }
}
