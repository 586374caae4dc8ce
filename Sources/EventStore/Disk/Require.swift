// What must hold, looked at in release builds too: there a `precondition` ends the process without a word.

/// Ends the process where a rule does not hold, and says the rule, the values and the place.
func require(
  _ rule: StaticString, _ holds: Bool,
  _ values: @autoclosure () -> KeyValuePairs<String, Any> = [:],
  file: StaticString = #fileID, line: UInt = #line
) {
  guard !holds else { return }
  let values = values().map { "\($0.key) \($0.value)" }.joined(separator: ", ")
  fatalError("broken: \(rule) (\(values))", file: file, line: line)
}
