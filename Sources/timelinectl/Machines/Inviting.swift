// `peer invite` and `peer join`: how a machine becomes a member of a timeline, one command on each side.

import Foundation
import TimelineModel
import TimelineWire

enum Inviting {
  /// `peer invite`: the code for the clipboard, and as a picture for a camera.
  static func invite(_ context: Context) throws(Failure) {
    let role = context.words["--role"] ?? Role.write.rawValue
    if role == Role.admin.rawValue { try confirmAdmin(context) }
    let seconds = try context.words["--expires"].map { (text) throws(Failure) in
      Int(try Wait.duration(text, "--expires").components.seconds)
    }
    let addresses = context.words.all("--address")
    let reply = try context.connect().ask(
      .invite(
        .object([
          "role": .string(role), "seconds": seconds.map { .int($0) },
          "addresses": addresses.isEmpty ? nil : .strings(addresses),
        ])))
    context.finish(reply, text(reply, context))
  }

  private static func text(_ reply: JSONValue, _ context: Context) -> String {
    let code = reply["code"]?.string ?? ""
    let picture = context.terminal.qrCode(code).map { $0 + "\n" } ?? ""
    let way =
      reply["addresses"]?.array?.isEmpty == false
      ? ""
      : """
      This timelined does not listen for other machines. Start it with --listen tls://[::]:PORT,
      or join with --via 'ssh THIS-HOST timelinectl relay' behind the code.


      """
    return """
      \(picture)On the other machine, until \(until(reply["expires"]?.string ?? "")):

        timelinectl peer join \(code)

      \(way)Whoever has this code can join \(reply["timeline"]?.string ?? "") once, with the role \(reply["role"]?.string ?? ""): \
      send it as you would a password.

      """
  }

  /// `2026-12-01T02:22:20.000000Z` as `2026-12-01 02:22 UTC`: a person needs no more of it.
  private static func until(_ time: String) -> String {
    time.prefix(10) + " " + time.dropFirst(11).prefix(5) + " UTC"
  }

  /// Whoever is an admin can end others, and erase what they wrote.
  private static func confirmAdmin(_ context: Context) throws(Failure) {
    guard !context.words.has("--yes") else { return }
    guard context.canAsk else {
      throw Failure(.usage, "not a terminal; pass --yes to invite an admin")
    }
    let question = "An admin can invite and end devices, and erase what they wrote. Invite one?"
    guard Terminal.confirms(question) else {
      throw Failure(.failed, code: "denied", "nobody was invited")
    }
  }

  /// `peer join CODE`. What mail has wrapped comes as several words, which are one code.
  static func join(_ words: [String], _ context: Context) throws(Failure) {
    let client = try context.connectToDaemon()
    let reply: JSONValue
    do throws(Failure) {
      reply = try client.ask(
        .join(
          .object([
            "code": .string(words.joined()),
            "device_name": .string(context.words["--name"] ?? hostName),
            "as": context.words["--as"].map { .string($0) },
            "via": context.words["--via"].map { .string($0) },
          ])))
    } catch {
      guard error.code == ErrorCode.exists.rawValue else { throw error }
      var failure = error
      failure.behind = "; --as NAME joins it under another name"
      throw failure
    }
    let lines = (reply["timelines"]?.array ?? []).map { timeline in
      let name = timeline["name"]?.string ?? ""
      let chosen = name == "main" ? "" : " --timeline \(name)"
      return "joined \(name) with the role \(timeline["role"]?.string ?? ""); "
        + "\(Again.timelinectl)\(chosen) sync waits until both agree\n"
    }
    context.finish(reply, lines.joined())
  }

  /// What a machine is called where nothing is said.
  static var hostName: String {
    let name = String(
      decoding: ProcessInfo.processInfo.hostName.utf8.prefix(MemberRecord.nameBytesMax),
      as: UTF8.self)
    return MemberRecord.isName(name) ? name : "timeline"
  }
}
