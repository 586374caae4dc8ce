// The daemon speaks to programs, in verbs and JSON; here its messages become those for a person at a
// terminal. Most of what a person can get wrong is checked before it is asked; this is for the rest.

enum PlainWords {
  private static let phrases: [(wire: String, plain: String)] = [
    ("ACTORS lists all", "timelinectl actor list shows all"),
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

  /// What is missing or wrong in an event that was given by flags.
  static func ofFlags(_ text: String) -> String {
    let fields: [(wire: String, plain: String)] = [
      (
        "sources: missing; give at least one {\"title\":…}, or say \"unsourced\": true",
        "there is no source; give one with --source-title, --source-publisher or --source-url, or say"
          + " --unsourced"
      ),
      ("actors: missing; a list of codes such as [\"PRK\"]", "actors: missing; --actors USA,KOR"),
      ("type: missing; one of", "type: missing; --type takes one of"),
      (
        "date: missing; write a day, month or year such as 2017-11-29",
        "date: missing; --date takes a day, month or year such as 2017-11-29"
      ),
      (
        "title: missing; one line that says what happened",
        "title: missing; --title takes one line that says what happened"
      ),
    ]
    return fields.reduce(text) { $0.replacing($1.wire, with: $1.plain) }
  }
}
