// The daemon speaks to programs, in verbs and JSON; here its messages become those for a person at a
// terminal. Most of what a person can get wrong is checked before it is asked; this is for the rest.

enum PlainWords {
  private static let phrases: [(wire: String, plain: String)] = [
    ("ACTORS lists all", "timelinectl actor list shows all"),
    ("SNAPSHOTS lists all", "timelinectl snapshot list shows all"),
    ("PEERS lists them", "timelinectl peer list shows them"),
    ("see `STATUS`", "see timelinectl status"), ("see STATUS", "see timelinectl status"),
    (
      "GET takes an id, or at least its first 4 characters",
      "give the event's name, its id, or at least the first 4 characters of it"
    ),
    (
      "a position is {\"REPLICA\": lines, …}, a day, or a time such as 2026-11-23T22:20:00Z",
      Moment.forms
    ),
    ("as_of is a day", "--as-of takes a day"),
    ("limit is a whole number, not below 0", "--limit takes a whole number, not below 0"),
  ]

  static func of(_ text: String) -> String {
    phrases.reduce(text) { $0.replacing($1.wire, with: $1.plain) }
  }

  /// How an event was given, where it was not as JSON.
  enum Form {
    case flags, columns
  }

  /// What is missing in an event, in the words of its form.
  static func of(_ text: String, _ form: Form) -> String {
    missing.reduce(text) { $0.replacing($1.wire, with: form == .flags ? $1.flags : $1.columns) }
  }

  private static let missing: [(wire: String, flags: String, columns: String)] = [
    (
      "sources: missing; give at least one {\"title\":…}, or say \"unsourced\": true",
      "there is no source; give one with --source-title, --source-publisher or --source-url, or say"
        + " --unsourced",
      "there is no source; fill source_title, source_publisher or source_url, or write true under"
        + " unsourced"
    ),
    (
      "actors: missing; a list of codes such as [\"PRK\"]", "actors: missing; --actors USA,KOR",
      "actors: missing; a code such as PRK, several with semicolons"
    ),
    ("type: missing; one of", "type: missing; --type takes one of", "type: missing; one of"),
    (
      "date: missing; write a day", "date: missing; --date takes a day",
      "date: missing; write a day"
    ),
    (
      "title: missing; one line", "title: missing; --title takes one line",
      "title: missing; one line"
    ),
  ]
}
