// Tests/Fixtures/rfc6962-vectors.json: what RFC 6962's tree is on eight published entries, and what
// a verifier must take and refuse; its "sources" say where from.

import Foundation
import Testing

@testable import TransparencyLog

let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .appending(path: "Fixtures")

struct Vectors: Decodable {
  struct Hashing: Decodable {
    var what: String
    var entryHex: String?
    var leftHex: String?
    var rightHex: String?
    var hash: String
  }

  struct Inclusion: Decodable {
    var leafIndex: UInt64
    var treeSize: UInt64
    var proof: [String]
  }

  struct Consistency: Decodable {
    var size1: UInt64
    var size2: UInt64
    var proof: [String]
  }

  struct InclusionProbe: Decodable {
    var id: String
    var leafIndex: UInt64
    var treeSize: UInt64
    var leafHash: String
    var root: String
    var proof: [String]?
    var accept: Bool
  }

  struct ConsistencyProbe: Decodable {
    var id: String
    var size1: UInt64
    var size2: UInt64
    var root1: String
    var root2: String
    var proof: [String]?
    var accept: Bool
  }

  var hasherVectors: [Hashing]
  var leafInputsHex: [String]
  var leafHashes: [String]
  var completeSubtreeHashes: [String: [String]]
  var rootsBySize: [String: String]
  var rootsBySizeBase64: [String: String]
  var inclusionProofs: [Inclusion]
  var consistencyProofs: [Consistency]
  var probesInclusion: [InclusionProbe]
  var probesConsistency: [ConsistencyProbe]

  static let published: Vectors = {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    do {
      let data = try Data(contentsOf: fixtures.appending(path: "rfc6962-vectors.json"))
      return try decoder.decode(Vectors.self, from: data)
    } catch {
      fatalError("Tests/Fixtures/rfc6962-vectors.json: \(error)")
    }
  }()

  var leaves: [SHA256Digest] { leafHashes.map(digest) }

  func root(_ size: UInt64) -> SHA256Digest { digest(rootsBySize[String(size)]!) }
}

func bytes(hex: String) -> [UInt8] {
  let digits = hex.utf8.map { UInt8(String(UnicodeScalar($0)), radix: 16)! }
  return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

func digest(_ hex: String) -> SHA256Digest { SHA256Digest(bytes(hex: hex))! }

func leafHash(_ entry: [UInt8]) -> SHA256Digest {
  var hasher = SHA256()
  return entry.withUnsafeBufferPointer { hasher.leaf($0) }
}

func plainHash(_ bytes: [UInt8]) -> SHA256Digest {
  var hasher = SHA256()
  return bytes.withUnsafeBufferPointer { hasher.hash($0) }
}

/// What a call refuses with, or nil.
func refusal<Failure: Error, Value>(_ body: () throws(Failure) -> Value) -> Failure? {
  do {
    _ = try body()
    return nil
  } catch {
    return error
  }
}
