import Foundation
import Support
import Testing
import TimelineModel
import TimelineWire
import TransparencyLog

/// The rules of docs/reference/invitations.md.
@Suite("Invitations")
struct InvitationTests {
  private static func hash(_ text: String) -> SHA256Digest { SHA256Digest(of: Array(text.utf8)) }

  private static func invitation(
    addresses: [String] = ["tls://lab.example.org:7411"], timelines: Int = 1,
    secret: [UInt8] = Array(1...16), expires: Int = 1_790_000_000
  ) throws(InvitationError) -> Invitation {
    try Invitation(
      addresses: addresses, device: DeviceID(hash("host")),
      timelines: (0..<timelines).map { hash("timeline \($0)") }, secret: secret, expires: expires)
  }

  /// A code with a right check over whatever stands in it.
  private static func sealed(_ head: String, _ bytes: [UInt8]) -> String {
    let check = (Array(head.utf8) + bytes).withUnsafeBufferPointer { CRC32C.of($0) }
    return head + Base32.encode(bytes + withUnsafeBytes(of: check.bigEndian) { Array($0) })
  }

  private static func sealed(addresses: [[UInt8]], timelines: Int = 1, more: [UInt8] = []) -> String
  {
    var bytes = hash("host").bytes + Array(1...16) + [0, 0, 0, 0, 0, UInt8(timelines)]
    for timeline in 0..<timelines { bytes += hash("timeline \(timeline)").bytes }
    bytes.append(UInt8(addresses.count))
    for address in addresses { bytes += [UInt8(address.count)] + address }
    return sealed("TIMELINE-JOIN-1-", bytes + more)
  }

  private func error(_ text: String) -> InvitationError? {
    do throws(InvitationError) {
      _ = try Invitation(code: text)
      return nil
    } catch { return error }
  }

  // MARK: The same in Python

  /// Of invitations, their codes.
  private static var codes: [JSONValue] {
    get throws {
      let longest = "tls://" + String(repeating: "a", count: 244) + ":7411"
      return try [
        invitation(),
        invitation(addresses: []),
        invitation(addresses: ["tls://192.0.2.7:7411", "tls://[2001:db8::7]:7411"], timelines: 2),
        invitation(secret: [UInt8](repeating: 0, count: 16), expires: 0),
        invitation(
          addresses: .init(repeating: longest, count: 8), timelines: 16,
          secret: [UInt8](repeating: 255, count: 16), expires: 1 << 40 - 1),
      ].map { invitation in
        .object([
          "addresses": .array(invitation.addresses.map { .string($0) }),
          "device": .string(invitation.device.description),
          "timelines": .array(invitation.timelines.map { .string($0.base64) }),
          "secret": .string(Base64.encode(invitation.secret)),
          "expires": .int(invitation.expires),
          "code": .string(invitation.code),
          "code_hash": .string(invitation.codeHash.base64),
        ])
      }
    }
  }

  /// Of texts that are no invitation, why.
  private static var refused: [JSONValue] {
    get throws {
      let code = try invitation().code
      let command = Array("via:ssh lab timelinectl relay".utf8)
      let visible = Array("lab.example.org:7411".utf8)
      // The last letter has bits that no byte needed.
      let last = Base32.value(of: code.utf8.last!)!
      let spare = code.dropLast() + [Character(Unicode.Scalar(Base32.letter(of: last + 1)))]
      let texts: [(String, String)] = [
        ("", "not-a-code"), ("tls://lab.example.org:7411", "not-a-code"),
        ("TIMELINE-JOIN", "not-a-code"), (">" + code, "not-a-code"),
        (code.replacing("JOIN", with: "J0IN"), "not-a-code"), ("TIMELINE-JOIN-", "damaged"),
        ("TIMELINE-JOIN-1-", "damaged"), ("TIMELINE-JOIN-1-A", "damaged"),
        (String(code.dropLast()), "damaged"), (code + "A", "damaged"), (String(spare), "damaged"),
        (code + "AAAAAAAA", "damaged"), (code + "=", "damaged"), (code + code, "damaged"),
        (code.replacing("-1-", with: "-2-"), "damaged"),
        (code.replacing("-1-", with: "-1A"), "damaged"),
        (code.replacing("-I5", with: "-I0"), "damaged"),
        (code.replacing("-I5", with: "-15"), "damaged"),
        (code.replacing("-1-", with: "-1"), "damaged"),
        (code.replacing("-1-", with: "-1-\u{A0}"), "damaged"),
        (sealed("TIMELINE-JOIN-0-", [1]), "damaged"), (sealed("TIMELINE-JOIN-01-", [1]), "damaged"),
        (sealed("TIMELINE-JOIN-1234567890-", [1]), "damaged"),
        (sealed("TIMELINE-JOIN-2-", []), "newer"), (sealed("TIMELINE-JOIN-2-", [1, 2]), "newer"),
        (sealed("TIMELINE-JOIN-999999999-", [1]), "newer"),
        (sealed("TIMELINE-JOIN-1-", []), "malformed"),
        (sealed(addresses: [visible], more: [0]), "malformed"),
        (sealed(addresses: [visible], timelines: 0), "malformed"),
        (sealed(addresses: [], timelines: 17), "malformed"),
        (sealed(addresses: .init(repeating: visible, count: 9)), "malformed"),
        (sealed(addresses: [[]]), "malformed"),
        (sealed(addresses: [command]), "malformed"),
        (sealed(addresses: [visible + [0x0A]]), "malformed"),
        (sealed(addresses: [visible + [0xC3, 0xA9]]), "malformed"),
        (sealed(addresses: [visible + [0xFF]]), "malformed"),
        (sealed(addresses: [.init(repeating: 0x61, count: 250)]), "malformed"),
      ]
      return texts.map { .object(["text": .string($0), "why": .string($1)]) }
    }
  }

