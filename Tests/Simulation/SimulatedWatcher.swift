// One who watches a timeline of a simulated machine from its first line on, over as many connections as that
// takes: each line has to come exactly once, in the order of its log, and soon.

import Access
import Support
import TimelineModel
import TimelineWire

final class SimulatedWatcher: Endpoint {
  let machine: Machine
  let timeline: String
  private unowned let cluster: Cluster
  private var world: World { cluster.world }
  private var connection: SimulatedConnection?
  private var splitter = LineSplitter(bytesMax: 8 << 20)
  /// Answers that come before the lines.
  private var greetings = 0
  private(set) var position = Position()
  /// Lines that came, by log.
  private(set) var seen: [ReplicaID: Set<UInt64>] = [:]
  private var isOver = false

  init(_ cluster: Cluster, _ machine: Machine, _ timeline: String) {
    self.cluster = cluster
    self.machine = machine
    self.timeline = timeline
  }

  /// Whether lines come.
  var isWatching: Bool { connection != nil && greetings == 0 }

  func begin() {
    world.after(world.time(0...5_000_000)) { [weak self] in
      guard let self, !isOver, connection == nil else { return }
      guard machine.isUp else { return begin() }
      let connection = machine.accept(self, .owner(name: "watcher"))
      self.connection = connection
      splitter = LineSplitter(bytesMax: 8 << 20)
      greetings = 1
      var text = "WATCH {\"after\":\(position.json.text)}\n"
      if timeline != "main" {
        greetings = 2
        text = "OPEN \(timeline)\n" + text
      }
      connection.send(Array(text.utf8), from: 0)
    }
  }

  func finish() {
    isOver = true
    connection?.close(0)
    connection = nil
  }

  func received(_ bytes: [UInt8]) {
    bytes.withUnsafeBufferPointer { splitter.take($0) }
    while let piece = splitter.next() {
      guard case .line(let range) = piece else { continue }
      if greetings > 0 {
        greetings -= 1
        // It is asked again on another connection.
        guard splitter.buffer[range].starts(with: "OK ".utf8) else { return closed(nil) }
      } else {
        take(splitter.buffer[range])
      }
    }
  }

  private func take(_ text: ArraySlice<UInt8>) {
    let bytes = Array(text.dropFirst(6)) + [0x0A]
    guard text.starts(with: "EVENT ".utf8),
      let line = bytes.withUnsafeBufferPointer({ try? Line($0) })
    else {
      let said = String(decoding: text.prefix(200), as: UTF8.self)
      return cluster.fail("\(machine.name): a watch gets \(said)")
    }
    guard line.seq > position[line.replica] else {
      return cluster.fail(
        "\(machine.name): a watch gets line \(line.seq) of \(line.replica) behind "
          + "\(position[line.replica])")
    }
    position[line.replica] = line.seq
    seen[line.replica, default: []].insert(line.seq)
  }

  func ended() { closed(nil) }

  func closed(_ reason: String?) {
    guard connection != nil else { return }
    connection?.close(0)
    connection = nil
    begin()
  }

  func blocked(_ isBlocked: Bool) {}
}
