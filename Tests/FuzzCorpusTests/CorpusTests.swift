import Foundation
import FuzzTargets
import Testing

private let corpus = URL(filePath: #filePath).deletingLastPathComponent()
  .appending(path: "../Fixtures/fuzz").standardized

@Test(
  "what was found by fuzzing, and the inputs that reach most, hold", arguments: FuzzTarget.allCases)
func corpusHolds(target: FuzzTarget) throws {
  let directory = corpus.appending(path: target.rawValue)
  let files = try FileManager.default.contentsOfDirectory(
    at: directory, includingPropertiesForKeys: nil)
  #expect(files.count >= 5, "a corpus of \(files.count) files")
  for file in files.sorted(by: { $0.lastPathComponent < $1.lastPathComponent }) {
    // In memory of exactly its size, so that a sanitizer sees a look beyond it.
    let bytes = [UInt8](try Data(contentsOf: file))
    let input = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
    defer { input.deallocate() }
    _ = input.initialize(from: bytes)
    do { try target.check(UnsafeBufferPointer(input)) } catch {
      Issue.record("\(target.rawValue)/\(file.lastPathComponent): \(error)")
    }
  }
}
