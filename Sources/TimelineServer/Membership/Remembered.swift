// Who was a member when all lines could be read. The line that says so may be one that the disk has damaged since:
// then whoever has it would be a stranger, and could not bring it back. It is this machine's own memory, beside the
// logs, and asked only while a line is damaged.

import Access
import EventStore
import TimelineModel

final class Remembered {
  private let directory: DataDirectory
  private let file: String
  private var roles: [DeviceID: Role] = [:]
  /// Of the membership that `roles` are from.
  private var version: Int?

  init(_ directory: DataDirectory, _ hosted: HostedTimeline) {
    self.directory = directory
    file = "timelines/\(hosted.directory)/members.json"
    // What cannot be read is not remembered.
    let bytes = (try? directory.read(file)) ?? nil
    let json = bytes?.withUnsafeBufferPointer { try? JSONValue(parsing: $0) }
    for member in json?["members"]?.members ?? [] {
      guard let device = DeviceID(member.key),
        let role = member.value.string.flatMap({ Role(rawValue: $0) })
      else { continue }
      roles[device] = role
    }
  }

  /// What a device may do; nil where it is no member, as far as that can be told.
  func role(of device: DeviceID, in timeline: Timeline) -> Role? {
    guard let membership = timeline.membership else { return nil }
    if membership.knows(device) { return membership.role(of: device) }
    return timeline.lines.missingLines.isEmpty ? nil : roles[device]
  }

  /// Keeps who is a member now; where the disk takes it not, the next change is kept.
  func note(_ timeline: Timeline) {
    guard version != timeline.membershipVersion, let membership = timeline.membership,
      timeline.lines.missingLines.isEmpty
    else { return }
    version = timeline.membershipVersion
    let now = membership.members.reduce(into: [DeviceID: Role]()) { $0[$1.device] = $1.role }
    guard now != roles else { return }
    roles = now
    let rows = now.sorted { $0.key < $1.key }.map {
      JSONValue.Member($0.key.description, .string($0.value.rawValue))
    }
    let json = JSONValue.object(["members": .object(rows)])
    try? directory.replace(file, with: Array((json.text + "\n").utf8))
  }
}
