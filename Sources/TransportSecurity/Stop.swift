// The end of a process that cannot go on: a bug of ours, or no memory. No input leads here.

/// What cannot happen to correct code on a machine that has memory.
func stop(_ what: String, file: StaticString = #fileID, line: UInt = #line) -> Never {
  fatalError("TransportSecurity: \(what)", file: file, line: line)
}