  private static var proofs: [JSONValue] {
    ["host", "another host"].map { host in
      let secret = [UInt8](1...16)
      let binding = hash("session")
      let (host, joiner) = (DeviceID(hash(host)), DeviceID(hash("joiner")))
      let proof = JoinProof(
        secret: secret, channelBinding: binding.bytes, host: host, joiner: joiner)
      return .object([
        "secret": .string(Base64.encode(secret)), "channel_binding": .string(binding.base64),
        "host": .string(host.description), "joiner": .string(joiner.description),
        "proof": .string(Base64.encode(proof.bytes)),
      ])
    }
  }

  /// Tests/Interop/test_invitation.py reads the same files; INVITATIONS=write writes them anew.
  @Test("What is written is what stands in Tests/Fixtures/invitations")
  func fixtures() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../Fixtures/invitations")
    let files = try [
      "codes": Self.codes, "refused": Self.refused, "proofs": Self.proofs,
    ]
    for (name, lines) in files {
      let file = folder.appending(path: "\(name).jsonl")
      let written = lines.map { $0.text + "\n" }.joined()
      if ProcessInfo.processInfo.environment["INVITATIONS"] == "write" {
        try written.write(to: file, atomically: true, encoding: .utf8)
      }
      #expect(try String(contentsOf: file, encoding: .utf8) == written, "\(name)")
    }
  }

  @Test("J-1, J-2: an invitation without much in it, to the letter")
  func oneCode() throws {
    let invitation = try Self.invitation(addresses: [])
    #expect(
      invitation.code
        == "TIMELINE-JOIN-1-I5AK4Y2HWALSYAJFJ72VXLS275IZT5CENZ7W2ZB5IAMFWP2HKFCQCAQDAQCQMBYIBE"
        + "FAWDANBYHRAADKWE5YAALBSRQQNIH26Y7LHLREWQKGI75OCZFIRU6WO3QSM6YNG6SMWHEXVIAOJFGEP4")
    #expect(invitation.codeHash == SHA256Digest(of: Array(1...16)))
  }

  @Test("J-3: each text that is none says which of the reasons it is")
  func reasons() throws {
    for line in try Self.refused {
      let text = try #require(line["text"]?.string)
      let word =
        switch error(text) {
        case .notCode: "not-a-code"
        case .damaged: "damaged"
        case .newer: "newer"
        case .malformed, .address, .addressCount, .timelineCount: "malformed"
        case .secret, .expiry, nil: "none"
        }
      #expect(word == line["why"]?.string, "\(text)")
    }
    #expect(error(Self.sealed("TIMELINE-JOIN-12-", [1])) == .newer(12))
  }

  @Test("J-1: an address is no command, whether it is written or read")
  func noCommand() {
    for address in [
      "via:ssh lab timelinectl relay", "via:sh", "tcp://127.0.0.1:7411", "tls:/x", "tls://", "",
      "TLS://lab:7411", "tls://lab:7411 ", "tls://a b:7411", "tls://lab:7411\n", "tls://é:7411",
      "tls://" + String(repeating: "a", count: 250),
    ] {
      #expect(throws: InvitationError.address(address)) {
        try Self.invitation(addresses: ["tls://lab:7411", address])
      }
    }
    let command = "via:ssh lab timelinectl relay"
    #expect(error(Self.sealed(addresses: [Array(command.utf8)])) == .address("tls://" + command))
    #expect(throws: Never.self) {
      try Self.invitation(addresses: ["tls://" + String(repeating: "a", count: 249)])
    }
  }

  @Test("J-1: nothing is more, or less, than there may be")
  func bounds() {
    #expect(throws: InvitationError.addressCount(9)) {
      try Self.invitation(addresses: .init(repeating: "tls://lab:1", count: 9))
    }
    for count in [0, 17] {
      #expect(throws: InvitationError.timelineCount(count)) {
        try Self.invitation(timelines: count)
      }
    }
    for count in [0, 15, 17, 32] {
      #expect(throws: InvitationError.secret(byteCount: count)) {
        try Self.invitation(secret: .init(repeating: 1, count: count))
      }
    }
    for expires in [-1, 1 << 40, Int.min, Int.max] {
      #expect(throws: InvitationError.expiry(expires)) { try Self.invitation(expires: expires) }
    }
  }

  // MARK: By chance

  private static let seed: UInt64 = {
    let given = ProcessInfo.processInfo.environment["INVITATION_SEED"].flatMap { UInt64($0) }
    let seed = given ?? UInt64.random(in: 0..<1_000_000_000)
    print("invitations: seed \(seed) (INVITATION_SEED sets it)")
    return seed
  }()

  private func random(
    _ chance: inout SplitMix, addresses: Int = 8, timelines: Int = 16
  ) throws -> Invitation {
    func bytes(_ count: Int) -> [UInt8] {
      (0..<count).map { _ in UInt8.random(in: 0...255, using: &chance) }
    }
    func address() -> String {
      let count = chance.next() % 8 == 0 ? 249 : Int.random(in: 1...30, using: &chance)
      let visible = (0..<count).map { _ in UInt8.random(in: 0x21...0x7E, using: &chance) }
      return "tls://" + String(decoding: visible, as: UTF8.self)
    }
    return try Invitation(
      addresses: (0..<Int.random(in: 0...addresses, using: &chance)).map { _ in address() },
      device: DeviceID(SHA256Digest(bytes(32))!),
      timelines: (0..<Int.random(in: 1...timelines, using: &chance)).map { _ in
        SHA256Digest(bytes(32))!
      },
      secret: bytes(16), expires: Int.random(in: 0..<1 << 40, using: &chance))
  }

  @Test("J-2, J-3: what is written is read, in small letters too, and however it was wrapped")
  func roundTrip() throws {
    var chance = SplitMix(seed: Self.seed)
    for _ in 0..<200 {
      let invitation = try random(&chance)
      let code = invitation.code
      #expect(try Invitation(code: code) == invitation, "seed \(Self.seed)")
      #expect(code.allSatisfy { "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-".contains($0) })
      var wrapped = "\r\n "
      for letter in code {
        let space = [" ", "\n", "\r\n\t"].randomElement(using: &chance)!
        wrapped += (Bool.random(using: &chance) ? "\(letter)" : letter.lowercased())
        if chance.next() % 40 == 0 { wrapped += space }
      }
      #expect(try Invitation(code: wrapped + "\n") == invitation, "seed \(Self.seed)")
    }
  }

  @Test("J-3: a letter that is wrong, missing, too much or elsewhere is noticed, and so is a cut")
  func slips() throws {
    var chance = SplitMix(seed: Self.seed)
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-".utf8)
    for _ in 0..<5 {
      let code = Array(try random(&chance, addresses: 1, timelines: 1).code.utf8)
      for place in code.indices {
        let cut = Array(code[..<place])
        var wrong = code
        wrong[place] = letters.filter { $0 != code[place] }.randomElement(using: &chance)!
        var missing = code
        missing.remove(at: place)
        var more = code
        more.insert(letters.randomElement(using: &chance)!, at: place)
        var swapped = code
        if place > 0 { swapped.swapAt(place - 1, place) }
        for slip in [cut, wrong, missing, more, swapped] where slip != code {
          let found = error(String(decoding: slip, as: UTF8.self))
          let isPrefix = slip.starts(with: "TIMELINE-JOIN-".utf8)
          #expect(found == (isPrefix ? .damaged : .notCode), "seed \(Self.seed), \(place)")
        }
      }
    }
  }
}
