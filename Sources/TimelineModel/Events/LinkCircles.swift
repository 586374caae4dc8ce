// The circles among events that link to each other: the strongly connected components of more than one
// of them, by Tarjan's algorithm (SIAM J. Comput. 1 (1972)), with a stack of its own, so that a circle may
// be as long as it likes.

public enum LinkCircles {
  /// - Parameter targets: for each event, by its place, the places of those that it links to.
  /// - Returns: the places of each circle, rising; the circles by their first one.
  public static func all(_ targets: [[Int]]) -> [[Int]] {
    var search = Search(targets)
    for place in targets.indices where search.number[place] == 0 { search.visit(place) }
    return search.circles.sorted { $0[0] < $1[0] }
  }

  private struct Search {
    let targets: [[Int]]
    /// When a place was come to, from 1; 0 before.
    var number: [Int]
    /// The earliest number that leads from it and is not settled yet.
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

    private mutating func come(to place: Int) {
      count += 1
      (number[place], low[place], isOpen[place]) = (count, count, true)
      open.append(place)
    }

    mutating func visit(_ start: Int) {
      come(to: start)
      /// The way here, with the next link to be followed of each.
      var path = [(place: start, next: 0)]
      while let (place, next) = path.last {
        guard next < targets[place].count else {
          path.removeLast()
          if let before = path.last?.place { low[before] = min(low[before], low[place]) }
          if low[place] == number[place] { settle(place) }
          continue
        }
        path[path.count - 1].next += 1
        let target = targets[place][next]
        if number[target] == 0 {
          come(to: target)
          path.append((target, 0))
        } else if isOpen[target] {
          low[place] = min(low[place], number[target])
        }
      }
    }

    /// All that came after a place and is still open leads back to it.
    private mutating func settle(_ place: Int) {
      let start = open.lastIndex(of: place)!
      let circle = open[start...]
      for member in circle { isOpen[member] = false }
      if circle.count > 1 { circles.append(circle.sorted()) }
      open.removeSubrange(start...)
    }
  }
}
