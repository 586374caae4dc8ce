// `restore`: a data directory from the file of a backup. The file is read as a whole first; then a
// daemon takes its lines in, as a peer's, and checks them again.
//
//     BackupInput.check ─▶ RestoreDirectory ─▶ RestoreDaemon ◀─ RestoreSync ◀─ RestoreSource

import Backup
import TimelineModel

extension Command {
  static let restore = Command(
    name: "restore", arguments: "FILE DIR | FILE --check",
    summary: "make a data directory of a backup, or only check it",
    examples: [
      "restore timeline.backup --check", "restore timeline.backup ~/.local/share/timeline",
    ],
    flags: [
      Flag(name: "--check", value: nil, help: "read all of the file, and say what it holds"),
      Flag(name: "--with-key", value: nil, help: "with the key that the backup holds"),
      PassphraseInput.flag,
      Flag(name: "--partial", value: nil, help: "restore what can be, where lines are missing"),
    ],
    notes: """
      The directory must be new or empty; it is there once all is on disk, and not at all otherwise. \
      Every line, its place and time, and the root of each log with a signed head are checked, and \
      checked again by the daemon that takes them in: the timelined beside this timelinectl, or on \
      the PATH. What is recorded in the new directory stands in a log of its own: the machine that \
      the backup was made of may go on writing its own.

      Exit code 7 where the file is not what was written, or lacks lines.
      """,
    plain: 1...2
  ) { (context) throws(Failure) in
    let words = context.words
    guard words.has("--check") == (words.plain.count == 1) else {
      throw Failure(.usage, "restore takes FILE and DIR, or FILE and --check")
    }
    Interruption.note()
    let input = try BackupInput(words.plain[0])
    let passphrase = try passphrase(context, isNew: false)
    let contents = try input.check()
    guard TimelineFounding.isName(contents.header.name) else {
      throw Failure(
        .verificationFailed, code: "damaged",
        "the backup's timeline has no name that a timeline can have")
    }
    let key = try passphrase.map { (passphrase) throws(Failure) in
      try contents.signingKey(passphrase)
    }
    let summary = BackupSummary(contents)
    guard words.plain.count == 2 else {
      context.finish(.object(summary.json), report(summary, context.terminal))
      return contents.missing == 0 ? .done : .verificationFailed
    }
    try refuseWhatCannotBeRestored(summary, isPartial: words.has("--partial"))
    let position = contents.restorable
    let directory = try RestoreDirectory(words.plain[1])
    if let key { try directory.put(key) }
    try directory.put(contents.header.timeline, named: contents.header.name)
    try restore(contents, from: input, to: directory, context.environment)
    try directory.moveInPlace()
    context.finish(
      .object(
        [
          JSONValue.Member("directory", .string(directory.path)),
          JSONValue.Member("restored", .int(position.lines)),
        ] + summary.json),
      "restored \(position.lines) lines to \(directory.path)\n"
        + "timelined --data \(directory.path) serves them\n" + summary.warnings)
    return contents.missing == 0 ? .done : .partlyDone
  }

  private static func restore(
    _ contents: BackupContents, from input: BackupInput, to directory: RestoreDirectory,
    _ environment: [String: String]
  ) throws(Failure) {
    let daemon = try RestoreDaemon(data: directory.work, environment)
    let header = contents.header
    try RestoreSync(daemon, RestoreSource(input, contents), of: header.timeline).run()
    let standing = try Client(socket: daemon.socket).ask(.open(header.name)).position
    guard standing == contents.restorable else {
      throw Failure(
        .verificationFailed,
        "timelined stands at \(standing.json.text), the backup does not")
    }
    try daemon.stop()
  }

  private static func refuseWhatCannotBeRestored(
    _ summary: BackupSummary, isPartial: Bool
  ) throws(Failure) {
    let contents = summary.contents
    guard contents.missing == 0 || isPartial else {
      throw Failure(
        .verificationFailed, code: "damaged",
        summary.warnings + "a log is restored up to its first missing line with --partial")
    }
  }

  private static func report(_ summary: BackupSummary, _ terminal: Terminal) -> String {
    let header = summary.contents.header
    return
      "backup of \(header.name), made \(header.made) on the machine of replica \(header.replica)\n\n"
      + (summary.contents.logs.isEmpty
        ? "it holds no lines: nothing was recorded yet\n" : summary.table(terminal) + "\n")
      + (summary.contents.missing == 0
        ? "all \(summary.lines) are what was written\n" : summary.warnings)
  }
}
