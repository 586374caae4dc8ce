// The circles among events that link to each other: the strongly connected components of more than one
// of them, by Tarjan's algorithm (SIAM J. Comput. 1 (1972)), with a stack of its own, so that a circle may
// be as long as it likes.

public enum LinkCircles {
  /// - Parameter targets: for each event, by its index, the indices of those that it links to.
  /// - Returns: the indices of each circle, rising; the circles by their first one.
  public static func all(_ targets: [[Int]]) -> [[Int]] {
    var search = Search(targets)
    for index in targets.indices where search.number[index] == 0 { search.visit(index) }
    return search.circles.sorted { $0[0] < $1[0] }
  }

  private struct Search {
    let targets: [[Int]]
    /// When an index was reached, from 1; 0 before.
    var number: [Int]
    /// The earliest number that leads from it and is still open.
    private var low: [Int]
    private var isOpen: [Bool]
    private var open: [Int] = []
    private var count = 0
    var circles: [[Int]] = []

    init(_ targets: [[Int]]) {
      self.targets = targets
      number = Array(repeating: 0, count: targets.count)
      low = number
      isOpen = Array(repeating: false, count: targets.count)
    }

    private mutating func reach(_ index: Int) {
      count += 1
      (number[index], low[index], isOpen[index]) = (count, count, true)
      open.append(index)
    }

    mutating func visit(_ start: Int) {
      reach(start)
      /// The way here, with the next link to be followed of each.
      var path = [(index: start, next: 0)]
      while let (index, next) = path.last {
        guard next < targets[index].count else {
          path.removeLast()
          if let before = path.last?.index { low[before] = min(low[before], low[index]) }
          if low[index] == number[index] { close(index) }
          continue
        }
        path[path.count - 1].next += 1
        let target = targets[index][next]
        if number[target] == 0 {
          reach(target)
          path.append((target, 0))
        } else if isOpen[target] {
          low[index] = min(low[index], number[target])
        }
      }
    }

    /// All that came after an index and is still open leads back to it.
    private mutating func close(_ index: Int) {
      let start = open.lastIndex(of: index)!
      let circle = open[start...]
      for member in circle { isOpen[member] = false }
      if circle.count > 1 { circles.append(circle.sorted()) }
      open.removeSubrange(start...)
    }
  }
}
