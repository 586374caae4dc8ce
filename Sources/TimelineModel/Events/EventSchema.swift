// The one description of every type of event and of every member of a body. The validator, the decoder,
// the columns of tables, forms and options, the filter language and the index file read it; nobody else
// spells these names. docs/reference/event-format.md, F-6 and F-7, says the same in words, and a test
// holds the two together.
//
// To add a type: a case of `EventType` with the next free code, and its row. To add a plain text field: a
// case of `BodyMember`, where it stands in a body, and its row. The compiler and the tests name what
// else there is to decide: docs/internals/adding-a-type.md.

// MARK: Types

/// The closed list of what can happen between parties, and of what a log says about itself. The code of
/// a type stands in index files: it is never given to another one.
public enum EventType: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
  case message = 0
  case statement = 1
  case talks = 2
  case agreement = 3
  case step = 4
  case exercise = 5
  case test = 6
  case deployment = 7
  case sanction = 8
  case aid = 9
  case exchange = 10
  case incident = 11
  case release = 12
  case report = 13
  case logCorrect = 14
  case logRetract = 15
  case logSame = 16
  case logApart = 17
  case logErase = 18
  case logMember = 19
  case logMemberEnd = 20
  case logSnapshot = 21
  case logImport = 22
  case logRules = 23
  case logActor = 24
  case logTimeline = 25
  case logReplica = 26

  var row: Row {
    switch self {
    case .message:
      Row(
        "message", "words of one side to the other", carries: [.offer],
        subtypes: ["letter", "oral", "intermediary", "public-offer", "hotline"])
    case .statement:
      Row(
        "statement", "words of one side for all to hear", carries: [.offer],
        subtypes: [
          "position", "assurance", "accusation", "demand", "threat", "apology", "recognition",
        ])
    case .talks:
      Row(
        "talks", "a meeting, or its end without a result", carries: [.offer],
        subtypes: [
          "summit", "ministerial", "official", "working-level", "multilateral", "track-1.5",
          "track-2", "breakdown",
        ])
    case .agreement:
      Row(
        "agreement", "what sides promise each other", carries: [.commitments],
        subtypes: [
          "accord", "joint-statement", "declaration", "memorandum", "armistice", "peace",
        ])
    case .step:
      Row(
        "step", "a promise kept, checked or broken",
        subtypes: ["fulfilment", "verification", "suspension", "violation", "withdrawal"])
    case .exercise:
      Row(
        "exercise", "a manoeuvre, held or called off",
        subtypes: [
          "field", "command-post", "naval", "live-fire", "flight", "cancelled", "postponed",
        ])
    case .test:
      Row(
        "test", "a weapon or an engine tried out",
        subtypes: [
          "nuclear", "icbm", "irbm", "mrbm", "srbm", "slbm", "cruise", "hypersonic",
          "satellite-launch", "engine", "artillery", "moratorium",
        ])
    case .deployment:
      Row(
        "deployment", "forces moved",
        subtypes: ["strategic-asset", "missile-defence", "troop-movement", "withdrawal"])
    case .sanction:
      Row(
        "sanction", "a penalty imposed, changed or lifted",
        subtypes: ["impose", "extend", "designate", "ease", "waive", "lift"])
    case .aid:
      Row(
        "aid", "goods or money given, or held back",
        subtypes: ["food", "fuel", "medical", "disaster", "development", "suspended"])
    case .exchange:
      Row(
        "exchange", "people of both sides who meet beside politics",
        subtypes: [
          "people-to-people", "ngo", "cultural", "sport", "family-reunion", "remains", "academic",
        ])
    case .incident:
      Row(
        "incident", "harm done or risked",
        subtypes: [
          "clash", "attack", "seizure", "detention", "shootdown", "cyber", "assassination",
          "intrusion",
        ])
    case .release:
      Row(
        "release", "people or things let go",
        subtypes: ["detainee", "prisoner", "vessel", "data"])
    case .report:
      Row(
        "report", "what somebody found or wrote",
        subtypes: ["assessment", "commentary", "inspection", "leak"])

    case .logCorrect: Row(log: "log.correct", "what an event should be")
    case .logRetract: Row(log: "log.retract", "an event taken back")
    case .logSame: Row(log: "log.same", "two records of one happening")
    case .logApart: Row(log: "log.apart", "two records that are not")
    case .logErase: Row(log: "log.erase", "words that are to go")
    case .logMember: Row(log: "log.member", "a device that is brought in")
    case .logMemberEnd: Row(log: "log.member-end", "a device that is ended, or may do less")
    case .logSnapshot: Row(log: "log.snapshot", "a snapshot to cite")
    case .logImport: Row(log: "log.import", "reserved")
    case .logRules: Row(log: "log.rules", "a team's own table of rules")
    case .logActor: Row(log: "log.actor", "an actor of a team's own")
    case .logTimeline: Row(log: "log.timeline", "what the timeline's id is made from")
    case .logReplica: Row(log: "log.replica", "whose log it is, and the key of its heads")
    }
  }
}

