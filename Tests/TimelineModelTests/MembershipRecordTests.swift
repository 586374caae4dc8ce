import Foundation
import Testing
import TimelineModel
import TransparencyLog

/// Tests/Fixtures/membership/records.json, which the second implementation made from docs/reference/membership.md.
@Suite("Records of membership")
struct MembershipRecordTests {
  private let vectors = try! JSONValue(
    parsing: String(
      decoding: Data(
        contentsOf: URL(filePath: #filePath).deletingLastPathComponent()
          .appending(path: "../Fixtures/membership/records.json")), as: UTF8.self))

  private var recovery: SigningKey {
    SigningKey(seed: Base64.decode(vectors["recovery_seed"]!.string!.utf8)!)!
  }

  @Test("M-1: each record is read, with its salt and without, and written as it stood")
  func records() throws {
    for vector in vectors["records"]!.array! {
      let text = vector["text"]!.string!
      let record = try #require(MembershipRecord(body: text), "\(text)")
      #expect(record.bodyText == text)
      let salted = text.dropLast() + #","salt":"AAECAwQFBgcICQoLDA0ODw=="}"#
      #expect(MembershipRecord(body: String(salted)) == record)
    }
  }

  @Test("M-1: what is written in any other way is no record")
  func none() {
    for text in vectors["none"]!.array! {
      #expect(MembershipRecord(body: text.string!) == nil, "\(text.string!)")
    }
  }

  @Test("M-2: device ids as text, and as people type them")
  func devices() throws {
    for vector in vectors["devices"]!.array! {
      let text = vector["text"]!.string!
      let id = try #require(DeviceID(text))
      #expect(id.digest.base64 == vector["id"]!.string! && id.description == text)
      #expect(DeviceID(text.lowercased()) == nil)
      let typed = text.lowercased().replacing("-", with: " ").replacing("o", with: "0")
        .replacing("i", with: "1").replacing("b", with: "8")
      #expect(DeviceID(typed: typed) == id && DeviceID(typed: text.replacing("-", with: "")) == id)
      for (place, letter) in text.enumerated() where letter != "-" {
        let index = text.index(text.startIndex, offsetBy: place)
        let wrong = text.replacingCharacters(in: index...index, with: letter == "C" ? "D" : "C")
        #expect(DeviceID(wrong) == nil, "\(wrong)")
      }
      #expect(DeviceID(String(text.dropLast())) == nil && DeviceID(text + "A") == nil)
    }
  }

  @Test("M-3, M-4: ids are made from the text")
  func ids() {
    for vector in vectors["records"]!.array! {
      switch MembershipRecord(body: vector["text"]!.string!) {
      case .timeline(let founding):
        #expect(founding.hash.base64 == vector["hash"]!.string!)
        #expect(founding.id.description == vector["id"]!.string!)
      case .replica(let record):
        #expect(record.id.description == vector["id"]!.string! && record.isSigned)
        let seed = Base64.decode(vector["device_seed"]!.string!.utf8)!
        let again = ReplicaRecord(
          timeline: record.timeline, device: SigningKey(seed: seed)!, key: record.key,
          nonce: record.nonce)
        #expect(again == record)
      default: break
      }
    }
  }

  @Test("M-6: what the recovery key signs")
  func signed() {
    let timeline = SHA256Digest(base64: vectors["records"]!.array![0]["hash"]!.string!)!
    var count = 0
    func check(_ signed: some RecoverySigned, _ unsigned: some RecoverySigned) {
      count += 1
      #expect(signed.isSigned(by: recovery.publicKey, of: timeline))
      #expect(!unsigned.isSigned(by: recovery.publicKey, of: timeline))
      #expect(!signed.isSigned(by: recovery.publicKey, of: SHA256Digest.emptyRoot))
      #expect(unsigned.signed(by: recovery, of: timeline).signature == signed.signature)
    }
    for vector in vectors["records"]!.array! {
      guard let unsigned = vector["unsigned"]?.string else { continue }
      switch (MembershipRecord(body: vector["text"]!.string!), MembershipRecord(body: unsigned)) {
      case (.member(let one), .member(let other)): check(one, other)
      case (.end(let one), .end(let other)): check(one, other)
      default: Issue.record("\(unsigned)")
      }
    }
    #expect(count == 3)
  }
}
