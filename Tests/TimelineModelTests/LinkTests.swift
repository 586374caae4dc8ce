import Testing
import TimelineModel

@Suite("Links: what makes one wrong, and circles of any length")
struct LinkTests {
  private func id(_ name: Int) -> EventID { EventID(UUIDBytes(high: 1, low: UInt64(name))) }

  private func codes(_ words: String) -> [ActorCode] {
    words.split(separator: " ").map { ActorCode(String($0))! }
  }

  private func event(
    _ name: Int, _ date: String, by actors: String = "PRK", to targets: String = "",
    keys: [String] = [], isMessage: Bool = false
  ) -> LinkedEvent {
    LinkedEvent(
      id: id(name), first: try! EventDate(date).first, date: date, title: "t",
      actors: codes(actors), targets: codes(targets), isAgreement: !keys.isEmpty,
      isMessage: isMessage,
      commitments: keys.map { .init(key: $0, by: codes(actors), to: codes(targets)) })
  }

  @Test("Each fault of one link, and what is none")
  func faults() {
    let deal = event(1, "2007-02-13", keys: ["shut", "oil"])
    func fault(_ relation: Link.Relation, _ key: String? = nil, on date: String, _ from: Int = 2)
      -> LinkFault?
    {
      .of(
        Link(relation: relation, id: deal.id!, key: key), from: event(from, date), to: deal)
    }
    #expect(fault(.fulfils, "shut", on: "2007-02-13") == nil)
    #expect(fault(.fulfils, "shutt", on: "2007-03") == .noSuchKey)
    #expect(fault(.fulfils, "shut", on: "2007-02-12") == .later)
    // An event counts from the first day of its date.
    #expect(fault(.answers, on: "2007-02") == .later)
    #expect(fault(.answers, on: "../2008") == .later)
    #expect(fault(.partOf, on: "2007-02-12") == nil)
    #expect(fault(.same, on: "2001") == nil)
    #expect(fault(.answers, on: "2008", 1) == .itself)
  }

  @Test(
    "Who can say it: answers by those who were asked, steps and breaks by those whose promise it is",
    arguments: [
      // An offer of USA to PRK and CHN.
      ("answers", "PRK", "offer", nil), ("accepts", "CHN USA", "offer", nil),
      ("answers", "USA", "offer", .ownWords), ("declines", "KOR", "offer", .notTheirs),
      ("counters", "USA KOR", "offer", .notTheirs), ("follows", "USA", "offer", nil),
      ("withdraws", "USA", "offer", nil), ("withdraws", "PRK", "offer", .notTheirs),
      ("suspends", "KOR USA", "offer", nil),
      // Of USA and PRK together, to nobody by name; of USA alone.
      ("answers", "USA", "joint", nil), ("answers", "USA PRK", "joint", nil),
      ("answers", "KOR", "joint", nil), ("answers", "USA", "broadcast", .ownWords),
      ("answers", "KOR", "broadcast", nil), ("answers", "USA PRK", "broadcast", nil),
      // A test of PRK, aimed at USA: others may answer too.
      ("answers", "KOR", "test", nil), ("answers", "PRK", "test", .ownWords),
      ("violates", "USA", "test", nil), ("fulfils", "KOR", "test", nil),
      // PRK promised USA.
      ("fulfils", "PRK", "deal#p", nil), ("fulfils", "USA", "deal#p", nil),
      ("fulfils", "JPN", "deal#p", .notTheirs), ("withdraws", "KOR", "deal#p", .notTheirs),
      ("verifies", "IAE", "deal#p", nil), ("violates", "JPN PRK", "deal#p", nil),
      ("suspends", "CHN", "deal", nil), ("suspends", "JPN", "deal", .notTheirs),
      ("suspends", "CHN", "deal#p", .notTheirs), ("suspends", "CHN", "deal#all", nil),
      ("fulfils", "JPN", "deal#all", .notTheirs),
    ] as [(String, String, String, LinkFault?)])
  func speakers(relation: String, by: String, target: String, fault: LinkFault?) {
    var deal = event(1, "2001", by: "PRK USA", to: "CHN")
    deal.isAgreement = true
    deal.commitments = [
      .init(key: "p", by: codes("PRK"), to: codes("USA")), .init(key: "all", by: codes("PRK")),
    ]
    let targets = [
      "offer": event(1, "2001", by: "USA", to: "PRK CHN", isMessage: true),
      "joint": event(1, "2001", by: "USA PRK", isMessage: true),
      "broadcast": event(1, "2001", by: "USA", isMessage: true),
      "test": event(1, "2001", by: "PRK", to: "USA"), "deal": deal,
    ]
    let parts = target.split(separator: "#").map(String.init)
    let link = Link(
      relation: Link.Relation(rawValue: relation)!, id: id(1),
      key: parts.count > 1 ? parts[1] : nil)
    let from = event(2, "2002", by: by)
    let found = LinkFault.of(link, from: from, to: targets[parts[0]]!)
    #expect(found == fault)
    // Who is named as the one to say it can say it.
    if found == .notTheirs {
      let text = found!.error(0, link, from: from, to: targets[parts[0]]!).text
      let names = link.speakers(of: targets[parts[0]]!)
      #expect(!names.isEmpty && text.contains(names))
      for name in names.split(separator: ", ") {
        let other = event(2, "2002", by: String(name))
        #expect(LinkFault.of(link, from: other, to: targets[parts[0]]!) == nil, "\(name)")
      }
    }
  }

