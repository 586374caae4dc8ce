// Where libFuzzer comes in. The name of the program says which target it is: `scripts/fuzz` makes one
// link for each. Built with TIMELINE_FUZZ=1 alone.

import FuzzTargets

nonisolated(unsafe) private var target = FuzzTarget.line

@_cdecl("LLVMFuzzerInitialize")
public func initialize(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>>>
) -> CInt {
  let path = String(cString: arguments.pointee[0])
  let name = path.split(separator: "/").last.map(String.init) ?? path
  guard let named = FuzzTarget(rawValue: name) else {
    fatalError("no target \(name); targets: \(FuzzTarget.allCases.map(\.rawValue))")
  }
  target = named
  return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  do {
    try target.check(UnsafeBufferPointer(start: count == 0 ? nil : bytes, count: count))
  } catch {
    fatalError("\(target.rawValue): \(error)")
  }
  return 0
}
