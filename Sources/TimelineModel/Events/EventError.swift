// Why a body is refused: the field, the value and what would be right.

/// Why a body is refused.
public struct EventError: Error, Sendable, Hashable {
  /// Where it stands: `sources[2].url`.
  public var field: String
  public var message: String
  /// What stands there, where it is of few words.
  public var value: String?
  public var hint: ErrorHint?

  public init(
    _ field: String, _ message: String, value: String? = nil, hint: ErrorHint? = nil
  ) {
    self.field = field
    self.message = message
    self.value = value
    self.hint = hint
  }

  public var text: String { "\(field): \(message)" }
}

/// The name of a field for a message, put together only where there is one: `sources[2].url`.
struct Field: ExpressibleByStringLiteral {
  private enum Name {
    case text(StaticString)
    case member(BodyMember)
  }

  private let name: Name
  private let index: Int?
  private let part: StaticString?

  private init(_ name: Name, _ index: Int?, _ part: StaticString?) {
    self.name = name
    self.index = index
    self.part = part
  }

  init(_ name: StaticString) { self.init(.text(name), nil, nil) }

  init(_ member: BodyMember, _ index: Int? = nil) { self.init(.member(member), index, nil) }

  init(stringLiteral name: StaticString) { self.init(name) }

  subscript(part: StaticString) -> Field { Field(name, index, part) }

  var text: String {
    let text =
      switch name {
      case .text(let text): text
      case .member(let member): member.text
      }
    return "\(text)" + (index.map { "[\($0)]" } ?? "") + (part.map { ".\($0)" } ?? "")
  }
}

extension EventError {
  init(_ field: Field, _ message: String, value: String? = nil, hint: ErrorHint? = nil) {
    self.init(field.text, message, value: value, hint: hint)
  }

  init(_ member: BodyMember, _ message: String, value: String? = nil, hint: ErrorHint? = nil) {
    self.init(Field(member), message, value: value, hint: hint)
  }
}
