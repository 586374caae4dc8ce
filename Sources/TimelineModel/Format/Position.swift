// Where a timeline stands: how many lines of each replica are there. It means the same on every
// machine, so cursors, snapshots and transaction time ("known at") are positions.

/// A version vector: for each replica the number of its lines, counted without a gap from 1.
public struct Position: Sendable, Hashable {
  /// Replicas without lines have no entry.
  public private(set) var sizes: [ReplicaID: UInt64]

  public init(_ sizes: [ReplicaID: UInt64] = [:]) { self.sizes = sizes.filter { $0.value > 0 } }

  public subscript(replica: ReplicaID) -> UInt64 {
    get { sizes[replica] ?? 0 }
    set { sizes[replica] = newValue == 0 ? nil : newValue }
  }

  /// By replica, so that the same position is the same bytes everywhere.
  public var sorted: [(replica: ReplicaID, size: UInt64)] {
    sizes.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  public func contains(_ replica: ReplicaID, _ seq: UInt64) -> Bool { seq <= self[replica] }

  /// Whether all lines of the other position are here too.
  public func covers(_ other: Position) -> Bool {
    other.sizes.allSatisfy { self[$0.key] >= $0.value }
  }

  /// The lines of the other position that are not here, by replica.
  public func missing(_ other: Position) -> [LineSpan] {
    other.sorted.compactMap { replica, size in
      self[replica] < size ? LineSpan(replica: replica, first: self[replica] + 1, last: size) : nil
    }
  }

  public var json: JSONValue {
    .object(
      sorted.map { JSONValue.Member($0.replica.description, .int(Int($0.size))) })
  }

  /// Reads `{"REPLICA": size, …}`; nil where it is anything else.
  public init?(json: JSONValue) {
    guard let members = json.members else { return nil }
    var sizes: [ReplicaID: UInt64] = [:]
    for member in members {
      guard let replica = ReplicaID(member.key), let size = member.value.int, size >= 0 else {
        return nil
      }
      sizes[replica] = UInt64(size)
    }
    self.init(sizes)
  }
}

/// Lines in a row of one log.
public struct LineSpan: Sendable, Hashable, CustomStringConvertible {
  public var replica: ReplicaID
  public var first: UInt64
  public var last: UInt64

  public init(replica: ReplicaID, first: UInt64, last: UInt64) {
    self.replica = replica
    self.first = first
    self.last = last
  }

  public var description: String {
    (first == last ? "line \(first)" : "lines \(first) to \(last)") + " of replica \(replica)"
  }
}
