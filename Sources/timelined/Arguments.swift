// The command line of timelined.

import Glibc
import TimelineServer

struct UsageError: Error {
  var text: String
}

struct Arguments {
  static let version = "0.1.0"
  static let help = """
    timelined keeps logs of events and serves them to timelinectl and to other machines.

    Example:
      timelined                                  data and socket in the usual places
      timelined --data ./d --socket ./d.sock     both somewhere else

    Options:
      --data DIR       where the logs are kept    ($XDG_DATA_HOME/timeline)
      --socket PATH    the Unix socket to serve   ($XDG_RUNTIME_DIR/timeline.sock)
      --peer-socket PATH  the Unix socket for timelinectl relay  (the --socket with .peer behind it)
      --listen ADDRESS also serve other machines at tls://[::]:PORT, all addresses of this one, or at
                       tls://ADDRESS:PORT; tcp://127.0.0.1:PORT for tests; may be given more than once
      --help           this text
      --version        the version

    Stops on SIGTERM, SIGINT and SIGHUP with everything acknowledged on disk.
    Exit codes: 0 stopped as asked, 1 could not start or go on, 2 wrong usage.
    """

  var data: String
  var socket: String
  var peerSocket: String?
  var listen: [PeerAddress] = []

  var peerSocketPath: String { peerSocket ?? socket + ".peer" }

  enum Outcome {
    case run(Arguments)
    case print(String)
  }

  static func parse(_ words: [String], environment: [String: String]) throws(UsageError) -> Outcome
  {
    let home = environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? Self.homeOfUser
    func base(_ variable: String, _ otherwise: String) -> String {
      environment[variable].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? otherwise
    }
    var result = Arguments(
      data: base("XDG_DATA_HOME", home + "/.local/share") + "/timeline",
      socket: base("XDG_RUNTIME_DIR", "/tmp/timeline-\(getuid())") + "/timeline.sock")
    var rest = words[...]
    while let word = rest.popFirst() {
      var value: String {
        get throws(UsageError) {
          guard let value = rest.popFirst() else { throw UsageError(text: "\(word) needs a value") }
          return value
        }
      }
      switch word {
      case "--data": result.data = try value
      case "--socket": result.socket = try value
      case "--peer-socket": result.peerSocket = try value
      case "--listen": result.listen.append(try address(try value))
      case "--help", "-h": return .print(help)
      case "--version": return .print("timelined \(version)")
      default: throw UsageError(text: "unknown option \(word); timelined --help lists all")
      }
    }
    return .run(result)
  }

  /// From the list of users, where the environment does not say it.
  private static var homeOfUser: String {
    getpwuid(getuid()).flatMap { $0.pointee.pw_dir.map { String(cString: $0) } } ?? "/tmp"
  }

  private static func address(_ text: String) throws(UsageError) -> PeerAddress {
    do throws(PeerAddress.Invalid) { return try PeerAddress(text) } catch {
      throw UsageError(text: error.text)
    }
  }
}
