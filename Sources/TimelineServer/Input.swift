// What happens to the engine, as values. Its drivers (LinuxServer, the simulation) bring these,
// and carries out the effects that a step answers with.
//
//     inputs ─▶ Engine.step(inputs, now) ─▶ effects ─▶ sockets, disk, threads ─▶ inputs …

import Access
import TimelineModel

/// Which connection. A number is never used again, as descriptors are.
public struct ConnectionID: Sendable, Hashable, Comparable {
  public let number: UInt64
  public init(_ number: UInt64) { self.number = number }
  public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

/// Which piece of work off the engine's thread.
public struct JobID: Sendable, Hashable {
  let number: UInt64
}

public enum Input: Sendable {
  /// Somebody connected. Numbers are the driver's to give, below `Engine.dialedFrom`.
  ///
  /// Over TLS this comes after the handshake, with what that proved.
  case opened(ConnectionID, Principal, DeviceHandshake? = nil)
  /// A connection that `dial` asked for is made, and the device at the other end is the one that was to be
  /// there.
  case dialed(ConnectionID, DeviceHandshake? = nil)
  case bytes(ConnectionID, [UInt8])
  /// The other side will say no more, and may still read.
  case inputEnded(ConnectionID)
  /// The connection is gone, or could not be made; why, where that is known.
  case closed(ConnectionID, reason: String?)
  /// What was sent waits here: the other side does not take more for now.
  case blocked(ConnectionID)
  /// All that was sent has gone out.
  case unblocked(ConnectionID)
  /// A write is over, whatever came of it.
  case written(Written)
  /// A job reports on its way.
  case progress(JobID, JSONValue)
  case finished(JobID, WorkResult)
  /// An address or a way to other machines has come: they may be reached now.
  case networkChanged
  /// The disk could not read a part of a mapped log: it reads as zeros now.
  case badPages
  /// It is time to end: what is under way is finished, then comes the effect `stopped`.
  case stop
}
