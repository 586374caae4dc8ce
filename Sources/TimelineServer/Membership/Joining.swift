// How a device becomes a member by an invitation. Both sides of it:
//
//     joiner   dial, the pin is checked (TLS)  > HELLO > JOIN hash {name, proof}
//     host     the proof is checked            the member line is durable  < JOINED hash {name, role, founding}
//     joiner   the timeline is made here, the host is its peer; the next one, or the end
//
// The joiner says JOIN only to the device that the code names, and the proof is of this one connection. Nothing is
// merged: a timeline of the same name that has lines stays what it is, and another name is asked for.

import Access
import EventStore
import TimelineModel
import TimelineWire
import TransparencyLog

/// What the owner asked for by `JOIN`, until it is answered.
final class Joining {
  /// Who asked, and waits.
  let asker: ConnectionID
  let invitation: Invitation
  /// What this machine is to be called.
  let deviceName: String
  /// What the timeline is to be called here; theirs, where nil.
  let localName: String?
  /// The ways to the host that were not tried yet.
  var untried: [PeerAddress]
  /// All of them: where the host is looked for from then on.
  let addresses: [PeerAddress]
  /// Timelines that were joined.
  var joined: [JSONValue] = []

  init(
    asker: ConnectionID, invitation: Invitation, addresses: [PeerAddress], deviceName: String,
    localName: String?
  ) {
    self.asker = asker
    self.invitation = invitation
    self.addresses = addresses
    untried = addresses
    self.deviceName = deviceName
    self.localName = localName
  }

  /// The timeline that is joined next; nil where all are.
  var next: SHA256Digest? {
    joined.count < invitation.timelines.count ? invitation.timelines[joined.count] : nil
  }
}

extension LinkRouter {
  // MARK: The joiner

  /// The first words to the host.
  func begin(_ connection: Connection, joining: Joining) {
    SyncMessage.hello(features: []).append(to: &connection.out)
    connection.mode = .linked(Link(isOutgoing: true, joining: joining, now: service.now))
    ask(joining, connection)
  }

  /// Says JOIN for the next timeline; false where there is none.
  @discardableResult
  func ask(_ joining: Joining, _ connection: Connection) -> Bool {
    guard let timeline = joining.next, let handshake = connection.handshake,
      let own = service.device
    else { return false }
    let proof = JoinProof(
      secret: joining.invitation.secret, channelBinding: handshake.channelBinding,
      host: joining.invitation.device, joiner: own)
    say(joining.deviceName, .proof(proof.bytes), of: timeline, connection)
    return true
  }

  private func say(
    _ name: String, _ right: SyncJoin.Right, of timeline: SHA256Digest, _ connection: Connection
  ) {
    SyncMessage.join(
      SyncJoin(
        timeline: timeline, name: name, right: right,
        addresses: Array(service.addresses().prefix(SyncJoin.addressesMax)))
    ).append(to: &connection.out)
  }

  func joined(_ joined: SyncJoined, _ link: Link) throws(ErrorReply) -> Step {
    guard let joining = link.joining, joining.next == joined.timeline else {
      throw ErrorReply(.badRequest, "JOINED answers JOIN alone")
    }
    return .joined(joining, joined)
  }

  // MARK: The host

  func join(_ join: SyncJoin, _ connection: Connection) throws(ErrorReply) -> Step {
    guard let handshake = connection.handshake, let device = connection.device,
      let own = service.device
    else { throw ErrorReply(.denied, "JOIN is said over TLS alone") }
    let hosted = timelines.hosted.timelines.first { $0.hash == join.timeline && !$0.isArchived }
    guard let hosted,
      let host = try Router.onDisk({ () throws(OpenError) in try timelines.host(hosted.id) }),
      let membership = host.timeline.membership,
      let founding = hosted.founding ?? host.timeline.lines.founding
    else { throw ErrorReply(.denied, "this invitation is not known here; ask for a new code") }
    // Asked again, also by a device whose code is forgotten here: it is a member. What the recovery code says of one
    // may be new all the same.
    if let role = membership.role(of: device), !isNew(join.right, membership) {
      admit(
        SyncJoined(timeline: join.timeline, name: hosted.name, role: role, founding: founding),
        connection)
      return .goOn
    }
    guard host.isOpenForStaging else {
      connection.host = host
      return .whenOpen
    }
    let (record, author) = try record(by: join, of: device, at: own, handshake, membership)
    do throws(AppendError) {
      try host.timeline.stage(
        .member(record),
        Timeline.Recording(
          author: author, now: service.now.wall, random: service.random, newID: service.newID))
    } catch { throw ErrorReply(error) }
    host.promise(
      .joined(
        SyncJoined(
          timeline: join.timeline, name: hosted.name, role: record.role, founding: founding),
        addresses: join.addresses), connection)
    service.log(
      .info,
      "\(record.name), device \(device), joins timeline \(hosted.name) as \(record.role.rawValue)")
    return .goOn
  }

