// What may take long is asked as a value and answered on any thread, from a read view: the loop goes on.

import Engagement
import EventStore
import TimelineModel
import TimelineWire
import TransparencyLog

/// A question that may take long, to be answered off the loop.
struct SlowQuestion: Sendable {
  enum Kind: Sendable {
    case events
    case count
    /// The states of dyads, or the events behind a figure; from what is kept of them, if anything.
    case state(StateQuestion, [Dyad: KeptHistory], era: Int)
    /// Everything read again.
    case verify(heads: [ReplicaID: HeadKeeper.Outcome])
    /// That a line is in its log.
    case prove(EventID, HeadKeeper)
    /// The roots of all logs, for a snapshot to cite.
    case name(QuestionReader.Naming)
    /// A snapshot to cite, compared with what is here.
    case compare(RecordedSnapshot)
    /// All lines of all logs.
    case backup(BackupStream.Request)
    /// Gaps and faults of the events.
    case lint(LintQuestion)
    /// The roots of so many lines of the logs of a device that is to be ended, or lowered.
    case end(DeviceID, [(ReplicaID, UInt64)], to: Role?)
    /// Pairs of events that may be one.
    case duplicates(DuplicatesQuestion)
    /// Events whose versions nobody settled.
    case conflicts(ConflictsQuestion)
  }

  enum Answer: Sendable {
    case events(EventList)
    case json(JSONValue)
    case state(JSONValue, [KeptHistory], era: Int)
    case proof(HeadKeeper.Proof)
    /// A snapshot that is to be recorded.
    case named(NamedSnapshot, author: String?)
    case backup(BackupStream)
    /// An end that is to be recorded.
    case end(MemberEnd)
    case error(ErrorReply)
    /// The last of it: rows, and what END says.
    case rows([JSONValue], end: JSONValue)
    case verified([JSONValue], end: JSONValue, damaged: Int)

    /// Whether it is to be recorded.
    var isAppend: Bool {
      switch self {
      case .named, .end: true
      default: false
      }
    }
  }

  var view: ReadView
  var query: Query
  var kind: Kind

  /// The answer, or the last of it; what there is before goes to `report`.
  /// `isWanted` says whether somebody still waits.
  func answer(
    _ report: (JSONValue) -> Void, isWanted: () -> Bool = { true }
  ) -> Answer {
    switch kind {
    case .verify(let heads):
      let total = view.lineCount
      let verification = Verification(view, heads: heads) { done in
        report(
          .object(["progress": .string("verifying"), "done": .int(done), "total": .int(total)]))
        return isWanted()
      }
      return .verified(
        verification.logs.map(\.json), end: verification.summary,
        damaged: verification.logs.flatMap(\.damage).reduce(0) { $0 + Int($1.last - $1.first) + 1 })
    case .prove(let id, let keeper):
      do throws(HeadProblem) { return .proof(try keeper.prove(id, view)) } catch {
        return .error(ErrorReply(error))
      }
    case .backup(let request): return .backup(BackupStream(request, view))
    case .lint(let asked):
      return answer(
        asked.answer(query, view) { done, total in
          tell("linting", done, total, report)
          return isWanted()
        })
    case .duplicates(let asked):
      return answer(
        asked.answer(query, view) { done, total in
          tell("comparing", done, total, report)
          return isWanted()
        })
    case .conflicts(let asked):
      let (rows, end) = asked.answer(query, view, isWanted: isWanted)
      return .rows(rows, end: end)
    case .name(let naming):
      do throws(DamagedLine) {
        return .named(try view.named(naming.name, note: naming.note), author: naming.author)
      } catch { return .error(ErrorReply(error)) }
    case .end(let device, let sizes, let to):
      do throws(DamagedLine) {
        var upTo: [ReplicaID: LogEnd] = [:]
        for (replica, size) in sizes {
          upTo[replica] = LogEnd(size, try view.root(of: size, replica))
        }
        return .end(MemberEnd(device: device, upTo: upTo, to: to))
      } catch { return .error(ErrorReply(error)) }
    case .compare(let recorded): return .json(recorded.compared(with: view))
    case .count:
      let (count, contested, damaged) = view.tally(query)
      let answer = JSONValue.object([
        "count": .int(count), "contested": contested == 0 ? nil : .int(contested),
      ])
      return refusal(damaged) ?? .json(answer.citing(query.cited))
    case .events:
      let events = EventList(query, in: view)
      return refusal(events.damaged) ?? .events(events)
    case .state(let asked, let kept, let era):
      let now = asked.dyads.map { dyad in
        kept[dyad].map { $0.brought(upTo: view) }
          ?? KeptHistory(dyad, in: view, knownAt: query.knownAt)
      }
      var earlier: [KeptHistory] = []
      if let since = asked.comparedWith {
        earlier = asked.dyads.map { KeptHistory($0, in: view, knownAt: since) }
      }
      if let refusal = refusal((earlier + now).lazy.compactMap(\.damaged).first) { return refusal }
      let state = asked.answer(
        now.map(\.history), earlier: earlier.map(\.history), isWanted: isWanted)
      return .state(state.citing(query.cited), query.knownAt == nil ? now : [], era: era)
    }
  }

  /// Says how far it is, where there is much to do.
  private func tell(_ word: String, _ done: Int, _ total: Int, _ report: (JSONValue) -> Void) {
    guard total > LintQuestion.quietEvents else { return }
    report(.object(["progress": .string(word), "done": .int(done), "total": .int(total)]))
  }

  private func answer(_ outcome: LintQuestion.Outcome) -> Answer {
    switch outcome {
    case .rows(let rows, let end): .rows(rows, end: end)
    case .damaged(let line): refusal(line) ?? .error(ErrorReply(line))
    case .unwanted: .rows([], end: .null)
    }
  }

  /// What is cited is answered whole or not at all.
  private func refusal(_ damaged: DamagedLine?) -> Answer? {
    guard let cited = query.cited, let damaged else { return nil }
    return .error(ErrorReply(CitationError.damaged(cited, damaged)))
  }
}

extension HeadKeeper.Proof {
  var json: JSONValue {
    .object([
      "replica": .string(replica.description), "seq": .int(Int(seq)),
      "signed": .int(Int(head.size)), "vkey": .string(key.vkey),
      "proof": .string(String(decoding: proof.bytes, as: UTF8.self)),
    ])
  }
}

extension Verification {
  var summary: JSONValue {
    .object([
      "whole": .bool(isWhole), "lines": .int(logs.reduce(0) { $0 + Int($1.lines) }),
      "bytes": .int(logs.reduce(0) { $0 + $1.bytes }),
    ])
  }
}

extension Verification.Log {
  var json: JSONValue {
    .object([
      "replica": .string(replica.description), "lines": .int(Int(lines)), "erased": .int(stubs),
      "root": root.map { .string($0.base64) },
      "signed": signed.map { .int(Int($0)) }, "problem": problem.map { .string($0.message) },
      "damage": .array(
        damage.map { damage in
          .object([
            "first": .int(Int(damage.first)), "last": .int(Int(damage.last)),
            "reason": .string(damage.reason),
          ])
        }),
    ])
  }
}