// MARK: Members of a body

/// Every member that a body may have and that we know, in the order in which a new body is written.
public enum BodyMember: UInt8, CaseIterable, Sendable {
  // What happened.
  case type, subtype, date, actors, targets, title, summary, place, sources, unsourced, confidence
  case offer, commitments, links, tags, weight, weightReason
  // Who says so, and of what.
  case id, author
  // Lines about the log.
  case body, corrects, retracts, supersedes, code, name, kind, aliases
  // Written by the daemon alone.
  case v, replica, seq, recorded, crc32c, salt, bodySHA256
  // Added to an event by an answer.
  case version, contested, standing

  var row: EventField {
    switch self {
    case .type:
      field(
        "type", .type, isRequired: true, filter: .type,
        option: ("TYPE", "message, talks, test, …: see below"))
    case .subtype:
      field(
        "subtype", .subtype, filter: .subtype,
        option: ("WORD", "letter, summit, icbm, …: see below"))
    case .date:
      field(
        "date", .date, isRequired: true, filter: .date,
        comment: "2017-11-29, 2017-11, 2002-11-01~ (about), 2016-03-07/2016-04-30, 2019/..",
        option: ("DATE", "2017-11-29, 2017-11, 2002-11-01~ (about), 2016-03-07/2016-04-30"))
    case .actors:
      field(
        "actors", .codes, isRequired: true, filter: .actor, comment: "codes, with commas: USA,KOR",
        option: ("CODES", "who did it: USA,KOR"))
    case .targets: field("targets", .codes, filter: .target, option: ("CODES", "to whom"))
    case .title:
      field(
        "title", .line, isRequired: true, comment: "one line that says what happened",
        option: ("LINE", "what happened, in a line"))
    case .summary:
      field(
        "summary", .paragraphs,
        comment: "as many lines and paragraphs as you like, the further ones indented",
        option: ("TEXT", "and in a paragraph or more"))
    case .place: field("place", .text, option: ("NAME", "where"))
    case .sources:
      field(
        "sources", .sources, each: "source",
        comment:
          "any of \(EventPart.names(EventPart.source)); source: once more for a second")
    case .unsourced:
      field(
        "unsourced", .yes, comment: "true where there is no source",
        option: (nil, "there is no source, said out loud"))
    case .confidence:
      field(
        "confidence", .choice, comment: "high, medium or low",
        option: ("WORD", "high, medium or low"))
    case .offer:
      field(
        "offer", .offer, isRare: true,
        comment: "of \(EventType.carriers(of: .offer)); if and then may stand more than once")
    case .commitments:
      field(
        "commitments", .commitments, each: "commitment", isRare: true,
        comment: "of \(EventType.carriers(of: .commitments)); another line commitment: for each",
        option: (
          "PARTS",
          "of \(EventType.carriers(of: .commitments)): 'key=freeze; by=PRK; to=USA; what=…;"
            + " due=2007-07; verifier=IAE'; one each time; a key that is there already is changed"
        ))
    case .links:
      field(
        "links", .links, each: "link",
        comment: "answers:ID, fulfils:ID#KEY, …; another line link: for each",
        option: (
          "REL:ID",
          "answers:1f2e3d4c, or fulfils:1f2e3d4c#KEY for one commitment; may be given more than once"
        ))
    case .tags:
      field(
        "tags", .words, filter: .tag, comment: "free words, with commas",
        option: ("WORDS", "free words: launch,night"))
    case .weight:
      field(
        "weight", .weight, isRare: true, comment: "-10 to 10, with its reason",
        option: ("NUMBER", "the event's own weight, -10 to 10"))
    case .weightReason:
      field(
        "weight_reason", .weightReason, isRare: true,
        option: ("TEXT", "why the event has a weight of its own"))

    case .id: field("id", .other(.recorder), filter: .id)
    case .author: field("author", .other(.recorder), filter: .author)
    case .body: field("body", .other(.record))
    case .corrects: field("corrects", .other(.record))
    case .retracts: field("retracts", .other(.record))
    case .supersedes: field("supersedes", .other(.record))
    case .code: field("code", .other(.record))
    case .name: field("name", .other(.record))
    case .kind: field("kind", .other(.record))
    case .aliases: field("aliases", .other(.record))
    case .v: field("v", .other(.envelope))
    case .replica: field("replica", .other(.envelope))
    case .seq: field("seq", .other(.envelope))
    case .recorded: field("recorded", .other(.envelope))
    case .crc32c: field("crc32c", .other(.envelope))
    case .salt: field("salt", .other(.envelope))
    case .bodySHA256: field("body_sha256", .other(.stub))
    case .version: field("version", .other(.answer))
    case .contested: field("contested", .other(.answer))
    case .standing: field("standing", .other(.answer))
    }
  }
}