  private func isNew(_ right: SyncJoin.Right, _ membership: Membership) -> Bool {
    if case .record(let record) = right { !membership.hasRecoveryRecord(record) } else { false }
  }

  /// What is to be recorded of a device that may join, and in whose name.
  private func record(
    by join: SyncJoin, of device: DeviceID, at own: DeviceID, _ handshake: DeviceHandshake,
    _ membership: Membership
  ) throws(ErrorReply) -> (MemberRecord, author: String) {
    switch join.right {
    case .proof(let proof):
      let invitation = try invitations.find(
        join.timeline, proof, of: device, at: own, handshake.channelBinding, now: service.now.wall)
      let record = MemberRecord(
        device: device, name: join.name, role: invitation.role, code: invitation.codeHash)
      guard let record else { throw ErrorReply(.badRequest, "a device's name has 1 to 64 bytes") }
      if let refusal = membership.refusal(of: record, by: own) { throw ErrorReply(refusal) }
      try invitations.give(invitation, to: device)
      return (record, invitation.author)
    case .record(let record):
      // The recovery key speaks: who brings its record plays no part, but for the device that is here.
      guard record.signature != nil, record.device == device else {
        throw ErrorReply(RecordingRefusal.signature)
      }
      if let refusal = membership.refusal(of: record, by: own) { throw ErrorReply(refusal) }
      return (record, record.name)
    }
  }

  /// The member line is durable, or could not be made so.
  func joined(
    _ joined: SyncJoined, addresses: [String], _ failure: AppendError?, _ connection: Connection
  ) {
    if let failure { return end(connection, ErrorReply(failure)) }
    admit(joined, connection)
    // A joiner may say anything here; it is called as any peer, and has to be the device that it is.
    let ways = addresses.compactMap { try? PeerAddress($0) }.filter(\.isNetwork)
    guard !ways.isEmpty, let device = connection.device else { return }
    _ = try? peers.add(Peer(ways, TimelineID(hash: joined.timeline), device: device.digest))
  }

  private func admit(_ joined: SyncJoined, _ connection: Connection) {
    connection.become(joined.role)
    SyncMessage.joined(joined).append(to: &connection.out)
  }

  /// Where the recovery code brought this device in, the other side may not know: the record stands in no log that it
  /// would take lines of.
  func sayRecovery(_ host: Host, _ connection: Connection) {
    guard connection.isAmongMembers, let own = service.device,
      let membership = host.timeline.membership, let record = membership.recoveryRecord(of: own)
    else { return }
    say(record.name, .record(record), of: membership.timeline, connection)
  }

  // MARK: Rights

  /// Who was a member knows of the timeline, and is told.
  static let ended = ErrorReply(.denied, "this device is a member of the timeline no more")

  /// A timeline for who asks for it; nil where it is not here, or not for him: the two look the same.
  func host(_ id: TimelineID, for connection: Connection) throws(ErrorReply) -> Host? {
    func find() throws(ErrorReply) -> Host? {
      try Router.onDisk { () throws(OpenError) in try timelines.host(id) }
    }
    guard let device = connection.device else { return try find() }
    guard let host = try find(), let membership = host.timeline.membership else { return nil }
    guard let role = host.remembered.role(of: device, in: host.timeline) else {
      if membership.hasEnded(device) { throw Self.ended }
      return nil
    }
    connection.become(role)
    return host
  }
}

extension ErrorReply {
  init(_ refusal: RecordingRefusal) {
    switch refusal {
    case .noRight:
      self.init(.denied, "this machine may not do that in this timeline; ask one of its admins")
    case .signature:
      self.init(.denied, "the recovery code is not that of this timeline")
    case .noMember:
      self.init(.notFound, "that device is no member of this timeline")
    case .rank:
      self.init(
        .denied,
        "that device was not brought in below this machine, so this one cannot end it; the recovery code can"
      )
    case .ended:
      self.init(
        .denied,
        "that device was ended or lowered, which is final; with a new device key it can be invited anew"
      )
    case .codeUsed(let device):
      self.init(
        .denied, "the device \(device) has joined by this invitation; each needs a code of its own")
    case .below(let replica, let has):
      self.init(
        .wrongPosition,
        "\(has) lines of replica \(replica) count here, and would not any more; say it again when all is in sync"
      )
    }
  }
}
