// How `add`, `correct` and `retract` hand an event to the daemon: to be recorded, or with --dry-run
// only to be judged, so that a dry run refuses what the real one would.

import TimelineModel
import TimelineWire

struct EventRecording {
  static let dryRun = Flag(
    name: "--dry-run", value: nil, help: "check it and show it, record nothing")
  static let author = Flag(
    name: "--author", value: "NAME", help: "who records (your user name)")
  static let reason = Flag(name: "--reason", value: "TEXT", help: "why")

  let client: Client
  let isDryRun: Bool
  private let author: String?
  private let reason: String?

  init(_ context: Context, _ client: Client) {
    self.client = client
    isDryRun = context.words.has("--dry-run")
    author = context.words["--author"]
    reason = context.words["--reason"]
  }

  /// The reason as a line says it.
  var statedReason: [JSONValue.Member] {
    reason.map { [JSONValue.Member("reason", .string($0))] } ?? []
  }

  /// Refuses to record without a reason.
  func needReason() throws(Failure) {
    guard isDryRun || !(reason ?? "").trimmed.isEmpty else {
      throw Failure(.usage, "say why: --reason TEXT")
    }
  }

  /// What the daemon says to it; nil where it would take it, but is not to.
  func send(_ members: [JSONValue.Member]) throws(Failure) -> JSONValue? {
    let event = JSONValue.object(
      members + (author.map { [JSONValue.Member("author", .string($0))] } ?? []))
    guard isDryRun else { return try client.ask(.append(event)).json }
    try check(event)
    return nil
  }

  /// Throws what the daemon would refuse.
  func check(_ members: [JSONValue.Member]) throws(Failure) { try check(.object(members)) }

  private func check(_ event: JSONValue) throws(Failure) {
    var refusal: ErrorReply?
    try client.send(.checkMany(1), [Array((event.text + "\n").utf8)])
    _ = try client.rest { _, row in refusal = ErrorReply(row: Client.json(row)) }
    guard var refusal else { return }
    refusal.line = nil
    throw Failure(refusal)
  }

  /// An event that is here.
  func find(_ word: String) throws(Failure) -> EventLink.Target {
    let versions = try EventVersions(word, client)
    try versions.needEvent(named: word)
    return EventLink.Target(id: versions.id, versions.body)
  }
}
