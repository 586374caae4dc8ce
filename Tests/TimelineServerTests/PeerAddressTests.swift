import Testing

@testable import TimelineServer

@Suite("Where machines are reached")
struct PeerAddressTests {
  @Test(
    "Addresses are read and written",
    arguments: [
      ("tcp://127.0.0.1:7411", "tcp://127.0.0.1:7411"), ("tcp://localhost:1", "tcp://127.0.0.1:1"),
      ("tls://lab.example.org:7411", "tls://lab.example.org:7411"),
      ("tls://LAB:65535", "tls://lab:65535"), ("tls://192.0.2.1:9", "tls://192.0.2.1:9"),
      ("tls://[2001:DB8::7]:9", "tls://[2001:db8::7]:9"), ("tls://[::]:9", "tls://[::]:9"),
      ("tls://[fe80::1%eth0]:9", "tls://[fe80::1%eth0]:9"),
      ("tls://[::ffff:192.0.2.1]:9", "tls://[::ffff:192.0.2.1]:9"),
    ])
  func read(text: String, canonical: String) throws {
    let address = try PeerAddress(text)
    #expect(address.description == canonical)
    #expect(try PeerAddress(canonical) == address)
    #expect(try PeerAddress(owner: canonical) == address)
  }

  @Test(
    "What is no address",
    arguments: [
      "", "lab:7411", "tcp://10.0.0.1:7411", "tcp://127.0.0.1", "tls://lab", "tls://lab:0",
      "tls://lab:65536", "tls://lab:+1", "tls://:7411", "tls://2001:db8::7:9", "tls://[lab]:9",
      "tls://[2001:db8::7:9", "tls://[]:9", "tls://la b:9", "tls://lab/x:9", "tls://-lab:9",
      "tls://user@lab:9", "tls://[::1%]a]:9", "http://lab:9", "via:ssh lab", "TLS://lab:9",
      "tls://" + String(repeating: "a", count: 300) + ":9",
    ])
  func invalid(text: String) {
    #expect(throws: PeerAddress.Invalid.self) { try PeerAddress(text) }
  }

  @Test("A command is read of the owner alone, and kept as he wrote it")
  func command() throws {
    let text = #"via:ssh -p 2222 lab 'timelinectl relay'"#
    let address = try PeerAddress(owner: text)
    #expect(address.description == text)
    guard case .via(let command) = address else {
      Issue.record("\(address)")
      return
    }
    #expect(command.arguments == ["ssh", "-p", "2222", "lab", "timelinectl relay"])
    #expect(command.program == "ssh")
  }

  @Test(
    "A command is cut into words as a shell cuts them, and nothing is expanded",
    arguments: [
      ("a b  c\td", ["a", "b", "c", "d"]), ("  a  ", ["a"]),
      (#"a 'b c' "d e""#, ["a", "b c", "d e"]),
      (#"a'b'"c"d"#, ["abcd"]), ("a '' \"\"", ["a", "", ""]),
      (#"a\ b \\ \' \""#, ["a b", #"\"#, "'", "\""]),
      (#"x 'a\b' "a\b""#, ["x", #"a\b"#, #"a\b"#]), (#"x "a\"b\\c\$d\`e""#, ["x", #"a"b\c$d`e"#]),
      (#"x '"' "'""#, ["x", "\"", "'"]),
      (
        "x $HOME `id` $(id) * ? ~ ; rm | tee > f < g & # no",
        [
          "x", "$HOME", "`id`", "$(id)", "*", "?", "~", ";", "rm", "|", "tee", ">", "f", "<", "g",
          "&", "#", "no",
        ]
      ),
      ("x \"$HOME\" '$HOME'", ["x", "$HOME", "$HOME"]),
      ("ssh Ünïcode 'ß ß'", ["ssh", "Ünïcode", "ß ß"]),
      ("x a=b {1,2}", ["x", "a=b", "{1,2}"]), ("/usr/bin/x", ["/usr/bin/x"]),
    ])
  func words(text: String, words: [String]) throws {
    #expect(try PeerCommand(text).arguments == words)
  }

  @Test(
    "What is no command",
    arguments: [
      "", "  ", "''", "a 'b", "a \"b", "a b\\", "a \"b\\", "a\nb", "a\u{0}b", "a\u{7F}",
      String(repeating: "a", count: 4097),
    ])
  func noCommand(text: String) {
    #expect(throws: PeerAddress.Invalid.self) { try PeerCommand(text) }
  }

  @Test("An IPv6 address counts by its /64, one of IPv4 by itself however it is written")
  func source() {
    let four: [UInt8] = [192, 0, 2, 1]
    let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF] + four
    #expect(PeerSource(address: four) == .network(four))
    #expect(PeerSource(address: mapped) == .network(four))
    let six: [UInt8] = [0x20, 1, 0xD, 0xB8, 0, 0, 0, 1] + [UInt8](repeating: 7, count: 8)
    #expect(PeerSource(address: six) == .network(Array(six[..<8])))
  }

  @Test("Places are taken and left, in all and of one address")
  func places() {
    var places = Places(total: 3, each: 2)
    let (one, other): (PeerSource, PeerSource) = (.network([1]), .network([2]))
    #expect(places.take(one) && places.take(one) && !places.take(one))
    #expect(places.take(other) && !places.take(other) && places.isFull)
    places.leave(other)
    places.leave(other)
    #expect(places.taken == 2 && places.take(.local) && !places.take(.local))
    places.leave(one)
    #expect(places.take(.local) && places.taken == 3)
  }
}
