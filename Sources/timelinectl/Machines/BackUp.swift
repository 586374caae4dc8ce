// `backup`: all lines of all logs at one position of a running daemon, in one file.
//
//     daemon ─ ROW, EVENT … END ─▶ BackupMaking ─▶ BackupWriter (text, zstd) ─▶ OutputFile

import Backup
import TimelineModel
import TransparencyLog

extension Command {
  static let backup = Command(
    name: "backup", arguments: "FILE", summary: "write all that is stored to one file",
    examples: ["backup timeline.backup", "backup /mnt/usb/timeline.backup --force"],
    flags: [
      Flag(name: "--force", value: nil, help: "replace the file where it is there already"),
      Flag(name: "--with-key", value: nil, help: "with the key that signs, under a passphrase"),
      PassphraseInput.flag,
    ],
    notes: """
      The daemon goes on meanwhile; what was recorded before the command is in the file. The file is \
      compressed text, which `zstd -dc FILE | less` shows. timelinectl restore FILE --check reads it \
      again, timelinectl restore FILE DIR makes a data directory of it.

      Without --with-key the file holds no secret but the events. With it, it also holds the key \
      that signs this machine's heads, encrypted: whoever has the file can try passphrases, so take a \
      long one.

      Exit code 7 where the daemon's disk no longer has some lines as they were written: the file is \
      made all the same, and says which.
      """,
    plain: 1...1
  ) { (context) throws(Failure) in
    let path = context.words.plain[0]
    Interruption.note()
    let passphrase = try passphrase(context, isNew: true)
    let client = try context.connect()
    let file = try OutputFile(path, replaces: context.words.has("--force"))
    let making = BackupMaking(file)
    let wanted = passphrase.map { JSONValue.object(["passphrase": .string($0.text)]) }
    let end = try client.stream(.backup(wanted)) { (word, json) throws(Failure) in
      try making.take(word, json)
    }
    let contents = try making.end(end)
    if let passphrase { _ = try contents.signingKey(passphrase) }
    try file.finish()
    let summary = BackupSummary(contents)
    context.finish(
      .object([JSONValue.Member("file", .string(path))] + summary.json),
      "backed up \(summary.lines) to \(path)\n" + summary.warnings)
    return contents.missing == 0 ? .done : .verificationFailed
  }

  /// The passphrase of `--with-key`; nil without.
  static func passphrase(_ context: Context, isNew: Bool) throws(Failure) -> Passphrase? {
    guard context.words.has("--with-key") else {
      guard context.words[PassphraseInput.flag.name] == nil else {
        throw Failure(.usage, "\(PassphraseInput.flag.name) is for --with-key")
      }
      return nil
    }
    return try PassphraseInput.read(context, isNew: isNew)
  }
}

extension BackupContents {
  /// The key that it holds.
  func signingKey(_ passphrase: Passphrase) throws(Failure) -> SigningKey {
    guard let key else {
      throw Failure(
        .failed, code: "no-key",
        "the backup holds no key: it was made without --with-key. Restored without it, the new "
          + "directory gets a key of its own")
    }
    guard let key = SigningKey(pem: Array(key.utf8), passphrase: passphrase) else {
      throw Failure(
        .failed, code: "wrong-passphrase", "that is not the passphrase of the key in the backup")
    }
    return key
  }
}

/// Makes the file of a backup of what the daemon sends.
private final class BackupMaking {
  private let file: OutputFile
  private var writer: BackupWriter?
  private var progress: Progress?
  private var lines = 0

  /// Between two looks at the clock.
  private static let progressLines = 4096

  init(_ file: OutputFile) { self.file = file }

  func take(_ word: String, _ json: ArraySlice<UInt8>) throws(Failure) {
    do throws(BackupError) {
      if word == "EVENT" { try takeLine(json) } else { try takeRow(Client.json(json)) }
    } catch { throw Self.failure(error) }
    guard let bytes = writer?.take(), !bytes.isEmpty else { return }
    try file.write(bytes)
  }

  private func takeLine(_ line: ArraySlice<UInt8>) throws(BackupError) {
    guard writer != nil else { throw .form(line: 1, "a line before the log that it is of") }
    try writer!.line(line)
    lines += 1
    if lines % Self.progressLines == 0 { progress?.advance(to: lines) }
  }

  private func takeRow(_ row: JSONValue) throws(BackupError) {
    if let key = row["key"]?.string, writer != nil {
      try writer!.key(key)
    } else if let replica = row["log"]?.string.flatMap({ ReplicaID($0) }),
      let lines = row["lines"]?.int.flatMap({ UInt64(exactly: $0) }), writer != nil
    {
      try writer!.log(replica, lines: lines, head: row["head"]?.string)
    } else if let header = BackupHeader(json: row), writer == nil {
      writer = try BackupWriter(header)
      progress = Progress("backing up", total: header.position.lines)
    } else {
      throw .form(line: 1, "timelined says \(row.text.prefix(200))")
    }
  }

  /// Writes the rest; what the file holds, which is what the daemon says that it sent.
  func end(_ stated: JSONValue) throws(Failure) -> BackupContents {
    guard let writer = writer.take() else {
      throw Failure(.failed, "timelined sent no backup: it is another version; install the same")
    }
    let (bytes, contents): ([UInt8], BackupContents)
    do throws(BackupError) { (bytes, contents) = try writer.end() } catch {
      throw Self.failure(error)
    }
    guard stated["lines"]?.int == contents.lines, stated["missing"]?.int == contents.missing else {
      throw Self.failure(.count(stated: stated["lines"]?.int ?? 0, found: contents.lines))
    }
    try file.write(bytes)
    progress?.advance(to: contents.header.position.lines)
    return contents
  }

  private static func failure(_ error: BackupError) -> Failure {
    Failure(
      .verificationFailed, code: "damaged",
      "what timelined sent is no backup: \(error.message); nothing was written. "
        + "\(Again.timelinectl) verify says whether its log is whole")
  }
}
