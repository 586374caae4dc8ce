// Help while recording: that an event is probably there already, and which links it could
// have. Printed on standard error at a terminal, and with --suggest; nothing is
// linked by it.

import Coding
import Glibc
import TimelineModel

struct CodingHelp {
  static let suggest = Flag(
    name: "--suggest", value: nil,
    help: "say which links it could have and what it may repeat, off a terminal too")

  private let client: Client
  private let isAsked: Bool
  private let isJSON: Bool
  /// Whether somebody is there who can be asked.
  let canAsk: Bool
  private let isWanted: Bool

  init(_ context: Context, _ client: Client) {
    self.client = client
    isJSON = context.isJSON
    isAsked = context.words.has("--suggest")
    let isSeen = isatty(STDERR_FILENO) == 1 && !context.isJSON
    isWanted = isAsked || isSeen
    canAsk = isSeen && context.canAsk
  }

  /// What is to be told of one event.
  struct Found {
    var proposals: [Proposal] = []
    /// Events that it may repeat.
    var likes: [JSONValue] = []

    var isEmpty: Bool { proposals.isEmpty && likes.isEmpty }

    var json: [JSONValue.Member] {
      [
        JSONValue.Member(
          "suggestions",
          .array(
            proposals.map { proposal in
              .object([
                "link": .string(proposal.word), "json": proposal.json,
                "why": .string(proposal.why),
              ])
            })),
        JSONValue.Member("duplicates", .array(likes.map { .string($0["id"]?.string ?? "") })),
      ]
    }

    var likeLines: [String] {
      likes.map { event in
        "  \((event["id"]?.string ?? "").prefix(8))  \(event["date"]?.string ?? "")"
          + "  \(Terminal.plain(event["title"]?.string ?? ""))"
      }
    }

    func linkLines(_ lead: String) -> [String] {
      let width = proposals.map(\.word.count).max() ?? 0
      return proposals.map { proposal in
        let gap = String(repeating: " ", count: width - proposal.word.count)
        return "  \(lead)\(proposal.word)\(gap)  \(Terminal.plain(proposal.why))"
      }
    }

    /// As lines of an editor's text, each with the reason below it.
    var templateLines: [String] {
      proposals.flatMap { ["link: \($0.word)", "      \(Terminal.plain($0.why))"] }
    }
  }

  /// - Parameter own: the event itself, where it is there already.
  func look(_ body: EventBody, own: String? = nil) throws(Failure) -> Found {
    var found = Found()
    guard isWanted, let draft = Draft(body.json) else { return found }
    do throws(Failure) {
      if body.items("links").isEmpty {
        let proposals =
          Proposals.all(for: draft, try states(draft))
          + Proposals.verifications(for: draft, try agreements(draft))
        var words: Set<String> = []
        found.proposals = proposals.filter {
          $0.id.description != own && words.insert($0.word).inserted
        }
      }
      if own == nil { found.likes = try likes(draft) }
    } catch {
      // What the daemon cannot be asked of it, such as a party that nobody knows, it refuses too.
      guard error.reply?.code == .badRequest else { throw error }
    }
    return found
  }

  private func states(_ draft: Draft) throws(Failure) -> [JSONValue] {
    var states: [JSONValue] = []
    for (one, other) in draft.pairs {
      let question = JSONValue.object([
        "parties": .strings([one, other]), "as_of": .string(draft.date.first.description),
      ])
      states.append(try client.ask(.state(question)))
    }
    return states
  }

  private static let agreementsMax = 50

  /// Those of its parties up to its day, the newest first; asked where a third party may speak of one.
  private func agreements(_ draft: Draft) throws(Failure) -> [JSONValue] {
    guard draft.verifies else { return [] }
    let question = JSONValue.object([
      "type": .string(EventType.agreement.word), "party": .strings(draft.parties.everyone),
      "to": .string(draft.date.first.description), "order": .string("desc"),
      "limit": .int(Self.agreementsMax),
    ])
    var agreements: [JSONValue] = []
    _ = try client.stream(.query(question)) { _, json in
      agreements.append(Client.json(json))
    }
    return agreements
  }

  /// Beyond so many of one type on a day nobody would read which ones are alike.
  private static let comparedMax = 500
  private static let toldMax = 3

  private func likes(_ draft: Draft) throws(Failure) -> [JSONValue] {
    let day = draft.date.first.description
    let question = JSONValue.object([
      "type": .string(draft.type.word), "from": .string(day), "to": .string(day),
      "limit": .int(Self.comparedMax),
    ])
    var likes: [JSONValue] = []
    _ = try client.stream(.query(question)) { _, json in
      let event = Client.json(json)
      guard let other = Draft(event), Likeness.mayBeOne(draft, other) else { return }
      likes.append(event)
    }
    return Array(likes.prefix(Self.toldMax))
  }

  // MARK: Reporting

  /// Says what the event may repeat, and asks whether it is to be recorded all the same; true where
  /// nobody can be asked.
  func goesOn(_ found: Found) -> Bool {
    guard !found.likes.isEmpty else { return true }
    if !isJSON {
      Terminal.say((["it may be recorded already:"] + found.likeLines).joined(separator: "\n"))
    }
    guard canAsk else { return true }
    return Terminal.confirms("record it all the same?")
  }

  /// What an editor is opened with once more: nil where there is nothing to tell, or nobody there.
  func remark(_ found: Found) -> Failure? {
    guard canAsk, !found.isEmpty else { return nil }
    var lines: [String] = []
    if !found.likes.isEmpty { lines += ["It may be recorded already:"] + found.likeLines }
    if !found.proposals.isEmpty {
      lines += ["It could have one of these lines:"] + found.templateLines
    }
    lines.append("Save and leave to record it, with or without them; delete all to give up.")
    return Failure(.failed, code: EventEditor.proposal, lines.joined(separator: "\n"))
  }

  /// Says which links a recorded event could have, or, before it is recorded, `again`.
  func tell(_ found: Found, recorded id: some StringProtocol) {
    say(
      found,
      "it could be linked, by \(Again.timelinectl) correct \(id) --reason linked and one of these:")
  }

  func tellBefore(_ found: Found) { say(found, "it could be linked, by one of these:") }

  private func say(_ found: Found, _ lead: String) {
    guard !found.proposals.isEmpty, !isJSON else { return }
    Terminal.say(([lead] + found.linkLines("--link ")).joined(separator: "\n"))
  }

  /// A reply with what was found, for --json.
  func with(_ found: Found, _ reply: JSONValue) -> JSONValue {
    isJSON && isAsked ? .object((reply.members ?? []) + found.json) : reply
  }
}
