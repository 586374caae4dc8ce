// A member as people see one: `member list`.

import TimelineModel

/// A device that is a member of a timeline, or was one.
public struct Member: Sendable, Equatable {
  public let device: DeviceID
  /// What it was called when it was brought in; nil for a founder whom no member line names.
  public let name: String?
  /// The lowest that counts: 1 for the founder and those whom the recovery code brought in.
  public let rank: Int
  /// From here on; nil where the device was ended.
  public let role: Role?
  /// The highest that it was given.
  public let granted: Role
  /// Who brought it in, of several the one with the lowest rank.
  public let by: Recorder
  /// In the order of ids.
  public let logs: [ReplicaID]
  /// Every end and lowering that counts, in the order of who recorded it.
  public let ends: [Ending]

  public struct Ending: Sendable, Equatable {
    public let by: Recorder
    public let end: MemberEnd

    static func precedes(_ one: Ending, _ other: Ending) -> Bool {
      let (first, second) = (one.by.order, other.by.order)
      guard first == second else { return first < second }
      return one.end.json.text < other.end.json.text
    }
  }
}

extension Recorder {
  fileprivate var order: String {
    switch self {
    case .founding: ""
    case .recovery: "0"
    case .device(let id): id.description
    }
  }
}

/// What becomes of a line that an erasure names (M-15).
public enum ErasureVerdict: Sendable, Hashable {
  /// Its bytes go: it is of the erasure's own device, or both are from before the founding.
  case erase
  /// It is in no answer; its bytes go after `delay`, or when this machine's owner says so.
  case hide
  /// It is in no answer; its bytes stay as long as the fork of the erasure's log is not settled.
  case hideUntilSettled
  /// Nothing: the recorder has no right to it.
  case keep

  /// How long what an admin erased stays on disk, by this machine's clock, from when it took the erasure.
  public static let delay = Duration.seconds(72 * 60 * 60)
}

/// Why a record of membership is not to be recorded (M-16).
public enum RecordingRefusal: Sendable, Hashable {
  /// The recorder is no admin, or for an end of itself no writer.
  case noRight
  /// The recovery code did not sign it.
  case signature
  /// Nobody brought the device in.
  case noMember
  /// The device is of the recorder's rank or of a lower one.
  case rank
  /// The device was ended or lowered: it needs a new key.
  case ended
  /// The invitation brought in another device.
  case codeUsed(by: DeviceID)
  /// Lines that are here would no longer count.
  case below(ReplicaID, has: UInt64)
}
