import Testing

@testable import TimelineModel

@Test("Of random bits all but six stay, which say that the id is random (RFC 9562)")
func randomIDs() {
  #expect(UUIDBytes(random: 0, 0).text == "00000000-0000-4000-8000-000000000000")
  #expect(UUIDBytes(random: .max, .max).text == "ffffffff-ffff-4fff-bfff-ffffffffffff")
  #expect(
    UUIDBytes(random: 0x0123_4567_89ab_cdef, 0x0123_4567_89ab_cdef).text
      == "01234567-89ab-4def-8123-456789abcdef")
  #expect(Set((0..<1000).map { _ in UUIDBytes.random() }).count == 1000)
}

@Test("An imported name's id is what RFC 9562 makes of it")
func namedIDs() {
  // Appendix A.4 of the RFC: www.example.com in the namespace of DNS.
  let dns = UUIDBytes("6ba7b810-9dad-11d1-80b4-00c04fd430c8")!
  #expect(
    UUIDBytes.named("www.example.com", in: dns).text == "2ed6657d-e927-568b-95e1-2665a8aea6a2")
}
