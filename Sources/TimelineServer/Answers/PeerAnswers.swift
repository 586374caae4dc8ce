// PEER: which machines this one syncs a timeline with.

import EventStore
import TimelineModel
import TimelineWire
import TransparencyLog

extension Router {
  func peer(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>, _ connection: Connection
  ) throws(ErrorReply) {
    let words = request.arguments
    switch (words.first, words.count, request.json != nil) {
    case ("add", 1, true): try addPeer(request, line, connection)
    case ("remove", 1, true):
      let value = try request.value(behind: 1, in: line, keys: ["address"])
      try removePeer(value["address"]?.string ?? "", connection)
    case ("add", 2, false):
      let address = try Self.loopback(words[1])
      let isNew = try Self.onDisk { () throws(OpenError) in try peers.add(address, timeline.id) }
      guard isNew else { throw ErrorReply(.exists, "\(address) is a peer already") }
      Reply.ok(.object(["address": .string(address.description)]), to: &connection.out)
    case ("remove", 2, false): try removePeer(words[1], connection)
    case (let word?, 2, false):
      throw ErrorReply(.badRequest, "PEER \(word.prefix(40))? It is PEER add or PEER remove")
    default:
      throw ErrorReply(
        .badRequest,
        "PEER add {\"addresses\":[…],\"device\":ID} or PEER remove {\"address\":TEXT}")
    }
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
    let address = try Self.address(text, PeerAddress.init(owner:))
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
    let value = try request.value(behind: 1, in: line, keys: ["addresses", "device"])
    let text = value["device"]?.string ?? ""
    guard let device = DeviceID(typed: text) else {
      throw ErrorReply(
        .badRequest, "\"\(text.prefix(80))\" is no device id; member list shows those", value: text)
    }
    let form = "tls://HOST:PORT or via:COMMAND"
    let addresses = try Self.addresses(value["addresses"], form: form) {
      (text) throws(PeerAddress.Invalid) in
      let address = try PeerAddress(owner: text)
      if case .loopback = address {
        throw PeerAddress.Invalid(
          text: "\(text): a device shows who it is over TLS alone; write tls://HOST:PORT")
      }
      return address
    }
    guard !addresses.isEmpty else {
      throw ErrorReply(.badRequest, "addresses are a list of \(form)")
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

  // MARK: Addresses

  /// An address that `read` takes, where nothing is said one that leads over a network.
  static func address(
    _ text: String,
    _ read: (String) throws(PeerAddress.Invalid) -> PeerAddress = { try PeerAddress($0) }
  ) throws(ErrorReply) -> PeerAddress {
    do throws(PeerAddress.Invalid) { return try read(text) } catch {
      throw ErrorReply(.badRequest, error.text, value: text)
    }
  }

  /// A list of addresses.
  ///
  /// - Parameter form: how one is written.
  static func addresses(
    _ value: JSONValue?, form: String,
    _ read: (String) throws(PeerAddress.Invalid) -> PeerAddress
  ) throws(ErrorReply) -> [PeerAddress] {
    guard let array = value?.array, case let texts = array.compactMap(\.string),
      texts.count == array.count
    else { throw ErrorReply(.badRequest, "addresses are a list of \(form)") }
    return try texts.map { (text) throws(ErrorReply) in try address(text, read) }
  }

  /// The address of a machine of which no device is known.
  static func loopback(_ text: String) throws(ErrorReply) -> PeerAddress {
    let address = try address(text)
    guard case .loopback = address else {
      throw ErrorReply(
        .badRequest,
        "\(text): which device is to answer there, an invitation says; by its address alone "
          + "a machine is added on the loopback only", value: text)
    }
    return address
  }
}
