// The daemon speaks to programs: it says what is wrong, of which field, and in a word what would help. Here
// that becomes what a person at a terminal can type next. Most of what a person can get wrong is checked
// before it is asked; this is for the rest.

import TimelineModel
import TimelineWire

enum MessageTranslation {
  /// How an event was given.
  enum Form {
    case json, flags, columns
  }

  static func text(_ reply: ErrorReply, _ form: Form = .json) -> String {
    switch reply.hint {
    case nil, .similarActor?: reply.text
    case .missing?: missing(reply, form) ?? reply.text
    case .unknownActor?:
      reply.text + "; timelinectl actor list shows all"
        + (reply.code == .badEvent ? ", timelinectl actor add adds one" : "")
    case .unknownSnapshot?: reply.text + "; timelinectl snapshot list shows all"
    case .unknownTimeline?: reply.text + "; timelinectl timeline list shows all"
    case .unknownPeer?: reply.text + "; timelinectl peer list shows them"
    case .eventID?: "give the event's name, its id, or at least the first 4 characters of it"
    case .moment?: Moment.forms
    case .repair?: reply.text + "; timelinectl repair fetches it from a peer"
    case .nameSnapshot?: reply.text + "; timelinectl snapshot create NAME"
    }
  }

  /// What is missing in an event, in the words of its form; nil where the daemon's will do.
  private static func missing(_ reply: ErrorReply, _ form: Form) -> String? {
    switch (reply.field, form) {
    case ("sources", .flags):
      "there is no source; give one with --source-title, --source-publisher or --source-url, or say"
        + " --unsourced"
    case ("sources", .columns):
      "there is no source; fill source_title, source_publisher or source_url, or write true under"
        + " unsourced"
    case ("actors", .flags): "actors: missing; --actors USA,KOR"
    case ("actors", .columns): "actors: missing; a code such as PRK, several with semicolons"
    case ("type", .flags):
      "type: missing; --type takes one of "
        + EventType.ofEvents.map(\.word).joined(separator: ", ")
    case ("date", .flags):
      "date: missing; --date takes a day, month or year such as 2017-11-29"
    case ("title", .flags): "title: missing; --title takes one line that says what happened"
    default: nil
    }
  }
}
