// Connections to other machines: what a sync session wants done is done here, and peers come and go.

import EventStore
import TimelineModel
import TimelineWire

extension Router {
  func advance(
    _ session: inout SyncSession, _ line: UnsafeBufferPointer<UInt8>, _ connection: Connection
  ) {
    let effects = session.receive(line, timeline.lines)
    connection.mode = .syncing(session)
    for effect in effects {
      switch effect {
      case .send(let bytes): connection.out.append(contentsOf: bytes)
      case .end(let error): end(connection, error)
      case .head(let replica, let note):
        heads.take(note, of: replica, timeline.lines, from: connection.id)
      case .want(let lines):
        guard !connection.isProving else {
          end(
            connection,
            RequestError(.badRequest, "one WANT at a time: the last is not answered yet"))
          break
        }
        connection.isProving = true
        heads.prove(lines, timeline.lines, session, for: connection.id)
      case .proof(let place, let proof, let line):
        connection.proofs.append((place, proof, line))
        let bytes = connection.proofs.reduce(0) { $0 + $1.line.count + $1.proof.count }
        guard bytes <= Connection.proofBytesMax else {
          end(connection, RequestError(.tooLarge, "more was proven at once than was to be"))
          break
        }
      case .proved:
        heads.check(connection.proofs, timeline.lines)
        connection.proofs = []
      case .ingest(let replica, let lines, let first, let last):
        do throws(IngestError) {
          try lines.withTypedBuffer { (bytes) throws(IngestError) in
            try timeline.ingest(bytes, of: replica, from: first, now: now())
          }
          connection.deferred.append(.took(replica, last: last))
        } catch { end(connection, RequestError(error)) }
      }
    }
  }

  /// Tells a peer why, and lets it go.
  func end(_ connection: Connection, _ error: RequestError) {
    Reply.error(error, to: &connection.out)
    connection.reason = error.text
    connection.isClosing = true
  }

  /// The connection to a peer, once it is made.
  func begin(_ connection: Connection) {
    var session = SyncSession(
      timeline: timeline.id, name: timeline.name, device: timeline.replica, isInitiator: true)
    connection.out.append(contentsOf: session.start(timeline.lines))
    connection.mode = .syncing(session)
  }

  func peer(_ request: Request, _ connection: Connection) throws(RequestError) {
    guard request.arguments.count == 2 else {
      throw RequestError(.badRequest, "PEER add ADDRESS, or PEER remove ADDRESS")
    }
    let address: String
    do throws(UsageError) { address = try Arguments.loopback(request.arguments[1]).address } catch {
      throw RequestError(.badRequest, error.text)
    }
    do {
      switch request.arguments[0] {
      case "add":
        guard try peers.add(address) else {
          throw RequestError(.exists, "\(address) is a peer already")
        }
      case "remove":
        guard try peers.remove(address) != nil else {
          throw RequestError(.notFound, "no peer \(address)", value: address, hint: .unknownPeer)
        }
      case let word: throw RequestError(.badRequest, "PEER \(word)? It is PEER add or PEER remove")
      }
    } catch let error as RequestError {
      throw error
    } catch let error as OpenError {
      var code = ErrorCode.internal
      if case .disk(let failure) = error, failure.cause == .full { code = .full }
      throw RequestError(code, error.message)
    } catch {
      throw RequestError(.internal, "\(error)")
    }
    Reply.ok(.object(["address": .string(address)]), to: &connection.out)
  }
}

extension Snapshot: LogSource {
  public var wanted: [WantedLines] {
    lacking.map { WantedLines($0.replica, $0.lines.lowerBound, UInt64($0.lines.count)) }
  }
}