  @Test("A message names the link, the other event and what would be right")
  func messages() {
    let deal = event(1, "2007-02-13", keys: ["shut", "oil"])
    let link = Link(relation: .fulfils, id: deal.id!, key: "shutt")
    let text = LinkFault.noSuchKey.error(3, link, from: event(2, "2008"), to: deal).text
    #expect(
      text.hasPrefix("links[3].key: \"shutt\" is no commitment of 00000000 \"t\" (2007-02-13)"))
    #expect(text.hasSuffix("did you mean shut?"))
    let long = LinkFault.circle((0..<10_000).map(id)).error(0, link, from: deal, to: deal).text
    #expect(long.utf8.count < 400)
  }

  @Test("A walk finds the way back, whatever it has walked before")
  func walks() {
    var links: [Int: [Int]] = [:]
    var walk = LinkWalk()
    func record(_ name: Int, _ targets: [Int], isNew: Bool = true) -> [EventID]? {
      let found = walk.circle(
        of: id(name), isNew: isNew, targets.map { Link(relation: .follows, id: id($0)) },
        { wanted in links[Int(wanted.uuid.low)]?.map { id($0) } })
      if found == nil { links[name] = targets }
      return found?.way
    }
    #expect(record(1, [9]) == nil)
    #expect(record(2, [1]) == nil)
    #expect(record(3, [2, 1]) == nil)
    // 9 had been named before it was there.
    #expect(record(9, [3]) == [id(2), id(1)] || links[9] == nil)
    #expect(links[9] == nil)
    #expect(record(9, [8]) == nil)
    #expect(record(8, [3]) != nil)
    #expect(record(8, []) == nil)
    // A correction closes one too.
    #expect(record(1, [3], isNew: false) != nil)
  }

  @Test("A chain that is recorded event by event costs each of them one step")
  func chains() {
    var walk = LinkWalk()
    var looked = 0
    for name in 1...20_000 {
      let found = walk.circle(
        of: id(name), isNew: true, [Link(relation: .follows, id: id(name - 1))],
        { wanted in
          looked += 1
          return wanted.uuid.low == 0 ? nil : [id(Int(wanted.uuid.low) - 1)]
        })
      #expect(found == nil)
    }
    #expect(looked < 60_000)
    let back = walk.circle(
      of: id(0), isNew: true, [Link(relation: .follows, id: id(5_000))],
      { wanted in wanted.uuid.low == 0 ? nil : [id(Int(wanted.uuid.low) - 1)] })
    #expect(back?.way.count == 4_999)
  }

  @Test("What a walk that was cut short did not look at is looked at when it matters")
  func cut() {
    var walk = LinkWalk()
    func links(_ name: Int) -> [Int]? {
      switch name {
      case 7: [40_000]
      case 1000...20_000: [name - 1]
      default: nil
      }
    }
    func circle(_ name: Int, _ targets: [Int]) -> [EventID]? {
      walk.circle(
        of: id(name), isNew: true, targets.map { Link(relation: .follows, id: id($0)) },
        { wanted in links(Int(wanted.uuid.low)).map { $0.map(id) } })?.way
    }
    #expect(circle(30_000, [7, 20_000]) == nil)
    #expect(circle(40_000, [7]) == [])
  }

  @Test("Many corrections along one chain look at no more than a turn may")
  func turns() {
    var walk = LinkWalk()
    var looked = 0
    func correct(_ name: Int) -> [EventID]? {
      walk.circle(
        of: id(name), isNew: false, [Link(relation: .follows, id: id(9000))],
        { wanted in
          looked += 1
          return wanted.uuid.low == 0 ? [] : [id(Int(wanted.uuid.low) - 1)]
        })?.way
    }
    #expect(correct(8990)?.count == 9)
    for name in 20_000..<20_100 { #expect(correct(name) == nil) }
    #expect(looked <= LinkWalk.revisitsMax)
    #expect(correct(8990) == nil)
    walk.beginTurn()
    #expect(correct(8990)?.count == 9)
  }

  @Test("Circles are found as by trying every way", arguments: 0..<200)
  func circles(seed: UInt64) {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    func chance(_ below: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % below
    }
    let count = 1 + chance(8)
    let targets = (0..<count).map { _ in (0..<chance(3)).map { _ in chance(count) } }
    var reaches = targets.map { Set($0) }
    for _ in 0..<count {
      for index in 0..<count {
        for next in reaches[index] { reaches[index].formUnion(reaches[next]) }
      }
    }
    let expected = Set(
      (0..<count).compactMap { index -> [Int]? in
        let circle = (0..<count).filter {
          $0 == index || reaches[index].contains($0) && reaches[$0].contains(index)
        }
        return circle.count > 1 ? circle : nil
      })
    #expect(Set(LinkCircles.all(targets)) == expected, "seed \(seed), targets \(targets)")
  }
}
