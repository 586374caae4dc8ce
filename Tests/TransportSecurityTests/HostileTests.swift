// Who is no timelined, or a bad one: each is refused with its reason, before a byte of it is read.

import CLibSSL
import Support
import Testing
import TransparencyLog

@testable import TransportSecurity

@Suite("Whoever is refused")
struct HostileTests {
  private let here = device(1)

  /// What a session of ours, and such a client, come to.
  private func client(_ setUp: (OpaquePointer) -> Void) -> (TLSSession, AnyPeer) {
    let peer = AnyPeer(.client, setUp)
    let session = TLSSession(.server, here)
    #expect(talk(peer, session).other.isEmpty)
    return (session, peer)
  }

  private func server(_ setUp: (OpaquePointer) -> Void) -> (TLSSession, AnyPeer) {
    let peer = AnyPeer(.server, setUp)
    let session = TLSSession(.client, here)
    #expect(talk(session, peer).one.isEmpty)
    return (session, peer)
  }

  @Test("What an end of ours accepts, another OpenSSL accepts: dates and names are ignored")
  func accepted() {
    #expect(client { Make.identity($0, "ED25519") }.0.isOpen)
    #expect(
      server {
        Make.identity($0, "ED25519", nameBytes: 60)
        SSL_CTX_set_num_tickets($0, 0)
      }.0.isOpen)
  }

  @Test("A client without a certificate")
  func noCertificate() {
    let (session, peer) = client { _ in }
    #expect(session.failure == .noCertificate)
    #expect(peer.failure == "tlsv13 alert certificate required")
  }

  @Test("A client with a certificate that is not Ed25519's", arguments: ["RSA", "EC", "ED448"])
  func otherClient(kind: String) {
    // It knows no signature that is asked for, so it shows nothing.
    #expect(client { Make.identity($0, kind) }.0.failure == .noCertificate)
  }

  @Test("A server with a certificate that is not Ed25519's", arguments: ["RSA", "EC", "ED448"])
  func otherServer(kind: String) {
    let (session, _) = server { Make.identity($0, kind) }
    #expect(session.failure == .refused(alert: "handshake failure"))
  }

  @Test(
    "A certificate that is not Ed25519's, shown against the rules",
    arguments: ["RSA", "EC", "ED448", "X25519"])
  func judged(kind: String) {
    let key = Make.key(kind)
    defer { EVP_PKEY_free(key) }
    let certificate = Make.certificate(key, isSigned: kind != "X25519")
    defer { X509_free(certificate) }
    #expect(DeviceCertificate.key(certificate, chainCount: 1) == nil)
  }

  @Test("A device's certificate counts alone")
  func alone() {
    let key = Make.key("ED25519")
    defer { EVP_PKEY_free(key) }
    let certificate = Make.certificate(key)
    defer { X509_free(certificate) }
    #expect(DeviceCertificate.key(certificate, chainCount: 1) != nil)
    #expect(DeviceCertificate.key(certificate, chainCount: 2) == nil)
    #expect(DeviceCertificate.key(nil, chainCount: 1) == nil)
  }

  @Test("A key under which anybody can sign")
  func weakKey() {
    let zero = [UInt8](repeating: 0, count: 32)
    let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, zero, 32)!
    defer { EVP_PKEY_free(key) }
    let certificate = Make.certificate(key, isSigned: false)
    defer { X509_free(certificate) }
    #expect(DeviceCertificate.key(certificate, chainCount: 1) == nil)
  }

  @Test("A chain of two certificates")
  func chain() {
    func setUp(_ context: OpaquePointer) {
      Make.identity(context, "ED25519")
      let key = Make.key("ED25519")
      SSL_CTX_ctrl(
        context, SSL_CTRL_EXTRA_CHAIN_CERT, 0, UnsafeMutableRawPointer(Make.certificate(key)))
      EVP_PKEY_free(key)
    }
    #expect(client(setUp).0.failure == .notDevice)
    #expect(server(setUp).0.failure == .notDevice)
  }

  @Test("A certificate as large as a book")
  func largeCertificate() {
    func setUp(_ context: OpaquePointer) { Make.identity(context, "ED25519", nameBytes: 2000) }
    #expect(client(setUp).0.failure == .broken("excessive message size"))
    #expect(server(setUp).0.failure == .broken("excessive message size"))
  }

  @Test("TLS 1.2")
  func older() {
    func setUp(_ context: OpaquePointer) {
      Make.identity(context, "ED25519")
      _ = clibssl_set_versions(context, TLS1_2_VERSION, TLS1_2_VERSION)
    }
    let (session, peer) = client(setUp)
    #expect(session.failure == .otherVersion)
    #expect(peer.failure == "tlsv1 alert protocol version")
    #expect(server(setUp).0.failure == .otherVersion)
  }

  @Test("Another protocol within TLS, or none")
  func otherProtocol() {
    func other(_ context: OpaquePointer) {
      Make.identity(context, "ED25519")
      let name = [2] + Array("h2".utf8)
      SSL_CTX_set_alpn_protos(context, name, UInt32(name.count))
    }
    func none(_ context: OpaquePointer) {
      Make.identity(context, "ED25519")
      SSL_CTX_set_alpn_protos(context, nil, 0)
      SSL_CTX_set_alpn_select_cb(context, nil, nil)
    }
    func refusing(_ context: OpaquePointer) {
      none(context)
      SSL_CTX_set_alpn_select_cb(context, { _, _, _, _, _, _ in SSL_TLSEXT_ERR_ALERT_FATAL }, nil)
    }
    #expect(client(other).0.failure == .otherProtocol)
    #expect(client(none).0.failure == .otherProtocol)
    #expect(server(none).0.failure == .otherProtocol)
    #expect(server(refusing).0.failure == .otherProtocol)
  }

  @Test("Our protocol among others is found")
  func amongOthers() {
    let (session, _) = client {
      Make.identity($0, "ED25519")
      let names = [2] + Array("h2".utf8) + TLSContext.protocols
      SSL_CTX_set_alpn_protos($0, names, UInt32(names.count))
    }
    #expect(session.isOpen)
  }

  @Test("No group or signature in common")
  func nothingInCommon() {
    let (group, _) = client {
      Make.identity($0, "ED25519")
      _ = clibssl_set_groups($0, "P-256")
    }
    #expect(group.failure == .nothingInCommon)
    let (signature, _) = client {
      Make.identity($0, "ED25519")
      _ = clibssl_set_signatures($0, "RSA-PSS+SHA256")
    }
    #expect(signature.failure == .nothingInCommon)
  }

  @Test(
    "Plain text, at once",
    arguments: ["HELLO timeline-sync 1\n", "GET / HTTP/1.1\r\n\r\n", "SSH-2.0-x\r\n"])
  func plainText(text: String) {
    let session = TLSSession(.server, here)
    #expect(session.receive(Array(text.utf8)).isEmpty)
    #expect(session.failure == .notTLS)
    let client = TLSSession(.client, here)
    #expect(client.receive(Array(text.utf8)).isEmpty)
    #expect(client.failure == .notTLS)
  }

  @Test("A handshake that does not end")
  func endlessHandshake() {
    let session = TLSSession(.server, here)
    // A first word of 100,000 bytes, as OpenSSL would take it.
    let message: [UInt8] = [1, 1, 0x86, 0xA0, 3, 3] + [UInt8](repeating: 0, count: 15_000)
    func record(_ body: [UInt8]) -> [UInt8] {
      [22, 3, 1, UInt8(body.count >> 8), UInt8(body.count & 255)] + body
    }
    #expect(session.receive(record(message)).isEmpty)
    #expect(session.state == .handshaking)
    #expect(session.receive(record([UInt8](repeating: 0, count: 15_000))).isEmpty)
    #expect(session.failure == .handshakeTooLarge)
  }

  @Test("A server that hands out tickets")
  func tickets() {
    let (session, _) = server {
      Make.identity($0, "ED25519")
      SSL_CTX_set_num_tickets($0, 2)
    }
    #expect(session.failure == .unexpectedMessage)
  }

  private func openPeer() -> (TLSSession, AnyPeer) {
    let (session, peer) = client { Make.identity($0, "ED25519") }
    #expect(session.isOpen)
    return (session, peer)
  }

  @Test("A flood of new keys")
  func keyUpdates() {
    let (session, peer) = openPeer()
    func change() {
      SSL_key_update(peer.ssl, SSL_KEY_UPDATE_REQUESTED)
      SSL_do_handshake(peer.ssl)
    }
    for _ in 0..<32 { change() }
    _ = session.receive(peer.takeOutput())
    #expect(session.isOpen)
    // Something that is said makes it good again.
    peer.send([1])
    #expect(session.receive(peer.takeOutput()) == [1])
    for _ in 0..<33 { change() }
    #expect(session.receive(peer.takeOutput()).isEmpty)
    #expect(session.failure == .tooManyKeyUpdates)
  }

  @Test("New keys, of which the answers are not taken")
  func keyUpdatesUnread() {
    let (session, peer) = openPeer()
    for _ in 0..<40_000 where session.isOpen {
      SSL_key_update(peer.ssl, SSL_KEY_UPDATE_REQUESTED)
      SSL_do_handshake(peer.ssl)
      peer.send([1])
      _ = session.receive(peer.takeOutput())
    }
    #expect(session.failure == .tooManyKeyUpdates)
    #expect(session.takeOutput().count < 2 * TLSSession.outputBytesMax + 1000)
  }

  @Test("Records without a byte: some are borne, a flood is not")
  func emptyRecords() {
    let (session, peer) = openPeer()
    let forger = Forger(peer)
    for _ in 0..<20 { #expect(session.receive(forger.record(23, [])).isEmpty) }
    #expect(session.receive(forger.record(23, [5])) == [5])
    #expect(session.isOpen)
    let flood = (0..<1000).flatMap { _ in forger.record(23, []) }
    #expect(session.receive(flood).isEmpty)
    #expect(session.failure == .broken("record too small"))
  }

  @Test("Messages that no device sends once a session is open")
  func unexpected() {
    // A greeting, a ticket, a wish for a certificate, and what is not known.
    for type: UInt8 in [1, 4, 13, 99] {
      let (session, peer) = openPeer()
      let message: [UInt8] = [type, 0, 0, 4, 0, 0, 0, 0]
      #expect(session.receive(Forger(peer).record(22, message)).isEmpty)
      #expect(session.failure != nil, "\(type)")
    }
    // A change of ciphers of TLS 1.2, an alert of nothing that is known, a record of no kind.
    for (type, body): (UInt8, [UInt8]) in [(20, [1]), (21, [1, 99]), (77, [1])] {
      let (session, peer) = openPeer()
      #expect(session.receive(Forger(peer).record(type, body)).isEmpty)
      #expect(session.failure != nil, "\(type)")
    }
  }

  @Test("What was said before, said again")
  func replay() {
    let (session, peer) = openPeer()
    peer.send([1, 2, 3])
    let record = peer.takeOutput()
    #expect(session.receive(record) == [1, 2, 3])
    #expect(session.receive(record).isEmpty)
    #expect(session.failure == .broken("decryption failed or bad record mac"))
  }

  @Test("What is said after a farewell is not heard")
  func afterFarewell() {
    let (session, peer) = openPeer()
    SSL_shutdown(peer.ssl)
    let farewell = peer.takeOutput()
    #expect(session.receive(farewell + farewell).isEmpty)
    #expect(session.hasInputEnded)
    #expect(session.receive([1, 2, 3]).isEmpty)
  }

  @Test("A bit that was turned on its way", arguments: 1...300 as ClosedRange<UInt64>)
  func turnedBits(seed: UInt64) {
    var chance = SplitMix(seed: seed)
    let client = TLSSession(.client, here)
    let server = TLSSession(.server, device(2))
    let turnedRound = Int.random(in: 0..<4, using: &chance)
    for round in 0..<4 {
      let isFromClient = round.isMultiple(of: 2)
      let (from, to) = isFromClient ? (client, server) : (server, client)
      if round == 2, from.isOpen { _ = from.send(Array("secret".utf8)) }
      var bytes = from.takeOutput()
      if round == turnedRound, !bytes.isEmpty {
        let bit = Int.random(in: 0..<bytes.count * 8, using: &chance)
        bytes[bit / 8] ^= 1 << (bit % 8)
        let heard = to.receive(bytes)
        // Nothing that was changed is heard; what was complete before it is as it was.
        #expect(heard.isEmpty || heard == Array("secret".utf8), "seed \(seed)")
      } else {
        _ = to.receive(bytes)
      }
    }
    // The one exception is the record's version, which TLS 1.3 says is ignored.
    if client.isOpen, server.isOpen {
      #expect(client.state == .open(peer: device(2).publicKey), "seed \(seed)")
      #expect(
        client.exportKeyingMaterial(label: "EXPORTER-x")
          == server.exportKeyingMaterial(label: "EXPORTER-x"), "seed \(seed)")
    }
  }

  @Test("Garbage ends a session and nothing else", arguments: 1...200 as ClosedRange<UInt64>)
  func garbage(seed: UInt64) {
    var chance = SplitMix(seed: seed)
    let (client, server) = (TLSSession(.client, here), TLSSession(.server, device(2)))
    if Bool.random(using: &chance) { talk(client, server) }
    for session in [client, server] {
      for _ in 0..<20 {
        let count = Int.random(in: 1...2000, using: &chance)
        var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &chance) }
        // As often as not it looks like a record.
        if Bool.random(using: &chance), count > 5 {
          bytes.replaceSubrange(
            0..<5,
            with: [
              [20, 21, 22, 23].randomElement(using: &chance)!, 3, 3, 0, UInt8(min(255, count - 5)),
            ])
        }
        #expect(session.receive(bytes).isEmpty, "seed \(seed)")
      }
      #expect(session.failure != nil, "seed \(seed)")
      #expect(session.failure?.text.isEmpty == false)
    }
  }
}
