// What `lint` looks for: one closed list, in the order in which it is reported. To add a kind: a case here
// with its words, where it is found in Lint or LintLinks, its row in docs/reference/lint.md.

public enum LintKind: String, Sendable, Hashable, CaseIterable {
  case unreadable
  case badLink = "bad-link"
  case missingTarget = "missing-target"
  case backwards
  case unknownActor = "unknown-actor"
  case contested
  case duplicate
  case overdue
  case unanswered = "unanswered-offer"
  case noEnd = "no-end"
  case noSource = "no-source"
  case noAddress = "no-address"
  case noDue = "no-due"
  case unknownSubtype = "unknown-subtype"
  case future

  /// Worth a look, and no fault: it does not count for `--exit-code`.
  public var isSoft: Bool {
    switch self {
    case .noAddress, .noDue, .unknownSubtype, .future: true
    default: false
    }
  }

  /// What is wrong, for people.
  public var title: String {
    switch self {
    case .unreadable: "lines that this version cannot read as an event"
    case .badLink: "links that say nothing"
    case .missingTarget: "links to events that are not here"
    case .backwards: "promises and offers that end before they begin"
    case .unknownActor: "parties that nobody here knows"
    case .contested: "events of which people say different things"
    case .duplicate: "probably one event, recorded twice"
    case .overdue: "promises overdue, of which nobody said anything"
    case .unanswered: "offers without a stated answer after 90 days"
    case .noEnd: "intervals whose end never came"
    case .noSource: "events without a source"
    case .noAddress: "sources without an address"
    case .noDue: "open promises without a due date"
    case .unknownSubtype: "subtypes that the model does not name"
    case .future: "events of days to come"
    }
  }
}
