// How likely two records are of one happening: the one place that says so, for `lint`, `duplicates` and whom
// `add` asks. Only two of one type that begin on one day or the next, with an actor in common, are compared at
// all; each part then gives points, and all of them say why.
//
//     day 25 · type 15 · parties 20 · title 30 · source 10        100: in all that is looked at the same

import TimelineModel

/// What of a record is compared.
public struct LikenessTraits: Sendable {
  public var first: Day
  public var type: EventType
  public var subtype: String?
  public var parties: Parties
  var title: TitleWords
  /// Hashes of the addresses of its sources: urls and dois.
  var addresses: Set<UInt64>

  init(
    first: Day, type: EventType, subtype: String?, parties: Parties, title: TitleWords,
    addresses: Set<UInt64>
  ) {
    self.first = first
    self.type = type
    self.subtype = subtype
    self.parties = parties
    self.title = title
    self.addresses = addresses
  }

  init(_ draft: Draft) {
    self.init(
      first: draft.date.first, type: draft.type, subtype: draft.subtype, parties: draft.parties,
      title: TitleWords(draft.title), addresses: draft.addresses)
  }

  /// Whether both state the same subtype and are by the same actors.
  fileprivate func isSameAct(as other: Self) -> Bool {
    subtype != nil && subtype == other.subtype
      && Set(parties.actors) == Set(other.parties.actors)
  }
}

public struct Likeness: Sendable, Hashable {
  public struct Part: Sendable, Hashable {
    public var name: String
    public var points: Int
    public var max: Int
    public var why: String
  }

  public var parts: [Part]
  /// What lint tells of: on one day, with titles that are alike.
  public var isProbable: Bool
  public var score: Int { parts.reduce(0) { $0 + $1.points } }

  /// Nil where the two are hardly one.
  public init?(_ one: LikenessTraits, _ other: LikenessTraits) {
    let days = abs(one.first - other.first)
    guard days <= 1, one.type == other.type, Self.haveLikeParties(one.parties, other.parties),
      !one.title.speaksOfAnotherNumber(than: other.title)
    else { return nil }
    let isAlike = one.title.isAlike(other.title)
    guard isAlike || days == 0 && one.isSameAct(as: other) else { return nil }
    isProbable = days == 0 && isAlike
    // A chronology is the source of many events: by itself it says nothing.
    let sharesAddress = !one.addresses.isDisjoint(with: other.addresses)
    parts = [
      Part(
        name: "day", points: days == 0 ? 25 : 15, max: 25,
        why: days == 0 ? "the same day" : "a day apart"),
      Self.type(one, other), Self.parties(one.parties, other.parties),
      Self.title(one.title, other.title),
      Part(
        name: "source", points: sharesAddress ? 10 : 0, max: 10,
        why: sharesAddress ? "a source in common" : "no source in common"),
    ]
  }

  private static func type(_ one: LikenessTraits, _ other: LikenessTraits) -> Part {
    let (points, why) =
      if one.subtype == other.subtype {
        (15, "the same type")
      } else if one.subtype == nil || other.subtype == nil {
        (10, "the same type; one has no subtype")
      } else {
        (5, "the same type, another subtype")
      }
    return Part(name: "type", points: points, max: 15, why: why)
  }

  private static func parties(_ one: Parties, _ other: Parties) -> Part {
    let (some, others) = (Set(one.everyone), Set(other.everyone))
    let (common, all) = (some.intersection(others).count, some.union(others).count)
    return Part(
      name: "parties", points: 20 * common / max(1, all), max: 20,
      why: "\(common) of \(all) parties in common")
  }

  private static func title(_ one: TitleWords, _ other: TitleWords) -> Part {
    let (common, words) = (one.inCommon(other), one.words.count + other.words.count)
    return Part(
      name: "title", points: 60 * common / max(1, words), max: 30,
      why: "\(common) words of \(one.words.count) and \(other.words.count) in common")
  }

  /// An actor in common; a target in common, or one of the two names none.
  public static func haveLikeParties(_ one: Parties, _ other: Parties) -> Bool {
    one.actors.contains(where: other.actors.contains)
      && (one.targets.isEmpty || other.targets.isEmpty
        || one.targets.contains(where: other.targets.contains))
  }

  /// Of two events of a day and type: what a person who adds one is asked about.
  public static func mayBeOne(_ one: Draft, _ other: Draft) -> Bool {
    let (one, other) = (LikenessTraits(one), LikenessTraits(other))
    return one.first == other.first && Likeness(one, other) != nil
  }
}
