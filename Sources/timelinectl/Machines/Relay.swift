// `relay`: the way for another machine's daemon to this one's, through whatever runs a command here, as ssh does.
//
//     the other timelined ─▶ ssh lab timelinectl relay ─▶ standard input ─▶ peer socket ─▶ timelined
//                                                      ◀─ standard output ◀─
//
// It carries bytes, and knows nothing of them: TLS runs inside, so who may do what is decided by the two daemons.
// The peer socket gives no owner's rights.

import CLinux
import Foundation
import TimelineClient

extension Command {
  static let relay = Command(
    name: "relay", arguments: "",
    summary: "let another machine's daemon reach this one's, for example over ssh",
    examples: ["relay", "relay --peer-socket /run/user/1000/timeline.sock.peer"],
    flags: [
      Flag(
        name: "--peer-socket", value: "PATH",
        help: "the daemon's socket for other machines (the --socket with .peer behind it)")
    ],
    notes: """
      You do not run it yourself: on the other machine, `peer join CODE --via 'ssh THIS-HOST timelinectl relay'` \
      does. It joins its standard input and output with the daemon. What passes is TLS between the two daemons, so \
      it gives nobody the rights of this machine's owner.
      """, plain: 0...0
  ) { (context) throws(Failure) in
    let path = context.words["--peer-socket"] ?? context.socket + ".peer"
    let connection: Connection
    do throws(ClientError) { connection = try Connection(path: path) } catch {
      // The daemon to be started there has another socket than this one.
      guard case .noDaemon = error else { throw Failure(error) }
      throw Failure(.noDaemon, "no timelined answers other machines at \(path)")
    }
    return try Relay(daemon: connection.descriptor).run()
  }
}

/// Carries bytes both ways, each on a thread of its own, so that one way never waits for the other.
private struct Relay: Sendable {
  let daemon: Int32

  private static let bufferBytes = 64 << 10

  /// Comes back when the daemon says no more: what is still to be said to it leads nowhere then.
  func run() throws(Failure) -> ExitCode {
    // Where the other side is gone, that is the end of the relay, and no signal's.
    signal(SIGPIPE, SIG_IGN)
    Thread.detachNewThread { [self] in
      // An end of input is an end for the daemon, which may still have something to say.
      _ = copy(STDIN_FILENO, daemon)
      shutdown(daemon, Int32(SHUT_WR))
    }
    let failure = copy(daemon, STDOUT_FILENO)
    guard let failure, failure != EPIPE, failure != ECONNRESET else { return .done }
    throw Failure(.failed, "the connection to the other machine broke: \(text(failure))")
  }

  private func text(_ error: Int32) -> String { String(cString: strerror(error)) }

  /// Copies until there is no more; the error that ended it, where one did.
  private func copy(_ from: Int32, _ to: Int32) -> Int32? {
    withUnsafeTemporaryAllocation(byteCount: Self.bufferBytes, alignment: 16) { buffer in
      while true {
        let count = read(from, buffer.baseAddress, buffer.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return count < 0 ? errno : nil }
        let error = clinux_write_all(to, buffer.baseAddress, count)
        if error != 0 { return error }
      }
    }
  }
}
