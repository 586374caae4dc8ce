/// A line, by its log and its number there.
public struct LineAddress: Sendable, Hashable {
  public var replica: ReplicaID
  public var seq: UInt64

  public init(_ replica: ReplicaID, _ seq: UInt64) {
    self.replica = replica
    self.seq = seq
  }

  /// `["REPLICA", 7]`
  public var json: JSONValue { .array([.string(replica.description), .int(Int(seq))]) }

  public init?(json: JSONValue) {
    guard let pair = json.array, pair.count == 2, let seq = pair[1].int, seq > 0,
      let replica = pair[0].string.flatMap({ ReplicaID($0) })
    else { return nil }
    self.init(replica, UInt64(seq))
  }
}
