// PEER: which machines this one syncs a timeline with.

import EventStore
import TimelineModel
import TimelineWire

extension Router {
  func peer(_ request: Request, _ connection: Connection) throws(ErrorReply) {
    guard request.arguments.count == 2, request.json == nil else {
      throw ErrorReply(.badRequest, "PEER add ADDRESS, or PEER remove ADDRESS")
    }
    let id = timeline.id
    let address: PeerAddress
    switch request.arguments[0] {
    case "add":
      address = try Self.address(request.arguments[1])
      let isNew = try Self.onDisk { () throws(OpenError) in try peers.add(address, id) }
      guard isNew else { throw ErrorReply(.exists, "\(address) is a peer already") }
    case "remove":
      do throws(PeerAddress.Invalid) {
        address = try PeerAddress(owner: request.arguments[1])
      } catch {
        throw ErrorReply(.badRequest, error.text, value: request.arguments[1])
      }
      let peer = try Self.onDisk { () throws(OpenError) in try peers.remove(address, id) }
      guard let peer else {
        throw ErrorReply(.notFound, "there is no peer \(address)", hint: .unknownPeer)
      }
      if let connection = peer.connection { dropped(connection) }
    case let word:
      throw ErrorReply(.badRequest, "PEER \(word.prefix(40))? It is PEER add or PEER remove")
    }
    Reply.ok(.object(["address": .string(address.description)]), to: &connection.out)
  }
}
