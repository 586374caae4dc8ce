// INVITE, MEMBERS, MEMBER: who is a member, and what the owner does about it.

import Access
import EventStore
import TimelineModel
import TimelineWire
import TransparencyLog

extension Router {
  private static let noMembers = ErrorReply(
    .unsupported, "this timeline is from before there were members, and syncs with nobody")

  // MARK: INVITE

  /// How long a code holds where nothing is said, in seconds, and at most.
  private static let invitationSeconds = 86_400
  private static let invitationSecondsMax = 30 * 86_400

  func invite(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>, _ connection: Connection
  ) throws(ErrorReply) {
    let value = try request.value(in: line, keys: ["role", "seconds", "addresses"])
    guard let membership = timeline.membership, let device = service.device else {
      throw Self.noMembers
    }
    guard membership.role(of: device) == .admin else { throw ErrorReply(RecordingRefusal.noRight) }
    let role = try value["role"].map(Self.role) ?? .write
    let seconds = value["seconds"] == nil ? Self.invitationSeconds : value["seconds"]?.int ?? 0
    guard (1...Self.invitationSecondsMax).contains(seconds) else {
      throw ErrorReply(
        .badRequest, "an invitation holds for 1 to \(Self.invitationSecondsMax) seconds, 30 days")
    }
    let addresses = try value["addresses"].map(Self.networkAddresses) ?? service.addresses()
    let secret = withUnsafeBytes(of: (service.random(), service.random())) { Array($0) }
    let expires = now.seconds + seconds
    let invitation: Invitation
    do throws(InvitationError) {
      invitation = try Invitation(
        addresses: Array(addresses.prefix(Invitation.addressCountMax)), device: device,
        timelines: [membership.timeline], secret: secret, expires: expires)
    } catch { throw ErrorReply(.badRequest, error.text) }
    try invitations.add(
      OpenInvitation(
        secret: secret, timeline: membership.timeline, role: role, expires: expires,
        author: connection.author, device: nil), now: now)
    Reply.ok(
      .object([
        "code": .string(invitation.code), "timeline": .string(timeline.name),
        "role": .string(role.rawValue), "device": .string(device.description),
        "expires": .string(RecordedTime(microseconds: Int64(expires) * 1_000_000).description),
        "addresses": .strings(invitation.addresses),
      ]), to: &connection.out)
  }

  private static func role(_ value: JSONValue) throws(ErrorReply) -> Role {
    guard let role = value.string.flatMap({ Role(rawValue: $0) }) else {
      let roles = Role.allCases.map(\.rawValue).joined(separator: ", ")
      throw ErrorReply(.badRequest, "a role is one of \(roles)", value: value.string)
    }
    return role
  }

  private static func networkAddresses(_ value: JSONValue) throws(ErrorReply) -> [String] {
    try addresses(value, form: "tls://HOST:PORT") { (text) throws(PeerAddress.Invalid) in
      let address = try PeerAddress(text)
      guard address.isNetwork else {
        throw PeerAddress.Invalid(text: "\(text): write an address as tls://HOST:PORT")
      }
      return address
    }.map(\.description)
  }

  // MARK: MEMBERS

  func members(_ connection: Connection) throws(ErrorReply) {
    guard let membership = timeline.membership else { throw Self.noMembers }
    let (all, position) = (membership.members, timeline.position)
    let live = Set(host.listeners.compactMap { $0.isLinked ? $0.device : nil })
    for member in all {
      Reply.row(
        .object([
          "device": .string(member.device.description), "name": member.name.map { .string($0) },
          "role": member.role.map { .string($0.rawValue) }, "rank": .int(member.rank),
          "own": .bool(member.device == service.device),
          "connected": .bool(live.contains(member.device)), "by": .string(member.by.word),
          "logs": .array(
            member.logs.map { replica in
              .object([
                "replica": .string(replica.description),
                "lines": .int(Int(position[replica])),
                "signed": .int(Int(min(position[replica], timeline.signedSize(of: replica)))),
                "end": membership.end(of: replica).map { .int(Int($0)) },
              ])
            }),
          "ends": member.ends.isEmpty
            ? nil
            : .array(
              member.ends.map { ending in
                .object([
                  "by": .string(ending.by.word), "to": ending.end.to.map { .string($0.rawValue) },
                ])
              }),
        ]), to: &connection.out)
    }
    Reply.end(
      .object([
        "count": .int(all.count), "in_doubt": membership.isInDoubt ? .bool(true) : nil,
      ]), to: &connection.out)
  }

  // MARK: MEMBER

