// Events as programs read them: JSON Lines, a table, or one JSON array.

import TimelineModel

enum EventFile {
  enum Form { case jsonl, csv, json }

  /// Writes events, each as the daemon sent it.
  static func write(_ lines: [[UInt8]], as form: Form) {
    switch form {
    case .jsonl: Terminal.write(lines.flatMap { $0 + [0x0A] })
    case .csv: Terminal.write(EventTable.text(lines.map { Client.json($0[...]) }))
    case .json:
      var bytes: [UInt8] = [UInt8(ascii: "[")]
      for (index, line) in lines.enumerated() {
        bytes.append(contentsOf: index == 0 ? "\n".utf8 : ",\n".utf8)
        bytes.append(contentsOf: line)
      }
      bytes.append(contentsOf: "\n]\n".utf8)
      Terminal.write(bytes)
    }
  }
}
