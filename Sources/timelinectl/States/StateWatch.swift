// `watch --state`: tells when the phase, a message, an offer or a promise between parties changes its
// state, by what is recorded or by time alone. Two states are compared after every burst of lines and
// on every new day, each with the one before it, so that nothing is reported twice and nothing is missed.
//
//     OPEN, WATCH {after} ─ lines ─▶ STATE ─▶ StateChanges.between(the last one, this one)

import Engagement
import TimelineModel

struct StateWatch {
  private let parties: JSONValue.Member
  private let asking: Client
  private var notifier: Notifier
  /// The last state, of each two.
  private var kept: [DyadState] = []
  private var day: Day

  /// Lines that are taken together.
  private static let burstMax = 10_000

  static func run(_ context: Context) throws(Failure) -> ExitCode {
    let words = context.words
    let others = FilterTerms.flags.map(\.name).filter { $0 != "--from" && $0 != "--to" }
    if let flag = others.first(where: words.has) {
      throw Failure(
        .usage, "\(flag) chooses events, and --state is about parties: give one of them")
    }
    guard (2...8).contains(words.plain.count) else {
      throw Failure(.usage, "--state takes two parties, or up to eight: watch --state USA PRK")
    }
    guard words.has("--from") || !words.has("--to") else {
      throw Failure(.usage, "--to goes with --from")
    }
    let (first, last) = (try DayOption.day(words, "--from"), try DayOption.day(words, "--to"))
    let notifier = try Notifier(context)
    let asking = try context.connect()
    let names = try Parties.distinct(words.plain, asking, [])
    var watch = StateWatch(
      parties: JSONValue.Member("parties", .strings(names)), asking: asking, notifier: notifier,
      day: Day.today)
    if let first, let last {
      try watch.tellDiary(from: first, through: last, nil)
      return try watch.notifier.finish()
    }
    try watch.follow(from: first, context)
    return try watch.notifier.finish()
  }

  /// The days of the past, and then what comes.
  private mutating func follow(from first: Day?, _ context: Context) throws(Failure) {
    let position = try context.open(asking).position.json
    // Before the first state is asked for: what comes between the two is seen twice, and told once.
    var watching = try Watching(context, after: position)
    if let first {
      try tellDiary(from: first, through: day, position)
      kept = try state(day, knownAt: position)
    } else {
      kept = try state(day)
    }
    while !notifier.isDone {
      // A machine that slept has days to make up for, one by one.
      let today = Day.today
      while day < today, !notifier.isDone { try compare(on: day.advanced(by: 1)) }
      if notifier.isDone { return }
      let now = ContinuousClock.now
      if let end = notifier.end, end <= now { return }
      // The clock may be set, or the machine sleep: looked at again every minute.
      let wake = min(notifier.end ?? now + .seconds(60), now + min(Day.rest, .seconds(60)))
      guard try watching.next(until: wake) != nil else { continue }
      for _ in 0..<Self.burstMax {
        let soon = ContinuousClock.now + .milliseconds(10)
        guard try watching.next(until: soon) != nil else { break }
      }
      try compare(on: day)
    }
  }

  private func state(_ day: Day, knownAt: JSONValue? = nil) throws(Failure) -> [DyadState] {
    let question = JSONValue.object(
      [parties, JSONValue.Member("as_of", .string(day.description))]
        + (knownAt.map { [JSONValue.Member("known_at", $0)] } ?? []))
    return try ChangesSince.dyads(try asking.ask(.state(question))).map {
      (answer) throws(Failure) in
      do throws(StateJSONError) { return try DyadState(json: answer) } catch {
        throw Failure(.failed, "the daemon's answer is of another version: \(error.message)")
      }
    }
  }

  private mutating func compare(on day: Day) throws(Failure) {
    let now = try state(day)
    let before = kept
    kept = now
    self.day = day
    for (before, after) in zip(before, now) {
      for change in StateChanges.between(before, after) where change.what.isTold {
        try notify(day, .strings(after.dyad.parties), change.json.members ?? [])
      }
    }
  }

  private mutating func tellDiary(
    from first: Day, through last: Day, _ position: JSONValue?
  ) throws(Failure) {
    let question = JSONValue.object(
      [
        parties, JSONValue.Member("from", .string(first.description)),
        JSONValue.Member("to", .string(last.description)),
        JSONValue.Member("every", .string("day")),
      ] + (position.map { [JSONValue.Member("known_at", $0)] } ?? []))
    let dyads = ChangesSince.dyads(try asking.ask(.changes(question)))
    let all = dyads.flatMap { dyad in
      (dyad["changes"]?.array ?? []).map { (parties: dyad["parties"], change: $0) }
    }
    // Of a group all that was on a day, then what was on the next.
    let inOrder = all.enumerated().sorted { left, right in
      let days = (left.element.change["day"]?.string, right.element.change["day"]?.string)
      return (days.0 ?? "", left.offset) < (days.1 ?? "", right.offset)
    }
    for (_, (parties, change)) in inOrder {
      guard let day = change["day"]?.string.flatMap({ Day($0) }) else { continue }
      try notify(day, parties, (change.members ?? []).filter { $0.key != "day" })
    }
  }

  private mutating func notify(
    _ day: Day, _ parties: JSONValue?, _ members: [JSONValue.Member]
  ) throws(Failure) {
    guard !notifier.isDone else { return }
    let change = JSONValue.object(
      [
        JSONValue.Member("day", .string(day.description)),
        JSONValue.Member("parties", parties ?? .null),
      ] + members)
    var variables = ["TIMELINE_CHANGE": change.text]
    for key in ["day", "parties", "what", "key", "id", "title", "from", "to", "by"] {
      let value = change[key]
      let words = value?.array?.compactMap(\.string).joined(separator: " ")
      variables["TIMELINE_CHANGE_" + key.uppercased()] = words ?? value?.string ?? ""
    }
    try notifier.notify(Array(change.text.utf8), { ChangesText.line(change) }, variables)
  }
}
