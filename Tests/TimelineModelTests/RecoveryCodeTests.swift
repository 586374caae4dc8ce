import Testing
import TimelineModel
import TransparencyLog

@Suite("Recovery codes")
struct RecoveryCodeTests {
  private let key = SigningKey(seed: (0..<32).map { UInt8($0) })!
  /// Of that seed, made by another implementation of base32 and CRC-32C.
  private let code =
    "TIMELINE-RECOVERY-1-AAAQEA-YEAUDA-OCAJBI-FQYDIO-B4IBCE-QTCQKR-MFYYDE-NBWHA5-DYPUNX-LZJY"

  @Test("The seed and its check are what is written down")
  func vector() {
    #expect(RecoveryCode.text(of: key) == code)
    #expect(RecoveryCode.key(code)?.seed == key.seed)
  }

  @Test("A code is read as people type it: in small letters, grouped or not, over several lines")
  func typed() {
    let letters = code.replacing("-", with: "").dropFirst("TIMELINERECOVERY1".count)
    for text in [
      code.lowercased(), "TIMELINE-RECOVERY-1-\(letters)",
      code.replacing("-YEAUDA", with: "-\n  YEAUDA"), " \(code)\n",
    ] { #expect(RecoveryCode.key(text)?.seed == key.seed, "\(text)") }
  }

  @Test("A code with a letter changed, left out or too many, or of another version, is none")
  func mistyped() {
    let letters = Array(code)
    for index in letters.indices where letters[index] != "-" {
      for other: Character in ["A", "B", "7"] where other != letters[index] {
        var changed = letters
        changed[index] = other
        #expect(RecoveryCode.key(String(changed)) == nil, "\(String(changed))")
      }
      var shorter = letters
      shorter.remove(at: index)
      #expect(RecoveryCode.key(String(shorter)) == nil, "\(String(shorter))")
    }
    for text in ["", "TIMELINE-RECOVERY-1-", code + "A", code.replacing("-1-", with: "-2-")] {
      #expect(RecoveryCode.key(text) == nil, "\(text)")
    }
  }
}
