// `dates`: what a date covers, or why it is none. No daemon is asked.

import Foundation
import TimelineModel

extension Command {
  static let dates = Command(
    name: "dates", arguments: "DATE… | -", summary: "what a date covers, or why it is none",
    examples: ["dates 2014-07 2002-11-01~ 2016-03/..", "dates - < dates.txt"], flags: []
  ) { (context) throws(Failure) in
    var texts = context.words.plain
    guard !texts.isEmpty else {
      throw Failure(.usage, "dates takes dates, or - for one a line on standard input")
    }
    if texts == ["-"] {
      texts = []
      while let line = readLine() { texts.append(line) }
    }
    let results = texts.map { text in
      Result { () throws(DateError) in try EventDate(text) }
    }
    let json = zip(texts, results).map { text, result -> JSONValue in
      switch result {
      case .success(let date):
        .object([
          "date": .string(text), "first": .string(date.first.description),
          "last": .string(date.last.description),
        ])
      case .failure(let error):
        .object(["date": .string(text), "error": .string(error.message)])
      }
    }
    let lines = results.map { result in
      switch result {
      case .success(let date): "ok \(date.first) \(date.last)\n"
      case .failure(let error): "error \(error.message)\n"
      }
    }
    context.finish(.array(json), lines.joined())
    return results.contains { (try? $0.get()) == nil } ? .failed : .done
  }
}
