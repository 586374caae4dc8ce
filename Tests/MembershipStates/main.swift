// Answers of the rules of membership without a store, for the second implementation in Tests/Interop. A line in:
//
//     {"timeline":HASH,"facts":[[REPLICA,SEQ,BODY],…],"forks":[REPLICA,…],"erasures":[[REPLICA,SEQ,TARGET],…],
//      "refusals":[{"record":BODY,"by":DEVICE,"having":{REPLICA:LINES,…}},…]}
//
// A line out: the members, the logs, the role of each fact's line, open forks, what becomes of the erasures, and why
// the records are refused.

import Access
import TimelineModel
import TransparencyLog

func replica(_ value: JSONValue?) -> ReplicaID {
  guard let replica = value?.string.flatMap({ ReplicaID($0) }) else {
    fatalError("no replica: \(value?.text ?? "")")
  }
  return replica
}

func seq(_ value: JSONValue?) -> UInt64 {
  guard let seq = value?.int, seq > 0 else { fatalError("no seq: \(value?.text ?? "")") }
  return UInt64(seq)
}

func word(_ recorder: Recorder) -> String {
  switch recorder {
  case .recovery: "recovery"
  case .founding: "founding"
  case .device(let id): id.description
  }
}

func json(_ member: Member) -> JSONValue {
  .object([
    "device": .string(member.device.description), "name": member.name.map { .string($0) } ?? .null,
    "rank": .int(member.rank), "role": member.role.map { .string($0.rawValue) } ?? .null,
    "granted": .string(member.granted.rawValue), "by": .string(word(member.by)),
    "ends": .array(member.ends.map { .array([.string(word($0.by)), .string($0.end.json.text)]) }),
  ])
}

func json(_ replica: ReplicaID, in membership: Membership) -> JSONValue {
  .object([
    "replica": .string(replica.description),
    "device": membership.device(of: replica).map { .string($0.description) } ?? .null,
    "key": membership.key(of: replica).map { .string(Base64.encode($0.bytes)) } ?? .null,
    "end": membership.end(of: replica).map { .int(Int($0)) } ?? .null,
    "reach": membership.reach(of: replica).map { .int(Int($0)) } ?? .null,
    "branch": membership.branch(of: replica)?.json ?? .null,
  ])
}

func refusal(_ asked: JSONValue, in membership: Membership) -> String? {
  guard let record = asked["record"]?.string.flatMap({ MembershipRecord(body: $0) }),
    let by = asked["by"]?.string.flatMap({ DeviceID($0) })
  else { fatalError("nothing to refuse: \(asked.text)") }
  let refusal =
    switch record {
    case .member(let member): membership.refusal(of: member, by: by)
    case .end(let end):
      membership.refusal(of: end, by: by, having: asked["having"].flatMap { Position(json: $0) }!)
    case .replica, .timeline: fatalError("nothing to refuse: \(asked.text)")
    }
  return switch refusal {
  case nil: nil
  case .noRight: "noRight"
  case .signature: "signature"
  case .noMember: "noMember"
  case .rank: "rank"
  case .ended: "ended"
  case .codeUsed: "codeUsed"
  case .below: "below"
  }
}

while let line = readLine() {
  guard let asked = try? JSONValue(parsing: line),
    let timeline = asked["timeline"]?.string.flatMap({ SHA256Digest(base64: $0) })
  else { fatalError("no history: \(line)") }
  let lines = (asked["facts"]?.array ?? []).map { $0.array ?? [] }
  var facts = lines.compactMap { parts in
    parts[2].string.flatMap { MembershipRecord(body: $0) }.map {
      MembershipFact.line(replica(parts[0]), seq(parts[1]), $0)
    }
  }
  facts += (asked["forks"]?.array ?? []).map { .fork(replica($0)) }
  let membership = Membership(of: timeline, facts)
  // Backwards and in pieces it comes to the same.
  var piecewise = Membership(of: timeline)
  for start in stride(from: 0, to: facts.count, by: 5) {
    piecewise.insert(facts.reversed().dropFirst(start).prefix(5))
  }
  guard piecewise == membership else { fatalError("order of arrival matters: \(line)") }
  let erasures = (asked["erasures"]?.array ?? []).map { $0.array ?? [] }
  let verdicts = erasures.map { parts -> String in
    switch membership.judge(
      erasureIn: replica(parts[0]), at: seq(parts[1]), of: replica(parts[2]))
    {
    case .erase: "erase"
    case .hide: "hide"
    case .hideUntilSettled: "hideUntilSettled"
    case .keep: "keep"
    }
  }
  print(
    JSONValue.object([
      "members": .array(membership.members.map(json)),
      "logs": .array(membership.logs.map { json($0, in: membership) }),
      "roles": .array(
        lines.map { parts in
          membership.role(in: replica(parts[0]), at: seq(parts[1])).map { .string($0.rawValue) }
            ?? .null
        }),
      "open_forks": .strings(membership.openForks), "in_doubt": .bool(membership.isInDoubt),
      "erasures": .strings(verdicts),
      "refusals": .array(
        (asked["refusals"]?.array ?? []).map {
          refusal($0, in: membership).map { .string($0) } ?? .null
        }),
    ]).text)
}
