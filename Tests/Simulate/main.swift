// scripts/simulate: plays runs of the simulation by their seeds.
//
//     simulate --seeds N [--from S]    N seeds in a row
//     simulate --hours H               as many as H hours allow, from a seed by chance
//     simulate --seed S [--trace]      one, with all that happens

import Foundation
import Simulation

struct Options {
  var first: UInt64 = 1
  var count: UInt64 = 100
  var end: Date?
  var isTraced = false

  init(_ words: ArraySlice<String>) {
    var words = words
    func value() -> String {
      guard let word = words.popFirst() else { usage() }
      return word
    }
    while let word = words.popFirst() {
      switch word {
      case "--seeds":
        guard let number = UInt64(value()) else { usage() }
        count = number
      case "--from":
        guard let number = UInt64(value()) else { usage() }
        first = number
      case "--seed":
        guard let number = UInt64(value()) else { usage() }
        (first, count) = (number, 1)
      case "--hours":
        guard let hours = Double(value()) else { usage() }
        (first, count) = (UInt64.random(in: 1_000_000...(.max / 2)), .max / 2)
        end = Date(timeIntervalSinceNow: hours * 3600)
      case "--trace": isTraced = true
      default: usage()
      }
    }
  }
}

/// At once, whatever becomes of the run.
func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

func usage() -> Never {
  say("simulate --seeds N [--from S] | --hours H | --seed S [--trace]")
  exit(2)
}

let options = Options(CommandLine.arguments.dropFirst())
let began = clock()
var done: UInt64 = 0
var failed = 0
for seed in options.first..<(options.first + options.count) {
  if let end = options.end, Date() >= end { break }
  let cluster = Cluster(seed: seed, trace: options.isTraced ? { say($0) } : nil)
  let failure = cluster.run()
  done += 1
  if let failure {
    failed += 1
    say("seed \(seed) (\(cluster.text)): \(failure)")
    say("  again: scripts/simulate --seed \(seed) --trace")
    if failed >= 20 { break }
  }
  if done.isMultiple(of: 1000) { say("\(done) seeds, \(failed) failed") }
}
let seconds = Double(clock() - began) / Double(CLOCKS_PER_SEC)
say(
  "\(done) seeds from \(options.first) on, \(String(format: "%.3f", seconds / Double(max(1, done)))) s of processor time each"
)
say("\(Int(done) - failed) passed, \(failed) failed")
exit(failed == 0 ? 0 : 1)
