// An event from the body of a line.

extension Event {
  /// Decodes a body that was validated; nil where it is a control record.
  public init?(
    id: EventID, document: JSONDocument, node: Int = 0, in text: UnsafeBufferPointer<UInt8>,
    isContested: Bool = false
  ) {
    let body = document.value(node, in: text)
    guard let type = body[.type]?.string.flatMap(EventType.init(word:)), type.isEvent,
      let date = body[.date]?.string.flatMap({ try? EventDate($0) })
    else { return nil }
    func strings(_ value: JSONValue?) -> [String] { value?.array?.compactMap(\.string) ?? [] }
    func codes(_ value: JSONValue?) -> [ActorCode] { strings(value).compactMap { ActorCode($0) } }
    func optionalDate(_ value: JSONValue?) -> EventDate? {
      value?.string.flatMap { try? EventDate($0) }
    }
    self.init(
      id: id, type: type, subtype: body[.subtype]?.string, date: date,
      actors: codes(body[.actors]), targets: codes(body[.targets]),
      title: body[.title]?.string ?? "",
      weight: body[.weight]?.number.map { Int32(($0 * 1000).rounded()) },
      confidence: body[.confidence]?.string.flatMap(Confidence.init(rawValue:)),
      offer: body[.offer].flatMap { offer in
        offer["condition"]?.string.flatMap(Offer.Condition.init(rawValue:)).map { condition in
          Offer(
            if: strings(offer["if"]), then: strings(offer["then"]), condition: condition,
            expires: optionalDate(offer["expires"]), interests: strings(offer["interests"]))
        }
      },
      commitments: (body[.commitments]?.array ?? []).compactMap {
        (item: JSONValue) -> Commitment? in
        guard let key = item["key"]?.string, let what = item["what"]?.string else { return nil }
        return Commitment(
          key: key, by: codes(item["by"]), to: codes(item["to"]), what: what,
          due: optionalDate(item["due"]), verifier: codes(item["verifier"]))
      },
      links: (body[.links]?.array ?? []).compactMap { (item: JSONValue) -> Link? in
        guard let relation = item["rel"]?.string.flatMap(Link.Relation.init(rawValue:)),
          let id = item["id"]?.string.flatMap({ EventID($0) })
        else { return nil }
        return Link(relation: relation, id: id, key: item["key"]?.string)
      },
      tags: strings(body[.tags]), isContested: isContested)
  }
}

extension JSONValue {
  /// The value of a body's member.
  subscript(member: BodyMember) -> JSONValue? { self[member.name] }
}
