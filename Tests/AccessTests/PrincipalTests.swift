import Access
import Testing
import TimelineModel

@Suite("Who may do what")
struct PrincipalTests {
  @Test("The table of principals and rights", arguments: Right.allCases)
  func rights(_ right: Right) {
    let device = History.id("b")
    #expect(Principal.owner(name: "ann").may(right))
    for role in Role.allCases {
      #expect(Principal.device(device, role).may(right) == [.read, .sync, .join].contains(right))
    }
    #expect(Principal.stranger(device).may(right) == (right == .join))
    #expect(Principal.nobody.may(right) == (right == .sync))
  }
}
