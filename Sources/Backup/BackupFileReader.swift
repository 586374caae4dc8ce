// The file of a backup as it stands on disk: compressed bytes in, lines of logs out.

import TimelineModel

public struct BackupFileReader: ~Copyable {
  private var decompressor = Decompressor()
  private var reader = BackupReader()

  public init() {}

  /// Where the backup stands that is being read, once that was said.
  public var position: Position? { reader.position }

  /// Takes the next bytes of the file, and calls for each line of a log in them.
  public mutating func take(
    _ bytes: UnsafeBufferPointer<UInt8>,
    _ each: (ReplicaID, _ seq: UInt64, UnsafeBufferPointer<UInt8>) -> Void
  ) throws(BackupError) {
    try decompressor.take(bytes) { (text) throws(BackupError) in try reader.take(text, each) }
  }

  /// What all of it was; an error where that was no whole backup.
  public consuming func end() throws(BackupError) -> BackupContents {
    guard decompressor.isDone else { throw .cut }
    return try reader.end()
  }
}
