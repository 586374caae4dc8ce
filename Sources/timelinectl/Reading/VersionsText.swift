// An event with its versions, as `show` tells it: what it is said to be now, then who said what when,
// and what each changed.

import TimelineModel

enum VersionsText {
  static func text(_ versions: EventVersions, _ terminal: Terminal) -> String {
    if let erasure = versions.erasure { return erased(versions, erasure, terminal) }
    var text: String
    if let shown = versions.shown {
      text = EventText.whole(shown, terminal)
    } else {
      text = EventText.whole(versions.body.json, terminal)
      text += terminal.field("id", versions.id)
      if let retraction = versions.retraction.flatMap({ versions[$0] }) {
        let reason = retraction.reason.map { ": \($0)" } ?? ""
        text += terminal.field(
          "retracted", "\(retraction.recorded) by \(retraction.author)\(reason)")
      }
      text +=
        "it is in no answer; \(Again.timelinectl) correct \(versions.id.prefix(8))"
        + " --restore --reason … lets it show again\n"
    }
    text += same(versions, terminal) + conflict(versions, terminal)
    guard versions.all.count > 1 else { return text }
    text += "\n" + terminal.bold("versions") + "\n"
    let left = versions.count - versions.all.count
    for (index, version) in versions.all.enumerated() {
      if index == 1, left > 0 { text += "  … \(left) more, in timelinectl log --jsonl\n" }
      text += line(version, of: versions, terminal)
    }
    return text
  }

  private static func erased(
    _ versions: EventVersions, _ erasure: JSONValue, _ terminal: Terminal
  ) -> String {
    let (recorded, author) = (erasure["recorded"]?.string ?? "", erasure["author"]?.string ?? "?")
    return terminal.bold("its words were erased") + "\n"
      + terminal.field("id", versions.id)
      + terminal.field(
        "recorded",
        "\(versions.shown?["recorded"]?.string ?? "") by \(versions.shown?["author"]?.string ?? "?")"
      )
      + terminal.field("erased", "\(recorded) by \(author): \(erasure["reason"]?.string ?? "")")
  }

  private static func line(
    _ version: EventVersions.Version, of versions: EventVersions, _ terminal: Terminal
  ) -> String {
    let reason = version.reason.map { ": \($0)" } ?? ""
    let shown = versions.retraction ?? versions.shown?["version"]?.string ?? versions.id
    let isShown =
      version.id == shown
      && (version.kind != .recorded || version.recorded == versions.shown?["recorded"]?.string)
    let mark =
      isShown ? " (this one shows)" : versions.current.contains(version.id) ? " (stands)" : ""
    var text = terminal.hanging(
      "  \(version.id.prefix(8))  \(version.recorded)  \(version.kind) by \(version.author)\(reason)\(mark)",
      indent: 12)
    if version.kind != .retracted, let before = versions.before(version) {
      text += EventDifference(before.body, version.body).text(terminal, indent: 12)
    }
    return text
  }

  /// Which other records are of the same happening, and which of them shows.
  private static func same(_ versions: EventVersions, _ terminal: Terminal) -> String {
    let others = versions.records.filter { $0 != versions.id }.map { String($0.prefix(8)) }
    guard !others.isEmpty else { return "" }
    let id = versions.id.prefix(8)
    return terminal.field(
      "same",
      (versions.shownInstead.map { "shown and counted as \($0.prefix(8)), for all of " }
        ?? "it shows for all of ") + ([String(id)] + others).sorted().joined(separator: " ")
        + "; \(Again.timelinectl) apart \(id) ID parts them")
  }

  /// Where versions stand against each other: each wording of what they do not agree on.
  private static func conflict(_ versions: EventVersions, _ terminal: Terminal) -> String {
    guard versions.isContested else { return "" }
    let id = versions.id.prefix(8)
    var text = terminal.field(
      "contested",
      "versions stand against each other; \(Again.timelinectl) resolve \(id) --take VERSION --reason …"
        + " settles it")
    for disagreement in versions.conflict {
      for (version, value) in disagreement.wordings {
        let said = value.map(EventText.value) ?? "(left out)"
        text += terminal.hanging(
          "  \(disagreement.field), by \(version.author) in \(version.id.prefix(8)): \(said)",
          indent: 6)
      }
    }
    for version in versions.all
    where version.kind == .retracted && versions.current.contains(version.id) {
      let reason = version.reason.map { ": \($0)" } ?? ""
      text += terminal.hanging(
        "  retracted by \(version.author) in \(version.id.prefix(8))\(reason)", indent: 6)
    }
    return text
  }
}
