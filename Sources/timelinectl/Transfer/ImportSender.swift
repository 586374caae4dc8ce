// Sends the events of a file, two requests on their way at a time: while one is written the next one
// is read. Everything was checked before, so what fails here is a disk, or somebody who recorded in
// between: then it is said how far it came.

import TimelineModel

struct ImportSender {
  private(set) var recorded = 0
  private(set) var duplicates = 0

  private let client: Client
  private let path: String
  private var progress: Progress
  private var failure: (line: Int, Failure)?

  init(_ client: Client, path: String, total: Int) {
    self.client = client
    self.path = path
    progress = Progress("importing", total: total)
  }

  mutating func send(_ reader: ImportReader) throws(Failure) {
    do throws(Failure) {
      // Events that name the actors are taken only once these are recorded.
      try send([reader.actors])
      try send(reader.batches)
    } catch {
      guard error.exit == .noDaemon else { throw error }
      // What was on its way may be on disk or not.
      throw Failure(
        .noDaemon,
        "\(error.text); \(recorded) events were recorded for certain: import the file again, none"
          + " will be recorded twice")
    }
  }

  private mutating func send(_ batches: [ImportBatch]) throws(Failure) {
    var waiting: [ImportGroup] = []
    for group in ImportGroup.all(of: batches) {
      try client.send(.appendMany(group.count), group.lines(batches))
      waiting.append(group)
      if waiting.count == 2 { try collect(waiting.removeFirst(), batches) }
      if failure != nil { break }
    }
    while !waiting.isEmpty { try collect(waiting.removeFirst(), batches) }
    guard let (line, failure) = failure else { return }
    throw Failure(
      recorded > 0 ? .partlyDone : failure.exit, code: failure.code,
      "\(path):\(line): \(failure.text); "
        + (recorded > 0
          ? "\(recorded) events were recorded before that: import the file again once it is mended,"
            + " they will not be recorded twice"
          : "nothing was imported"))
  }

  private mutating func collect(
    _ group: ImportGroup, _ batches: [ImportBatch]
  ) throws(Failure) {
    do throws(Failure) {
      let reply = try client.answer(to: .appendMany(group.count))
      duplicates += reply.duplicates
      recorded += reply.count - reply.duplicates
      progress.advance(to: recorded + duplicates)
    } catch {
      guard error.exit != .noDaemon else { throw error }
      // The first failure is reported.
      if failure == nil { failure = Self.locate(error, group, batches) }
    }
  }

  /// The daemon counts the lines of one request.
  private static func locate(
    _ failure: Failure, _ group: ImportGroup, _ batches: [ImportBatch]
  ) -> (Int, Failure) {
    let index = group.index(ofLine: failure.reply?.line ?? 1, batches)
    var failure = failure
    if var reply = failure.reply {
      reply.line = nil
      failure = Failure(reply)
    }
    return (batches[index.batch].line(index.item), failure)
  }
}
