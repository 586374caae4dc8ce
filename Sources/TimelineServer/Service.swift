// What every part of the engine has at hand: the moment of the step, random numbers, the data directory, and the
// list of effects that a step answers with.

import EventStore
import TimelineModel
import TransparencyLog

final class Service {
  let directory: DataDirectory
  /// What this machine signs with; nil for none.
  let keys: MachineKeys?
  let random: () -> UInt64
  let newID: () -> EventID
  let version: String
  /// Where this machine answers others, `tls://…`.
  let addresses: () -> [String]
  /// Beyond so many bytes staged, further lines wait for the write that is under way.
  let stagedBytesMax: Int
  var now: Moment
  private(set) var effects: [Effect] = []
  private var jobs: UInt64 = 0

  init(
    directory: DataDirectory, keys: MachineKeys?, version: String, now: Moment,
    random: @escaping () -> UInt64, newID: @escaping () -> EventID,
    addresses: @escaping () -> [String], stagedBytesMax: Int
  ) {
    self.addresses = addresses
    self.directory = directory
    self.keys = keys
    self.version = version
    self.stagedBytesMax = stagedBytesMax
    self.now = now
    self.random = random
    self.newID = newID
  }

  /// What this machine is known by to others; nil without keys.
  var device: DeviceID? { keys.map { DeviceID(of: $0.device.publicKey) } }

  /// What this machine makes its logs with.
  var maker: LogMaker { LogMaker(keys: keys, random: random) }

  func emit(_ effect: Effect) { effects.append(effect) }

  func takeEffects() -> [Effect] {
    defer { effects = [] }
    return effects
  }

  /// Has work done elsewhere.
  func run(_ work: Work) -> JobID {
    jobs += 1
    let job = JobID(number: jobs)
    emit(.run(job, work))
    return job
  }

  func log(_ level: LogLevel, _ text: String) { emit(.log(level, text)) }
}
