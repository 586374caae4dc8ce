// PEER: which machines this one syncs a timeline with.

import EventStore
import TimelineModel
import TimelineWire
import TransparencyLog

extension Router {
  func peer(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>, _ connection: Connection
  ) throws(ErrorReply) {
    if request.arguments == ["add"], request.json != nil {
      return try addPeer(request, line, connection)
    }
    if request.arguments == ["remove"], request.json != nil {
      var bare = request
      bare.arguments = []
      let text = try bare.value(in: line, keys: ["address"])["address"]?.string ?? ""
      return try removePeer(text, connection)
    }
    guard request.arguments.count == 2, request.json == nil else {
      throw ErrorReply(
        .badRequest,
        "PEER add {\"addresses\":[…],\"device\":ID} or PEER remove {\"address\":TEXT}")
    }
    let id = timeline.id
    let address: PeerAddress
    switch request.arguments[0] {
    case "add":
      address = try Self.address(request.arguments[1])
      let isNew = try Self.onDisk { () throws(OpenError) in try peers.add(address, id) }
      guard isNew else { throw ErrorReply(.exists, "\(address) is a peer already") }
    case "remove": return try removePeer(request.arguments[1], connection)
    case let word:
      throw ErrorReply(.badRequest, "PEER \(word.prefix(40))? It is PEER add or PEER remove")
    }
    Reply.ok(.object(["address": .string(address.description)]), to: &connection.out)
  }

  /// How a peer stands: where it has called itself, as that connection does.
  func json(of peer: Peer) -> JSONValue {
    var peer = peer
    if !peer.isLive, let device = peer.device,
      let connection = host.listeners.first(where: { $0.device?.digest == device }),
      case .linked(let link) = connection.mode, link.isLive, let session = link.session
    {
      peer.state = session.isInSync(with: connection.logs(of: host)) ? .inSync : .syncing
    }
    return peer.json
  }

  private func removePeer(_ text: String, _ connection: Connection) throws(ErrorReply) {
    let address: PeerAddress
    do throws(PeerAddress.Invalid) { address = try PeerAddress(owner: text) } catch {
      throw ErrorReply(.badRequest, error.text, value: text)
    }
    let peer = try Self.onDisk { () throws(OpenError) in
      try peers.remove(address, timeline.id)
    }
    guard let peer else {
      throw ErrorReply(.notFound, "there is no peer \(address)", hint: .unknownPeer)
    }
    if let connection = peer.connection { dropped(connection) }
    Reply.ok(.object(["address": .string(address.description)]), to: &connection.out)
  }

  /// A member's machine, where it can be reached: over networks, or by a command that the owner says.
  private func addPeer(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>, _ connection: Connection
  ) throws(ErrorReply) {
    var bare = request
    bare.arguments = []
    let value = try bare.value(in: line, keys: ["addresses", "device"])
    let text = value["device"]?.string ?? ""
    guard let device = DeviceID(typed: text) else {
      throw ErrorReply(
        .badRequest, "\"\(text.prefix(80))\" is no device id; member list shows those", value: text)
    }
    guard let texts = value["addresses"]?.array?.compactMap(\.string), !texts.isEmpty else {
      throw ErrorReply(.badRequest, "addresses are a list of tls://HOST:PORT or via:COMMAND")
    }
    let addresses = try texts.map { (text) throws(ErrorReply) in
      do throws(PeerAddress.Invalid) {
        let address = try PeerAddress(owner: text)
        if case .loopback = address {
          throw PeerAddress.Invalid(
            text: "\(text): a device shows who it is over TLS alone; write tls://HOST:PORT")
        }
        return address
      } catch { throw ErrorReply(.badRequest, error.text, value: text) }
    }
    guard device != service.device else {
      throw ErrorReply(.badRequest, "that is the device of this machine")
    }
    if let membership = timeline.membership, membership.founder != nil,
      membership.role(of: device) == nil
    {
      throw ErrorReply(
        .notFound, "that device is no member of this timeline; peer invite makes a code for it",
        value: text)
    }
    let isNew = try Self.onDisk { () throws(OpenError) in
      try peers.add(Peer(addresses, timeline.id, device: device.digest))
    }
    guard isNew else { throw ErrorReply(.exists, "\(addresses[0]) is a peer already") }
    Reply.ok(
      .object([
        "address": .string(addresses[0].description), "device": .string(device.description),
      ]), to: &connection.out)
  }
}
