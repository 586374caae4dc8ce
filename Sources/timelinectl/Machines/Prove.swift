// `prove`, `keys`, `verify-proof`: that an event is in a log, for verifiers that have the log's key alone.

import Foundation
import TimelineModel
import TransparencyLog

extension Command {
  static let keys = Command(
    name: "keys", arguments: "", summary: "the keys that the logs' heads are signed with",
    examples: ["keys", "keys --json"], flags: [],
    notes: """
      A key is what verify-proof takes. Give it to your readers in a way that they trust: print it in \
      the paper, put it on your site. Each machine has one for each log, from its first event on.
      """,
    plain: 0...0
  ) { (context) throws(Failure) in
    var keys: [JSONValue] = []
    _ = try context.connect().stream(.keys) { _, row in keys.append(Client.json(row)) }
    let rows = keys.map { key in
      [
        key["replica"]?.string ?? "", key["own"]?.bool ?? false ? "this machine" : "",
        "\(key["signed"]?.int ?? 0) of \(key["lines"]?.int ?? 0)", key["vkey"]?.string ?? "",
      ]
    }
    context.finish(
      .array(keys),
      rows.isEmpty
        ? "no log has a key yet: a machine makes its own with its first event\n"
        : rows.map { row in
          "replica \(row[0])" + (row[1].isEmpty ? "" : ", \(row[1])") + ", \(row[2]) lines signed\n"
            + "  \(row[3])\n"
        }.joined())
    return .done
  }

  static let prove = Command(
    name: "prove", arguments: "ID", summary: "a file that proves an event to anybody, offline",
    examples: ["prove 3f2a", "prove 3f2a --output summit.tlog-proof"],
    flags: [
      Flag(name: "--output", value: "FILE", help: "where to (ID.tlog-proof); - is standard output")
    ],
    notes: """
      The file holds the line as it was recorded, its place, and the signed head of its log \
      (c2sp.org/tlog-proof). timelinectl verify-proof checks it, or any tool that knows the format; \
      neither needs a daemon.

      Of an event its first recording is proven; a correction is proven by its own id.
      """,
    plain: 1...1
  ) { (context) throws(Failure) in
    let client = try context.connect()
    let answer = try client.ask(.prove(EventName.id(context.words.plain[0], client)))
    let proof = answer["proof"]?.string ?? ""
    let id = (try? Proven(Array(proof.utf8)))?.line.id.description ?? "event"
    let path = context.words["--output"] ?? "\(id).tlog-proof"
    if path == "-" {
      Terminal.write(context.isJSON ? answer.text + "\n" : proof)
      return .done
    }
    do { try Data(proof.utf8).write(to: URL(filePath: path), options: .withoutOverwriting) } catch {
      throw Failure(
        .failed, code: "file", "cannot write \(path): \((error as NSError).localizedDescription)")
    }
    let (seq, signed) = (answer["seq"]?.int ?? 0, answer["signed"]?.int ?? 0)
    let members = (answer.members ?? []).filter { $0.key != "proof" }
    context.finish(
      .object(members + [JSONValue.Member("file", .string(path))]),
      """
      \(path): line \(seq) of replica \(answer["replica"]?.string ?? ""), under the head of \(signed) lines
      To check it: timelinectl verify-proof \(path) --key \(answer["vkey"]?.string ?? "")

      """)
    return .done
  }

  static let verifyProof = Command(
    name: "verify-proof", arguments: "FILE --key VKEY",
    summary: "check a file that prove wrote; no daemon is asked",
    examples: ["verify-proof summit.tlog-proof --key 'timeline/…+1a2b3c4d+AbC…'"],
    flags: [Flag(name: "--key", value: "VKEY", help: "the log's key, from whom you trust for it")],
    notes: """
      A key that came with the file proves nothing: whoever made the one could have made the other. \
      timelinectl keys, on the machine that recorded it, shows the right one.

      Exit code 7 where the file does not prove what it says.
      """,
    plain: 1...1
  ) { (context) throws(Failure) in
    let path = context.words.plain[0]
    let bytes = Array(try InputFile.read(path))
    func refuse(_ reason: String) -> Failure {
      Failure(.verificationFailed, "\(path) is not verified: \(reason)")
    }
    do {
      let proven = try Proven(bytes)
      guard let vkey = context.words["--key"] else {
        throw refuse(
          "without a key nothing is; it says of itself that it is line \(proven.line.seq) of log "
            + "\(proven.line.replica). Give that log's --key, from whom you trust for it")
      }
      let key: NoteVerifier
      do throws(NoteVerifierError) { key = try NoteVerifier(vkey: vkey) } catch {
        throw Failure(.usage, "--key: \(error.message)")
      }
      let head = try proven.verify(by: key)
      context.finish(proven.json(head), proven.text(head, context.terminal))
      return .done
    } catch let error as Failure {
      throw error
    } catch let error as LogProofError {
      throw refuse(error.message)
    } catch let error as Proven.Mismatch {
      throw refuse(error.message)
    } catch { throw refuse("\(error)") }
  }
}

/// A proof of ours, with the line that it is about.
private struct Proven {
  enum Mismatch: Error {
    case noLine
    case line(LineError)
    case address(index: UInt64, seq: UInt64)
    case log(origin: String, replica: ReplicaID)

    var message: String {
      switch self {
      case .noLine: "it does not hold the line that it is about (\"extra\")"
      case .line(let error): "the line that it holds is none: \(error.message)"
      case .address(let index, let seq):
        "it proves line \(index + 1), but holds a line that says it is line \(seq)"
      case .log(let origin, let replica):
        "it is about \(origin), but holds a line of replica \(replica)"
      }
    }
  }

  let proof: LogProof
  let line: Line

  init(_ bytes: [UInt8]) throws {
    proof = try LogProof(bytes)
    guard !proof.extra.isEmpty else { throw Mismatch.noLine }
    do throws(LineError) {
      line = try proof.extra.withTypedBuffer { (text) throws(LineError) in try Line(text) }
    } catch { throw Mismatch.line(error) }
  }

  /// The head that the line is under; throws unless the key's log holds it at the place that it says.
  func verify(by key: NoteVerifier) throws -> Checkpoint {
    var hasher = SHA256()
    let leaf = proof.extra.withUnsafeBufferPointer { line.leaf(of: $0, using: &hasher) }
    let head = try proof.verify(leaf: leaf, by: key)
    guard line.seq == proof.index + 1 else {
      throw Mismatch.address(index: proof.index, seq: line.seq)
    }
    let origin = head.origin.string
    guard origin.hasSuffix("/\(line.replica)") else {
      throw Mismatch.log(origin: origin, replica: line.replica)
    }
    return head
  }

  func json(_ head: Checkpoint) -> JSONValue {
    .object([
      "verified": .bool(true), "replica": .string(line.replica.description),
      "seq": .int(Int(line.seq)), "signed": .int(Int(head.size)),
      "root": .string(head.root.base64), "origin": .string(head.origin.string),
      "erased": .bool(line.isStub), "line": Client.json(proof.extra[...]),
    ])
  }

  func text(_ head: Checkpoint, _ terminal: Terminal) -> String {
    let event = Client.json(proof.extra[...])
    let author = SafeText.line(event["author"]?.string ?? "")
    return """
      verified: line \(line.seq) of replica \(line.replica),
      recorded \(line.recorded) by \(author), id \(line.id),
      in the first \(head.size) lines, signed as \(head.origin.string)


      """
        + (line.isStub
          ? "What it said was erased; the rest is proven.\n" : EventText.whole(event, terminal))
  }
}