  /// An end or a lowering, whose roots are found off the loop.
  func member(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>, _ connection: Connection
  ) throws(ErrorReply) -> Step {
    let value = try request.value(in: line, keys: ["device", "end", "role", "recovery", "name"])
    guard let membership = timeline.membership, let own = service.device else {
      throw Self.noMembers
    }
    if let code = value["recovery"]?.string {
      guard host.isOpenForStaging else { return .whenOpen }
      try recover(code, value, own, membership, connection)
      return .goOn
    }
    let member = try Self.member(value["device"]?.string ?? "", in: membership)
    let to = try value["role"].map(Self.role)
    guard (to == nil) == (value["end"]?.bool ?? false) else {
      throw ErrorReply(
        .badRequest,
        "MEMBER takes a device and \"end\":true, or the lower \"role\" that it is to have")
    }
    guard let role = member.role else {
      throw ErrorReply(.exists, "\(member.name ?? "that device") is a member no more already")
    }
    if let to, to >= role {
      throw ErrorReply(
        .badRequest,
        "\(member.name ?? "that device") has the role \(role.rawValue) already; a role is lowered only: "
          + "for a higher one the device is invited anew")
    }
    let position = timeline.position
    let sizes = member.logs.map { replica in
      (replica, min(position[replica], membership.end(of: replica) ?? .max))
    }
    // What cannot be recorded is refused before all of the logs are read.
    let draft = MemberEnd(
      device: member.device, upTo: sizes.reduce(into: [:]) { $0[$1.0] = LogEnd($1.1, .emptyRoot) },
      to: to)
    if let refusal = membership.refusal(of: draft, by: own, having: position) {
      throw ErrorReply(refusal)
    }
    return .ask(
      SlowQuestion(
        view: timeline.lines, query: Query(),
        kind: .end(member.device, sizes.filter { $0.1 > 0 }.map { ($0.0, $0.1) }, to: to)))
  }

  /// Brings this machine's device in by the recovery code, whatever it was: a founder who lost his machine.
  private func recover(
    _ code: String, _ value: JSONValue, _ own: DeviceID, _ membership: Membership,
    _ connection: Connection
  ) throws(ErrorReply) {
    guard let key = RecoveryCode.key(code) else {
      throw ErrorReply(
        .badRequest,
        "this is no recovery code, or it is mistyped: it begins with TIMELINE-RECOVERY-1-")
    }
    let role = try value["role"].map(Self.role) ?? .admin
    guard let record = MemberRecord(device: own, name: value["name"]?.string ?? "", role: role)
    else { throw ErrorReply(.badRequest, "a device's name is one line of 1 to 64 bytes") }
    let signed = record.signed(by: key, of: membership.timeline)
    if let refusal = membership.refusal(of: signed, by: own) { throw ErrorReply(refusal) }
    do throws(AppendError) {
      promise(.appended(try timeline.stage(.member(signed), recording(connection))), connection)
    } catch { throw ErrorReply(error) }
    peers.tryNow(timeline.id)
  }

  /// By its id or the name that it was given.
  private static func member(
    _ text: String, in membership: Membership
  ) throws(ErrorReply) -> Member {
    if let member = DeviceID(typed: text).flatMap({ membership.member($0) }) { return member }
    let named = membership.members.filter {
      // As member list calls the one that no line names.
      ($0.name ?? "the founder") == text
        || $0.device.description.hasPrefix(text.uppercased()) && text.utf8.count >= 7
    }
    guard let member = named.first else {
      throw ErrorReply(
        .notFound, "no device of this timeline is called \"\(text.prefix(80))\"", value: text)
    }
    guard named.count == 1 else {
      throw ErrorReply(
        .badRequest,
        "\(named.count) devices are called \"\(text.prefix(80))\"; name one by its id: "
          + named.map(\.device.description).joined(separator: ", "), value: text)
    }
    return member
  }

  /// Records an end whose roots were found.
  func record(_ end: MemberEnd, _ connection: Connection) throws(ErrorReply) {
    guard let membership = timeline.membership, let own = service.device else {
      throw Self.noMembers
    }
    // More may have come meanwhile.
    if let refusal = membership.refusal(of: end, by: own, having: timeline.position) {
      throw ErrorReply(refusal)
    }
    do throws(AppendError) {
      promise(.appended(try timeline.stage(.end(end), recording(connection))), connection)
    } catch { throw ErrorReply(error) }
  }
}

extension Recorder {
  fileprivate var word: String {
    switch self {
    case .recovery: "recovery"
    case .founding: "founding"
    case .device(let id): id.description
    }
  }
}
