// An admin brings in a device.
//
//     {"type":"log.member","device":"P56IOI7-…","name":"ann's laptop","role":"write","code":"n4bQ…"}
//
// docs/reference/membership.md, M-5.

import TransparencyLog

public struct MemberRecord: RecoverySigned {
  public static let nameBytesMax = 64

  public let device: DeviceID
  /// What people call the device; two names are one where every byte is.
  public var name: String { exactName.string }
  private let exactName: ExactText
  public let role: Role
  /// The SHA-256 of the invitation's secret; nil where there was no invitation.
  public let code: SHA256Digest?
  public var signature: [UInt8]?

  /// Nil where the name is none (M-5).
  public init?(
    device: DeviceID, name: String, role: Role, code: SHA256Digest? = nil
  ) {
    guard Self.isName(name) else { return nil }
    self.device = device
    exactName = ExactText(name)
    self.role = role
    self.code = code
  }

  init?(json: JSONValue) {
    guard let device = json["device"]?.string.flatMap({ DeviceID($0) }),
      let name = json["name"]?.string,
      let role = json["role"]?.string.flatMap({ Role(rawValue: $0) })
    else { return nil }
    let code = json["code"]?.digest
    let signature = json["signature"]?.signature
    // The recovery key invites nobody.
    guard code == nil || signature == nil else { return nil }
    self.init(device: device, name: name, role: role, code: code)
    self.signature = signature
  }

  public var json: JSONValue {
    .object([
      "type": .string(EventType.logMember.word), "device": .string(device.description),
      "name": .string(name), "role": .string(role.rawValue),
      "code": code.map { .string($0.base64) },
      "signature": signature.map { .base64($0) },
    ])
  }

  /// Whether a device may be called so: one line of 1 to 64 bytes without control characters.
  public static func isName(_ text: String) -> Bool {
    (1...nameBytesMax).contains(text.utf8.count)
      && !text.unicodeScalars.contains {
        switch $0.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: false
        }
      }
  }
}
