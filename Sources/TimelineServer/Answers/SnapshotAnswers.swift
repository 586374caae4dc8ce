// What is said of snapshots to cite: which there are, and whether this machine has what they name.

import EventStore
import TimelineModel
import TransparencyLog

extension RecordedSnapshot {
  /// What an answer that cites it says of it.
  var brief: JSONValue {
    .object([
      "id": .string(id.description), "name": .string(name.text),
      "erased": erased == 0 ? nil : .int(erased),
    ])
  }

  /// A row of a list.
  func json(in view: ReadView) -> JSONValue {
    let missing = view.missing(position)
    return .object(
      members + [
        JSONValue.Member("lacking", .array(missing.map(\.json))),
        JSONValue.Member(
          "whole", .bool(missing.isEmpty && view.firstDamaged(upTo: position) == nil)),
      ])
  }

  /// Its logs compared with those here, whose lines are hashed for it.
  func compared(with view: ReadView) -> JSONValue {
    let logs = position.sorted.map { replica, size in
      ComparedLog(replica, size, named.roots[replica], view)
    }
    let worst = logs.map(\.standing).max() ?? .same
    return .object(
      members + [
        JSONValue.Member("logs", .array(logs.map(\.json))),
        JSONValue.Member("standing", .string(worst.rawValue)),
      ] + contested(in: view, worst))
  }

  /// How many of its events were contested, where all of its lines are here.
  private func contested(in view: ReadView, _ standing: ComparedLog.Standing) -> [JSONValue.Member]
  {
    guard standing == .same else { return [] }
    let count = view.tally(Query(knownAt: position)).contested
    return count == 0 ? [] : [JSONValue.Member("contested", .int(count))]
  }

  private var members: [JSONValue.Member] {
    JSONValue.object([
      "id": .string(id.description), "name": .string(name.text),
      "author": author.map { .string($0) }, "recorded": .string(recorded.description),
      "replica": .string(replica.description), "seq": .int(Int(seq)),
      "note": named.note.map { .string($0) }, "position": position.json,
      "roots": named.rootsJSON,
    ]).members ?? []
  }
}

extension Timeline.Staged {
  /// What is answered once a snapshot to cite is on disk.
  func json(of named: NamedSnapshot) -> JSONValue {
    .object([
      "id": .string(id.description), "name": .string(named.name.text),
      "replica": .string(replica.description), "seq": .int(Int(seq)),
      "position": named.position.json, "roots": named.rootsJSON,
    ])
  }
}

/// A log as a snapshot names it, and as it is here.
private struct ComparedLog {
  /// From the best to the worst.
  enum Standing: String, CaseIterable, Comparable {
    case same
    case missing = "lacking"
    case damaged, differs

    static func < (left: Self, right: Self) -> Bool {
      allCases.firstIndex(of: left)! < allCases.firstIndex(of: right)!
    }
  }

  private let replica: ReplicaID
  private let size: UInt64
  private let root: SHA256Digest?
  let standing: Standing
  private var here: SHA256Digest?
  private var missing: LineSpan?
  private var damaged: DamagedLine?

  init(_ replica: ReplicaID, _ size: UInt64, _ root: SHA256Digest?, _ view: ReadView) {
    self.replica = replica
    self.size = size
    self.root = root
    missing = view.position.missing(Position([replica: size])).first
    guard missing == nil else {
      standing = .missing
      return
    }
    do throws(DamagedLine) {
      let found = try view.root(of: size, replica)
      here = found
      standing = found == root ? .same : .differs
    } catch {
      damaged = error
      standing = .damaged
    }
  }

  var json: JSONValue {
    .object([
      "replica": .string(replica.description), "lines": .int(Int(size)),
      "root": root.map { .string($0.base64) }, "standing": .string(standing.rawValue),
      "here": standing == .differs ? here.map { .string($0.base64) } : nil,
      "lacking": missing?.json, "damaged": damaged.map { .int(Int($0.seq)) },
    ])
  }
}

extension LineSpan {
  fileprivate var json: JSONValue {
    .object([
      "replica": .string(replica.description), "first": .int(Int(first)), "last": .int(Int(last)),
    ])
  }
}

extension JSONValue {
  /// An answer that says what it is an answer from.
  func citing(_ snapshot: RecordedSnapshot?) -> JSONValue {
    guard let snapshot, let members else { return self }
    return .object(members + [Member("snapshot", snapshot.brief)])
  }
}
