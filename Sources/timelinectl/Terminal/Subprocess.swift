// A program that takes the terminal for a while: the pager, the editor. It stays in our own process
// group, which is the one that the terminal belongs to. In a group of its own, where Foundation's
// Process puts what it starts, its first read of a key would stop it for ever (SIGTTIN).
//
// While it runs, Ctrl-C and Ctrl-\ are for it alone, as the shell does it; Ctrl-Z stops us both.

import Glibc

struct Subprocess {
  /// A program and its options, or any line for `/bin/sh -c`.
  var command: String
  /// Handed to it behind its options.
  var arguments: [String] = []
  var environment: [String: String]
  /// Where it writes what it says: at our standard error, so that our own output stays clean.
  var isQuiet = false

  /// What the shell answers where there is no such program.
  static let notFound: Int32 = 127

  /// Runs it to its end, with these bytes as its standard input, or else our own. Its exit status, or
  /// 128 and the signal that ended it; nil where it could not be started.
  func run(input: [UInt8]? = nil) -> Int32? {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if isQuiet { posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO) }
    var ends: [Int32] = [-1, -1]
    if input != nil {
      guard pipe(&ends) == 0 else { return nil }
      // Our end would keep its input open for ever.
      _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
      posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO)
      posix_spawn_file_actions_addclose(&actions, ends[0])
    }
    // Before the start, so that no Ctrl-C can fall between; a reader who leaves early is no failure.
    let kept = [SIGINT, SIGQUIT, SIGPIPE].map { ($0, signal($0, SIG_IGN)) }
    defer { for (number, handler) in kept { signal(number, handler) } }
    let child = spawn(&actions)
    if input != nil { close(ends[0]) }
    if let input {
      if child != nil { Self.write(input, to: ends[1]) }
      close(ends[1])
    }
    return child.flatMap(Self.status)
  }

  /// A plain command takes the shell's place: a shell that waited for it would itself end at the
  /// Ctrl-C that was meant for it. What the shell does itself has no program to take it.
  private var line: String {
    let isPlain = !command.contains { "|&;<>()$`\\\"'*?[#~=%{}!\n".contains($0) }
    let first = command.split { $0 == " " || $0 == "\t" }.first.map(String.init) ?? ""
    return isPlain && !first.isEmpty && !Self.builtIns.contains(first) ? "exec " + command : command
  }

  /// Words of sh(1) that are no programs.
  private static let builtIns: Set = [
    ".", ":", "alias", "bg", "break", "case", "cd", "command", "continue", "do", "done", "elif",
    "else", "esac", "eval", "exec", "exit", "export", "fc", "fg", "fi", "for", "getopts", "hash",
    "if", "jobs", "local", "read", "readonly", "return", "set", "shift", "source", "then", "times",
    "trap", "type", "ulimit", "umask", "unalias", "unset", "until", "wait", "while",
  ]

  private func spawn(_ actions: inout posix_spawn_file_actions_t) -> pid_t? {
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // What we ignore, it must not inherit ignored.
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGINT, SIGQUIT, SIGPIPE] { sigaddset(&signals, number) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
    let words =
      (["sh", "-c", arguments.isEmpty ? line : line + " \"$@\"", "sh"] + arguments).map {
        strdup($0)
      } + [nil]
    let variables =
      environment.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in words + variables { free(text) } }
    var child = pid_t()
    guard posix_spawn(&child, "/bin/sh", &actions, &attributes, words, variables) == 0 else {
      return nil
    }
    return child
  }

  private static func write(_ bytes: [UInt8], to descriptor: Int32) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress! + done, bytes.count - done)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return }
      done += count
    }
  }

  private static func status(of child: pid_t) -> Int32? {
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 {
      guard errno == EINTR else { return nil }
    }
    let signal = status & 0x7F
    return signal == 0 ? status >> 8 & 0xFF : 128 + signal
  }
}
