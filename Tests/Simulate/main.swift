// scripts/simulate: plays runs of the simulation by their seeds.
//
//     simulate --seeds N [--from S]    N seeds in a row
//     simulate --hours H               as many as H hours allow, from a seed by chance
//     simulate --seed S [--trace]      one, with all that happens
//
// `--jobs J` plays J seeds side by side, `--resume FILE` keeps in a file how far it came, and goes on there.

import Foundation
import Simulation
import Synchronization

struct Options: Sendable {
  var first: UInt64 = 1
  var count: UInt64 = 100
  var end: Date?
  var isTraced = false
  var jobs = 1
  var file: String?
  /// Says of each seed what it cost.
  var saysCosts = false

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
      case "--jobs":
        guard let number = Int(value()), (1...64).contains(number) else { usage() }
        jobs = number
      case "--resume": file = value()
      case "--costs": saysCosts = true
      case "--trace": isTraced = true
      default: usage()
      }
    }
  }
}

/// At once, whatever becomes of the run.
func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

func usage() -> Never {
  say(
    "simulate --seeds N [--from S] | --hours H | --seed S [--trace], [--jobs J] [--resume FILE] [--costs]"
  )
  exit(2)
}

/// How far a run came. As a file: `first 1`, `seconds 12.5`, `done 1-1200 1202`, `failed 17`.
struct Progress: Sendable {
  var first: UInt64
  var seconds = 0.0
  /// All seeds before it are done; of those behind it, these.
  var next: UInt64
  var ahead: Set<UInt64> = []
  var failed: [UInt64] = []

  init(first: UInt64) { (self.first, next) = (first, first) }

  /// Nil where the file is of no run from this seed on.
  init?(_ text: String, first: UInt64) {
    self.init(first: first)
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      let numbers = words.dropFirst().compactMap { UInt64($0) }
      switch words.first {
      case "first": guard numbers == [first] else { return nil }
      case "seconds": seconds = words.dropFirst().first.flatMap { Double($0) } ?? 0
      case "next": next = numbers.first ?? first
      case "ahead": ahead = Set(numbers)
      case "failed": failed = numbers
      default: return nil
      }
    }
  }

  var text: String {
    func row(_ word: String, _ numbers: [UInt64]) -> String {
      ([word] + numbers.map { "\($0)" }).joined(separator: " ") + "\n"
    }
    return row("first", [first]) + "seconds \(seconds)\n" + row("next", [next])
      + row("ahead", ahead.sorted()) + row("failed", failed)
  }

  var done: UInt64 { next - first + UInt64(ahead.count) }

  func isDone(_ seed: UInt64) -> Bool { seed < next || ahead.contains(seed) }

  /// - Parameter seconds: of processor time, of all seeds together.
  mutating func note(_ seed: UInt64, isFailed: Bool, _ seconds: Double) {
    ahead.insert(seed)
    while ahead.remove(next) != nil { next += 1 }
    if isFailed { failed.append(seed) }
    self.seconds = seconds
  }
}

/// What the jobs have in common.
struct Shared: ~Copyable, Sendable {
  struct State: Sendable {
    var progress: Progress
    /// The next seed to play.
    var seed: UInt64
    var isEnded = false
  }

  static let failuresMax = 20
  /// Processor time of what was done before this process.
  let secondsBefore: Double
  let options: Options
  let state: Mutex<State>

  /// The next seed that is not done; nil where none is left.
  func take() -> UInt64? {
    state.withLock { state in
      while state.progress.isDone(state.seed), state.seed - options.first < options.count {
        state.seed += 1
      }
      guard !state.isEnded, state.seed - options.first < options.count,
        options.end.map({ Date() < $0 }) ?? true
      else { return nil }
      defer { state.seed += 1 }
      return state.seed
    }
  }

  func note(_ seed: UInt64, _ plan: String, _ failure: String?, _ seconds: Double) {
    state.withLock { state in
      state.progress.note(
        seed, isFailed: failure != nil,
        secondsBefore + processorTime(CLOCK_PROCESS_CPUTIME_ID))
      if let failure {
        say("seed \(seed) (\(plan)): \(failure)")
        say("  again: scripts/simulate --seed \(seed) --trace")
        state.isEnded = state.progress.failed.count >= Self.failuresMax
      }
      if options.saysCosts { say("\(String(format: "%.3f", seconds)) s: seed \(seed) (\(plan))") }
      if state.progress.done.isMultiple(of: 1000) {
        say("\(state.progress.done) seeds, \(state.progress.failed.count) failed")
      }
      guard let file = options.file else { return }
      do { try state.progress.text.write(toFile: file, atomically: true, encoding: .utf8) } catch {
        say("\(file) cannot be written: \(error)")
        exit(2)
      }
    }
  }
}

/// In seconds.
func processorTime(_ clock: clockid_t) -> Double {
  var time = timespec()
  clock_gettime(clock, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// The seeds that are being played, for whoever a broken invariant ends: a place for each job.
nonisolated(unsafe) let playing = UnsafeMutablePointer<UInt64>.allocate(capacity: 64)
playing.initialize(repeating: 0, count: 64)

for number in [SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS] {
  signal(number) { number in
    for job in 0..<64 where playing[job] != 0 {
      say("ended while seed \(playing[job]) was played")
      say("  again: scripts/simulate --seed \(playing[job]) --trace")
    }
    signal(number, SIG_DFL)
    raise(number)
  }
}

func play(_ shared: borrowing Shared, job: Int) {
  while let seed = shared.take() {
    playing[job] = seed
    let began = processorTime(CLOCK_THREAD_CPUTIME_ID)
    let cluster = Cluster(seed: seed, trace: shared.options.isTraced ? { say($0) } : nil)
    let failure = cluster.run()
    shared.note(seed, cluster.text, failure, processorTime(CLOCK_THREAD_CPUTIME_ID) - began)
  }
  playing[job] = 0
}

func progress(_ options: Options) -> Progress {
  guard let file = options.file, let text = try? String(contentsOfFile: file, encoding: .utf8)
  else { return Progress(first: options.first) }
  guard let progress = Progress(text, first: options.first) else {
    say("\(file) is not of a run from seed \(options.first) on")
    exit(2)
  }
  say("\(progress.done) seeds are done already, \(progress.failed.count) failed")
  return progress
}

let options = Options(CommandLine.arguments.dropFirst())
let begun = progress(options)
let shared = Shared(
  secondsBefore: begun.seconds, options: options,
  state: Mutex(Shared.State(progress: begun, seed: options.first)))
DispatchQueue.concurrentPerform(iterations: options.jobs) { play(shared, job: $0) }
let end = shared.state.withLock { $0.progress }
let each = end.seconds / Double(max(1, end.done))
say(
  "\(end.done) seeds from \(options.first) on, \(String(format: "%.3f", each)) s of processor time each"
)
say("\(end.done - UInt64(end.failed.count)) passed, \(end.failed.count) failed")
exit(end.failed.isEmpty ? 0 : 1)