// MARK: Parts of members

extension EventPart {
  /// Of each source.
  public static let source = [
    EventPart("title", .name, option: ("TITLE", "the source")),
    EventPart("publisher", .name, option: ("NAME", "who published it")),
    EventPart("date", .date, option: ("DATE", "when")),
    EventPart("url", .name, option: ("URL", "where it is")),
    EventPart("doi", .name, option: ("DOI", "its DOI")),
    EventPart("quote", .text, option: ("TEXT", "the words that say so")),
  ]

  public static let offer = [
    EventPart(
      "if", .sentences,
      option: ("TEXT", "what an offer asks of the other side; may be given more than once")),
    EventPart(
      "then", .sentences, isRequired: true,
      option: ("TEXT", "what it would give for that; may be given more than once")),
    EventPart(
      "condition", .choice, isRequired: true,
      option: ("WORD", "prior (they first), simultaneous or none")),
    EventPart("expires", .date, option: ("DATE", "until when it stands")),
    EventPart("interests", .words, option: ("WORDS", "keys of data/interests.csv")),
  ]

  public static let commitment = [
    EventPart("key", .word, isRequired: true), EventPart("by", .codes, isRequired: true),
    EventPart("to", .codes), EventPart("what", .name, isRequired: true), EventPart("due", .date),
    EventPart("verifier", .codes),
  ]
}

// MARK: Filters and limits

/// What a filter can ask for.
public enum FilterKey: String, Sendable, CaseIterable {
  case date, type, subtype, actor, target, party, tag, author, id, text
}

public enum EventLimits {
  public static let titleBytesMax = 300
  /// Commitments or links of one event: each is looked at with every figure that the event goes into.
  public static let itemsMax = 200
  /// An event's own weight lies between this and its opposite.
  public static let weightMax = 10
}
