// What to do about a finding of `lint`. A new kind: its line here; the compiler asks for it.

import Coding

extension LintKind {
  /// As commands where there are any.
  var advice: String {
    switch self {
    case .unreadable: "whoever recorded it records it anew; it is kept, and in no answer"
    case .badLink: "timelinectl correct ID --no-link … --link REL:ID#KEY --reason …"
    case .missingTarget: "timelinectl sync brings it, or correct ID --no-link …"
    case .backwards: "timelinectl correct ID --commitment 'key=…; due=…' --reason …"
    case .unknownActor: "timelinectl sync brings it, or actor add CODE --name …, or correct ID"
    case .contested: "timelinectl conflicts has the wordings, resolve ID settles it"
    case .duplicate: "timelinectl same ID ID joins them; apart ID ID says that they are two"
    case .overdue:
      "record what became of it: add --type step --link fulfils:ID#KEY, or violates, suspends, withdraws"
    case .unanswered:
      "correct the event that answered: --link declines:ID, accepts, counters, answers; or tag it"
        + " lint:unanswered-offer"
    case .noEnd: "timelinectl correct ID --date START/END --reason …"
    case .noSource: "timelinectl correct ID --source-title … --source-url … --reason …"
    case .noAddress: "timelinectl correct ID --source-url … --reason …"
    case .noDue: "timelinectl correct ID --commitment 'key=…; due=…' --reason …"
    case .unknownSubtype:
      "timelinectl correct ID --subtype …; timelinectl add --help lists those known"
    case .future: "nothing, where it is planned; else timelinectl correct ID --date …"
    }
  }
}
