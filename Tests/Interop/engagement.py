"""The engagement rules a second time, from docs/reference/engagement.md alone: plain and slow, every rule under its
number. Works on events as they stand in a file: dicts with `id`, `contested` where they are."""

import bisect
import calendar
import csv
import datetime
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
EARLIEST, LATEST = -(10 ** 9), 10 ** 9
H = float.fromhex("0x1.fc126898365e4p-1")
CENTURY = 36_525
TO_PROMISES = ("fulfils", "verifies", "suspends", "violates", "withdraws")


# Days: docs/guide/dates.md. Whole numbers, 0 is 1970-01-01.

def number(year, month, day):
    return datetime.date(year, month, day).toordinal() - 719_163


def day_text(day):
    if not EARLIEST < day < LATEST:
        return ".."
    return datetime.date.fromordinal(day + 719_163).isoformat()


def months(first_year, first_month, last_year, last_month):
    return (number(first_year, first_month, 1),
            number(last_year, last_month, calendar.monthrange(last_year, last_month)[1]))


def span(text):
    """First and last day of a date."""
    if "/" in text:
        left, right = text.split("/")
        first = EARLIEST if left == ".." else span(left)[0] if left else None
        last = LATEST if right == ".." else span(right)[1] if right else None
        return (span(right)[0] if first is None else first, span(left)[1] if last is None else last)
    text = text.rstrip("~?%")
    if re.fullmatch(r"\d\d\d\d-\d\d-\d\d(T.*)?", text):
        day = number(int(text[:4]), int(text[5:7]), int(text[8:10]))
        return day, day
    if match := re.fullmatch(r"(\d\d\d\d)-(\d\d)(-XX)?", text):
        year, month = int(match[1]), int(match[2])
        if month == 24:
            return months(year, 12, year + 1, 2)
        if month > 20:
            return months(year, 3 * (month - 20), year, 3 * (month - 20) + 2)
        return months(year, month, year, month)
    if match := re.fullmatch(r"(\d+)(X*)(-XX(-XX)?)?", text):
        return months(int(match[1] + "0" * len(match[2])), 1, int(match[1] + "9" * len(match[2])), 12)
    raise ValueError("not a date here: " + text)


# Tables: E-0.6.

def table(name):
    with open(ROOT / "data" / name, newline="") as file:
        return list(csv.DictReader(file))


class Tables:
    """Those that ship; in the place of some those of a team, `{"weights": (version, rows, event)}`, event None
    where none is stated."""

    def __init__(self, **own):
        self.versions = {"version": "4"}
        rows, events = {}, {}
        for name in ("weights", "windows", "interests"):
            shipped = table(name + ".csv")
            self.versions[name], rows[name], event = own.get(name) or (shipped[0]["version"], shipped, None)
            if event:
                events[name] = event
        if events:
            self.versions["events"] = events
        self.weights = {(row["type"], row.get("subtype", "")): round(float(row["weight"]) * 1000)
                        for row in rows["weights"]}
        self.windows = {row["name"]: int(row["value"]) for row in rows["windows"]}
        self.interests = rows["interests"]
        self.against = {row["code"]: row["exercises_against"].split(";") for row in table("actors.csv")
                        if row["exercises_against"]}


def three(value):
    """E-0.7, as text with three decimals."""
    thousandths = abs(value) * 1000
    whole = int(thousandths)
    if thousandths - whole >= 0.5:
        whole += 1
    return ("-" if value < 0 and whole else "") + "%d.%03d" % (whole // 1000, whole % 1000)


class Seen:
    """An event with what is asked of it often."""

    def __init__(self, event, tables, parties, testimony=False):
        self.event, self.id = event, event["id"]
        self.type, self.subtype = event["type"], event.get("subtype")
        self.first, self.last = span(event["date"])
        self.actors, self.targets = event["actors"], event.get("targets", [])
        self.offer, self.links = event.get("offer"), event.get("links", [])
        self.all_promises = event.get("commitments", [])
        # E-6.1
        self.promises = [promise for promise in self.all_promises if any(
            party in promise["by"] and (not promise.get("to") or other in promise["to"])
            for party, other in (parties, parties[::-1]))] if self.type == "agreement" else []
        if testimony and (self.type != "step" or testimony == "no move"):
            self.type = self.subtype = None
        self.testimony = testimony
        self.by = [party in self.actors for party in parties]
        # E-2
        if testimony:
            self.weight = 0
        elif "weight" in event:
            self.weight = round(event["weight"] * 1000)
        else:
            self.weight = tables.weights.get(
                (self.type, self.subtype or ""), tables.weights.get((self.type, ""), 0))

    def isa(self, type, *subtypes):
        return self.type == type and (not subtypes or self.subtype in subtypes)

    @property
    def is_talks(self):
        return self.type == "talks" and self.subtype != "breakdown"

    @property
    def is_official_talks(self):
        return self.is_talks and self.subtype not in ("track-1.5", "track-2")

    @property
    def is_contact(self):
        return not self.testimony and (self.is_talks or self.type in ("message", "exchange", "release", "agreement"))

    @property
    def is_break(self):
        return self.isa("talks", "breakdown") or self.isa("step", "suspension", "violation", "withdrawal")

    @property
    def is_step(self):
        return self.isa("step", "fulfilment", "verification")

    @property
    def is_test(self):
        return self.type == "test" and self.subtype != "moratorium"

    @property
    def is_exercise(self):
        return self.type == "exercise" and self.subtype not in ("cancelled", "postponed")


class Dyad:
    """The events between two parties: E-1."""

    def __init__(self, one, other, events, tables):
        self.parties = sorted([one, other])
        self.tables, self.windows = tables, tables.windows
        between = [Seen(event, tables, self.parties) for event in events if self.is_between(event)]
        agreements = {seen.id: seen for seen in between if seen.isa("agreement") and seen.promises}
        testimony = [Seen(event, tables, self.parties, how) for event in events
                     if not self.is_between(event) and (how := self.testifies(event, agreements))]
        self.all = sorted(between + testimony, key=lambda seen: (seen.first, seen.id))
        self.hear()
        self.phases = []

    def is_between(self, event):
        actors, targets = event["actors"], event.get("targets", [])
        for party, other in (self.parties, self.parties[::-1]):
            if party in actors:
                if other in actors or other in targets or event["type"] == "test":
                    return True
                if event["type"] == "exercise" and not targets:
                    if any(other in self.tables.against.get(actor, []) for actor in actors):
                        return True
        return False

    def testifies(self, event, agreements):
        """E-1.4: None, or whether a step would be one here."""
        taking_part = event["actors"] + event.get("targets", [])
        links = [link for link in event.get("links", []) if link["rel"] in TO_PROMISES and link["id"] in agreements
                 and agreements[link["id"]].first <= span(event["date"])[0]]
        if not links or not any(party in taking_part for party in self.parties):
            return None
        seen = Seen(event, self.tables, self.parties)
        for link in links:
            agreement = agreements[link["id"]]
            named = ("key" not in link and link["rel"] not in ("fulfils", "verifies")
                     or link.get("key") in [promise["key"] for promise in agreement.promises])
            if named and not self.fault(seen, link, agreement):
                return "move"
        return "no move"

    # E-1.7

    def is_theirs(self, seen, link, target):
        if link["rel"] not in ("fulfils", "suspends", "violates", "withdraws"):
            return True
        everyone = target.actors + target.targets
        concerned = [promise for promise in target.all_promises if link.get("key") in (None, promise["key"])]
        if not target.all_promises:
            who = [] if link["rel"] in ("suspends", "withdraws") else seen.actors
            who = who + target.actors + (target.targets if target.event["type"] == "agreement" else [])
        else:
            who = [] if "key" in link else list(everyone)
            for promise in concerned:
                who += promise["by"] + (promise.get("to") or everyone)
        if not set(who) & set(seen.actors):
            return False
        if any(seen.by) or not target.isa("agreement"):
            return True
        ours = [promise for promise in target.promises if link.get("key") in (None, promise["key"])]
        return not ours or any(set(promise["by"]) & set(seen.actors) for promise in ours)

    # E-1.6

    def hear(self):
        ids = {seen.id: seen for seen in self.all}
        self.said = {seen.id: [] for seen in self.all}
        self.out, self.speaks = [], set()
        for seen in self.all:
            for link in seen.links:
                target = ids.get(link["id"])
                if target is None:
                    continue
                reason = self.fault(seen, link, target)
                if reason:
                    self.out.append((max(seen.first, target.first), {
                        "id": seen.id, "rel": link["rel"], "to": link["id"], "reason": reason}))
                else:
                    self.said[link["id"]].append((seen, link))
                    self.speaks.add(seen.id)

    def fault(self, seen, link, target):
        if target.id == seen.id:
            return "itself"
        if target.first > seen.first:
            return "later"
        if target.first == seen.first and any(back["id"] == seen.id for back in target.links):
            return "circle"
        if "key" in link and target.all_promises and link["key"] not in [p["key"] for p in target.all_promises]:
            return "no such key"
        if link["rel"] in ("answers", "accepts", "declines", "counters"):
            asked = set(seen.actors) & set(target.targets)
            named = len(target.targets) > 0
            if not asked and set(seen.actors) <= set(target.actors) and (named or len(set(target.actors)) == 1):
                return "own words"
            is_message = target.event["type"] == "message" or target.offer
            return "not theirs" if is_message and named and not asked else None
        return None if self.is_theirs(seen, link, target) else "not theirs"

    def says(self, target, relations, day):
        return [(seen, link) for seen, link in self.said[target.id]
                if seen.first <= day and link["rel"] in relations]

    def upto(self, day):
        return [seen for seen in self.all if seen.first <= day]

    def over(self, length, day):
        return [seen for seen in self.all if day - length < seen.first <= day and seen.first != EARLIEST]

    # E-4

    def message(self, seen, day):
        if not (seen.type == "message" or seen.offer) or seen.by[0] == seen.by[1]:
            return None
        giver, taker = self.parties if seen.by[0] else self.parties[::-1]
        if taker not in seen.targets:
            return None
        answers = [(other, link) for other, link in
                   self.says(seen, ("answers", "accepts", "declines", "counters"), day) if taker in other.actors]
        withdrawals = [other for other, _ in self.says(seen, ("withdraws",), day) if giver in other.actors]
        successors = [other for other, _ in self.says(seen, ("follows",), day)
                      if giver in other.actors and other.offer]
        result = {"id": seen.id, "date": seen.event["date"], "title": seen.event["title"],
                  "from": giver, "to": taker}
        expires = seen.offer and seen.offer.get("expires")
        if answers:
            words = {"answers": "answered", "accepts": "accepted", "declines": "declined", "counters": "countered"}
            result["state"], result["by"] = words[answers[-1][1]["rel"]], answers[-1][0].id
            if seen.first != EARLIEST:
                result["answered_after"] = answers[0][0].first - seen.first
        elif withdrawals:
            result["state"], result["by"] = "withdrawn", withdrawals[0].id
        elif successors:
            result["state"], result["by"] = "superseded", successors[0].id
        elif expires and span(expires)[1] < day:
            result["state"] = "expired"
        else:
            result["state"] = "open"
        if seen.first != EARLIEST:
            result["age"] = day - seen.first
        return result

    def messages(self, day):
        found = [(seen, self.message(seen, day)) for seen in self.upto(day)]
        return [(seen, message) for seen, message in found if message]

    @staticmethod
    def interests_of(seen):
        tagged = [tag[len("interest:"):] for tag in seen.event.get("tags", []) if tag.startswith("interest:")]
        return list(dict.fromkeys(seen.offer.get("interests", []) + tagged))

    # E-6

    def said_of_any(self, agreement, day):
        keys = [promise["key"] for promise in agreement.promises]
        return [(seen, link) for seen, link in self.says(agreement, TO_PROMISES, day)
                if (link["key"] in keys if "key" in link else link["rel"] not in ("fulfils", "verifies"))]

    def said_of(self, agreement, promise, day):
        """E-6.2."""
        return [(seen, link) for seen, link in self.said_of_any(agreement, day)
                if link.get("key") in (None, promise["key"])
                and (any(seen.by) or link["rel"] == "verifies" or set(seen.actors) & set(promise["by"]))]

    def promise(self, agreement, promise, day):
        said = self.said_of(agreement, promise, day)
        result = {"agreement": agreement.id, "key": promise["key"], "by": promise["by"],
                  "to": promise.get("to", []), "what": promise["what"]}
        if "due" in promise:
            result["due"] = promise["due"]
        if promise.get("verifier"):
            result["verifier"] = promise["verifier"]
        if said:
            words = dict(zip(TO_PROMISES, ("fulfilled", "verified", "suspended", "violated", "withdrawn")))
            result["state"], result["event"] = words[said[-1][1]["rel"]], said[-1][0].id
        elif "due" in promise and span(promise["due"])[1] < day:
            result["state"] = "overdue"
        elif "due" in promise and span(promise["due"])[0] <= day:
            result["state"] = "due"
        else:
            result["state"] = "open"
        return result

    def ledgers(self, day):
        return [seen for seen in self.upto(day) if seen.isa("agreement") and seen.promises]

    def agreement(self, agreement, day):
        promises = [self.promise(agreement, promise, day) for promise in agreement.promises]
        moves = []
        last, stepped = None, set()
        for seen, link in self.said_of_any(agreement, day):
            says = {"rel": link["rel"]}
            if "key" in link:
                says["key"] = link["key"]
            if moves and moves[-1]["id"] == seen.id:
                moves[-1]["says"].append(says)
            else:
                moves.append({"id": seen.id, "date": seen.event["date"], "by": seen.actors, "says": [says]})
            if link["rel"] == "fulfils":
                # E-6.5: who was promised it and says so did not move.
                makers = next(promise["by"] for promise in agreement.promises if promise["key"] == link["key"])
                stepped = (stepped if last is seen else set()) | set(seen.actors if set(makers) & set(seen.actors) else makers)
                last = seen
            elif link["rel"] in ("suspends", "violates", "withdraws") and seen is not last:
                last = None
        moved_last = [party for party in self.parties if last and party in stepped]
        owed = []
        for party, other in (self.parties, self.parties[::-1]):
            if any(promise["state"] in ("open", "due", "overdue") and other in promise["by"]
                   and (not promise["to"] or party in promise["to"])
                   and (promise["state"] == "overdue" or moved_last == [party]) for promise in promises):
                owed.append(party)
        return {"id": agreement.id, "date": agreement.event["date"], "title": agreement.event["title"],
                "in_force": any(promise["state"] != "withdrawn" for promise in promises),
                "moves": moves, "moved_last": moved_last, "owed": owed}

    # E-7

    def climates(self, day):
        """(part A, part B, joint) of every day up to one, by its number."""
        dated = [seen for seen in self.upto(day) if seen.first != EARLIEST]
        result = {}
        if not dated:
            return result
        sums = {}
        for seen in dated:
            part = 2 if all(seen.by) else 0 if seen.by[0] else 1
            if any(seen.by):
                sums.setdefault(seen.first, [0, 0, 0])[part] += seen.weight
            else:
                sums.setdefault(seen.first, [0, 0, 0])
        climate = (0.0, 0.0, 0.0)
        before = None
        for current in range(dated[0].first, day + 1):
            if before is not None and current - before > CENTURY:
                climate = (0.0, 0.0, 0.0)
            today = sums.get(current, (0, 0, 0))
            climate = tuple(value * H + weight / 1000 for value, weight in zip(climate, today))
            if current in sums:
                before = current
            result[current] = climate
        return result

    # E-8

    def judge(self, day, window, long_contacts, outstanding):
        """The phase of a day by the events alone; `window` holds those that began in the last days, as many as
        any rule looks back."""
        windows = self.windows
        near = [seen for seen in window if day - seen.first <= windows["crisis_days"]
                and (seen.isa("incident", "attack") or seen.isa("test", "nuclear"))]
        if near:
            return "crisis", near
        negative = [seen for seen in window if seen.first > day - windows["crisis_days"] and seen.weight < 0]
        if -sum(seen.weight for seen in negative) >= windows["crisis_weight"] * 1000:
            return "crisis", negative
        breaks = [seen for seen in self.breaks if seen.first <= day]

        def broken(since):
            return any(since <= seen.first for seen in breaks)

        talks = [seen for seen in self.talks if seen.first <= day
                 and (seen.last >= day or day - seen.last <= windows["talks_days"])
                 and not broken(seen.first if seen.last >= day else seen.last)]
        if talks:
            return "negotiating", talks
        steps = [seen for seen in window if day - seen.first <= windows["step_days"]
                 and any(outstanding(agreement, day) for agreement in self.moves_on.get(seen.id, ()))]
        if steps and not broken(steps[-1].first):
            return "implementing", steps
        half = [seen for seen in window if seen.first > day - windows["confrontation_days"]]
        negative = [seen for seen in half if seen.weight < 0]
        least = windows["confrontation_weight"] * 1000
        taken = [-sum(seen.weight for seen in negative if seen.by[side]) for side in (0, 1)]
        if min(taken) >= least and -sum(seen.weight for seen in negative) >= 3 * sum(
                seen.weight for seen in half if seen.weight > 0):
            return "confrontation", negative
        contacts = [seen for seen in self.contacts if seen.first <= day
                    and (seen.last >= day or day - seen.last <= windows["contact_days"])]
        if contacts:
            return "probing", contacts
        offers = [seen for seen in window if seen.offer and day - seen.first <= windows["offer_days"]
                  and (self.message(seen, day) or {}).get("state") == "open"]
        if offers:
            return "probing", offers
        return "estranged", []

    def find_phases(self, day):
        """(phase, what it rests on) of every day from the first up to one."""
        dated = [seen for seen in self.all if seen.first != EARLIEST]
        if not dated:
            return
        self.breaks = [seen for seen in dated if seen.is_break]
        self.talks = [seen for seen in self.all if seen.is_official_talks]
        self.contacts = [seen for seen in self.all if seen.is_contact]
        # E-8.1: the agreements that a step moves on, and until when each has an outstanding promise.
        self.moves_on, ends = {}, {}
        for agreement in self.ledgers(LATEST):
            ends[agreement.id] = max(
                min((seen.first for seen, _ in self.said_of(agreement, promise, LATEST)), default=LATEST)
                for promise in agreement.promises)
            keys = [promise["key"] for promise in agreement.promises]
            for seen, link in self.said[agreement.id]:
                if seen.is_step and (link["rel"] == "part-of"
                                     or link["rel"] in ("fulfils", "verifies") and link.get("key") in keys):
                    self.moves_on.setdefault(seen.id, set()).add(agreement.id)

        def outstanding(agreement, day):
            return day < ends[agreement]

        firsts = [seen.first for seen in dated]
        reach = 1 + max(value for name, value in self.windows.items()
                        if name.endswith("_days") and name != "stalled_days")
        self.first_day = dated[0].first
        active = None
        for current in range(self.first_day + len(self.phases), day + 1):
            window = dated[bisect.bisect_right(firsts, current - reach):bisect.bisect_right(firsts, current)]
            phase, rests = self.judge(current, window, None, outstanding)
            if phase == "estranged":
                back = self.phases[-self.windows["stalled_days"]:]
                if any(name in ("negotiating", "implementing") for name, _ in back):
                    phase = "stalled"
            self.phases.append((phase, rests))

    def phase(self, day):
        if not self.phases or day < self.first_day:
            return {"name": "estranged", "since": day_text(day), "days": 0, "moved": [], "events": []}
        index = day - self.first_day
        name, rests = self.phases[index]
        start = index
        while start > 0 and self.phases[start - 1][0] == name:
            start -= 1
        since = self.first_day + start
        then = [seen.id for seen in self.phases[start][1]]
        result = {"name": name, "since": day_text(since), "days": day - since}
        if start:
            result["from"] = self.phases[start - 1][0]
        result["moved"] = [seen.id for seen in self.all if seen.first == since
                           and (seen.id in then or seen.is_break or seen.id in self.speaks)]
        result["events"] = [seen.id for seen in rests]
        return result

    # E-3

    def contact(self, day):
        contacts = [seen for seen in self.upto(day) if seen.is_contact]
        result = {"last": []}
        for side, party in enumerate(self.parties):
            own = [seen for seen in contacts if seen.by[side]]
            if own:
                last = max(own, key=lambda seen: (min(seen.last, day), seen.first, seen.id))
                result["last"].append({"from": party, **self.brief(last, day)})
        if not contacts:
            return result
        result["neglect"] = day - max(min(seen.last, day) for seen in contacts)
        longest = None
        covered = None
        for seen in contacts + [None]:
            start = day if seen is None else seen.first
            if covered is not None and start - covered > (longest["days"] if longest else 0):
                longest = {"days": start - covered, "from": day_text(covered), "to": day_text(start)}
            if seen:
                covered = min(seen.last, day) if covered is None else max(covered, min(seen.last, day))
        if longest:
            result["longest_silence"] = longest
        # E-3.6
        if result["neglect"] >= self.windows["answer_days"]:
            result["silent_since"] = day_text(day - result["neglect"])
        return result

    def brief(self, seen, day):
        result = {"id": seen.id, "date": seen.event["date"], "type": seen.type}
        if seen.subtype is not None:
            result["subtype"] = seen.subtype
        return {**result, "title": seen.event["title"], "days": max(0, day - min(seen.last, day))}

    # E-9, E-10

    def under_way(self, day):
        result = []
        for seen in self.upto(day):
            if (seen.is_exercise or seen.is_talks
                    or seen.type == "deployment" and seen.subtype != "withdrawal"):
                if seen.last >= day:
                    result.append(seen)
            elif seen.isa("sanction", "impose", "extend", "designate"):
                if not self.says(seen, ("withdraws", "suspends"), day) and (
                        "/" not in seen.event["date"] or seen.last >= day):
                    result.append(seen)
        return result

    def last_tests(self, day):
        last = {seen.subtype: seen for seen in self.upto(day) if seen.is_test}
        return sorted(last.values(), key=lambda seen: (seen.first, seen.id), reverse=True)

    # E-11

    def gave(self, length, day):
        window = self.over(length, day)
        return [sum(seen.weight for seen in window if seen.by[side] and seen.weight > 0) for side in (0, 1)]

    # E-13

    def criteria(self, day):
        window = self.over(self.windows["criteria_days"], day)
        messages = [(seen, message) for seen, message in self.messages(day) if seen in window]

        def criterion(verdict, supporting, opposing):
            def side(events):
                ids = [seen.id for seen in window if seen in events]
                return {"count": len(ids), "latest": ids[-5:]}
            return {"verdict": verdict, "for": side(supporting), "against": side(opposing)}

        easing = [seen for seen in window if (
            seen.isa("statement", "assurance") or seen.isa("sanction", "ease", "waive", "lift")
            or seen.isa("test", "moratorium") or seen.isa("exercise", "cancelled", "postponed")
            or seen.isa("deployment", "withdrawal") or seen.isa("release"))]
        straining = [seen for seen in window if seen not in easing and (
            seen.isa("statement", "threat") or seen.isa("sanction", "impose", "extend", "designate")
            or seen.type in ("exercise", "deployment", "test", "incident"))]
        p, n = len(easing), len(straining)
        if p == n == 0:
            verdict = "no evidence"
        elif p >= 2 * n and all(any(seen.by[side] for seen in easing) for side in (0, 1)):
            verdict = "met"
        else:
            verdict = "partly" if p > 0 and 2 * p >= n else "not met"
        result = {"conducive": criterion(verdict, easing, straining)}

        meetings = [seen for seen in window if seen.is_talks or seen.isa("agreement")]
        sharing = [seen for seen in window if seen.is_step or seen.isa("exchange")]
        if meetings and sharing:
            verdict = "met"
        elif meetings or sharing:
            verdict = "partly"
        else:
            verdict = "not met" if window else "no evidence"
        result["joint_action"] = criterion(verdict, meetings + sharing, [seen for seen in window if seen.is_break])

        offers = [(seen, message) for seen, message in messages if seen.offer]
        held = [seen for seen, message in offers if message["state"] == "open"]
        refused = [seen for seen, message in offers if message["state"] in ("declined", "withdrawn", "expired")]
        given = [seen for seen in window if seen.weight > 0 and not all(seen.by)]
        gave = [sum(seen.weight for seen in given if seen.by[side]) for side in (0, 1)]
        small, large = min(gave), max(gave)
        drowned = -sum(seen.weight for seen in window if seen.weight < 0) >= 3 * sum(gave)
        if 2 * small >= large > 0 and not drowned:
            verdict = "met"
        elif 5 * small >= large > 0 and not drowned or held:
            verdict = "partly"
        else:
            verdict = "no evidence" if large == 0 and not refused else "not met"
        result["rewards"] = criterion(verdict, given + held, refused)

        def is_scorn(other, link):
            """Of testimony too: it is no threat here, but a `declines` by one."""
            return (link["rel"] == "declines" and other.event["type"] == "statement"
                    and other.event.get("subtype") in ("threat", "accusation"))

        limit = self.windows["answer_days"]
        answered, unanswered = [], []
        for seen, message in messages:
            answers = [(other, link) for other, link in self.says(seen, ("answers", "accepts", "declines", "counters"), day)
                       if message["to"] in other.actors]
            scorn = [other for other, link in answers if is_scorn(other, link)]
            proper = [other.first for other, link in answers if not is_scorn(other, link)]
            if proper and proper[0] - seen.first <= limit:
                answered.append(seen)
            elif scorn or message["age"] > limit:
                unanswered.append(seen)
        threats = [seen for seen in window if seen.isa("statement", "threat")]
        a, u = len(answered), len(unanswered)
        enough = 3 * a >= 2 * (a + u) > 0
        if enough and not threats:
            verdict = "met"
        elif enough or a + u > 0 and not threats:
            verdict = "partly"
        else:
            verdict = "no evidence" if a + u == 0 and not threats else "not met"
        result["respect"] = criterion(verdict, answered, unanswered + threats)
        return result

    # Why

    def why(self, figure, day):
        """What is said of a figure in addition to what `state` says: shares by id, sums."""
        def gifts(events):
            return {party: sum(seen.weight for seen in events if seen.by[side]) / 1000
                    for side, party in enumerate(self.parties)}

        if figure in ("climate", "trend"):
            def share(seen, day):
                age = day - seen.first
                return seen.weight / 1000 * H ** age if 0 <= age <= CENTURY else 0.0
            past = [seen for seen in self.upto(day) if seen.weight and day - seen.first <= CENTURY]
            now, before = self.climate(day), self.climate(day - 90)
            shares = {seen.id: share(seen, day) - (share(seen, day - 90) if figure == "trend" else 0) for seen in past}
            if figure == "climate":
                before = (0.0, 0.0, 0.0), 0.0
            return {"shares": shares, "value": now[1] - before[1],
                    "parts": dict(zip(self.parties + ["joint"], (one - other for one, other in zip(now[0], before[0]))))}
        if figure == "neglect":
            contacts = [seen for seen in self.upto(day) if seen.is_contact]
            if not contacts:
                return {"ids": []}
            last = max(contacts, key=lambda seen: (min(seen.last, day), seen.first, seen.id))
            return {"ids": [last.id], "value": day - min(last.last, day)}
        if figure == "interests":
            keys = {(row["party"], row["key"]) for row in self.tables.interests}
            return {"ids": [seen.id for seen, message in self.messages(day) if seen.offer
                            and any((message["to"], key) in keys for key in self.interests_of(seen))]}
        if figure == "reciprocity":
            gave = [seen for seen in self.over(self.windows["reciprocity_days"], day) if seen.weight > 0]
            return {"shares": {seen.id: seen.weight / 1000 for seen in gave}, "parts": gifts(gave)}
        if figure == "rewards":
            window = self.over(self.windows["criteria_days"], day)
            gave = [seen for seen in window if seen.weight > 0 and not all(seen.by)]
            taken = sum(seen.weight for seen in window if seen.weight < 0)
            return {"shares": {seen.id: seen.weight / 1000 for seen in gave}, "parts": gifts(gave), "sums": [
                {"of": "all", "value": taken / 1000, "threshold": -3 * sum(seen.weight for seen in gave) / 1000}] if gave else []}
        assert figure == "phase"
        name = self.phase(day)["name"]
        window = self.over(self.windows["%s_days" % name], day) if name in ("crisis", "confrontation") else []
        negative = [seen for seen in window if seen.weight < 0]
        total = sum(seen.weight for seen in negative)
        if name == "crisis" and not any(
                day - self.windows["crisis_days"] <= seen.first <= day
                and (seen.isa("incident", "attack") or seen.isa("test", "nuclear")) for seen in self.all):
            return {"shares": {seen.id: seen.weight / 1000 for seen in negative}, "sums": [
                {"of": "all", "value": total / 1000, "threshold": -self.windows["crisis_weight"]}]}
        if name == "confrontation":
            positive = [seen for seen in window if seen.weight > 0]
            least = -self.windows["confrontation_weight"]
            return {"shares": {seen.id: seen.weight / 1000 for seen in negative + positive}, "sums": [
                {"of": party, "value": value, "threshold": least} for party, value in gifts(negative).items()] + [
                {"of": "all", "value": total / 1000, "threshold": -3 * sum(seen.weight for seen in positive) / 1000}]}
        return {"shares": {}}

    # All of it

    def prepare(self, last):
        """Climates and phases of all days up to the last that will be asked for."""
        self.climate_days = self.climates(last)
        self.find_phases(last)

    def climate(self, day):
        parts = self.climate_days.get(day, (0.0, 0.0, 0.0))
        return parts, (parts[0] + parts[1]) + parts[2]

    def state(self, day):
        past = self.upto(day)
        messages = self.messages(day)
        unanswered = [message for _, message in messages if message["state"] == "open"]
        offers = [(seen, {**message, "if": seen.offer.get("if", []), "then": seen.offer["then"],
                          "condition": seen.offer["condition"], "interests": self.interests_of(seen)})
                  for seen, message in messages if seen.offer]
        parts, total = self.climate(day)
        gave = self.gave(self.windows["reciprocity_days"], day)
        return {
            "parties": self.parties, "day": day_text(day), "rules": self.tables.versions,
            "events": len(past),
            "provisional": [seen.id for seen in past if seen.event.get("contested")],
            "left_out": [link for since, link in self.out if since <= day],
            "phase": self.phase(day),
            "contact": self.contact(day),
            "messages": [message for seen, message in messages if seen.type == "message"],
            "unanswered": unanswered,
            "offers": [offer for _, offer in offers],
            "interests": [
                {"party": party, "key": row["key"], "name": row["name"], "offers": [
                    {"id": offer["id"], "date": offer["date"], "from": offer["from"], "state": offer["state"]}
                    for _, offer in offers if offer["to"] == party and row["key"] in offer["interests"]]}
                for party in self.parties for row in self.tables.interests if row["party"] == party],
            "commitments": [self.promise(agreement, promise, day)
                            for agreement in self.ledgers(day) for promise in agreement.promises],
            "agreements": [self.agreement(agreement, day) for agreement in self.ledgers(day)],
            "under_way": [self.brief(seen, day) for seen in self.under_way(day)],
            "tests": {"last": [self.brief(seen, day) for seen in self.last_tests(day)]},
            "climate": {"total": three(total), "trend": three(total - self.climate(day - 90)[1]),
                        self.parties[0]: three(parts[0]), self.parties[1]: three(parts[1]),
                        "joint": three(parts[2])},
            "reciprocity": {"ratio": three(min(gave) / max(gave)) if max(gave) else "none",
                            self.parties[0]: three(gave[0] / 1000), self.parties[1]: three(gave[1] / 1000)},
            "criteria": self.criteria(day),
            "approach": {party: self.approach(party, offers) for party in self.parties},
        }

    @staticmethod
    def approach(party, offers):
        conditions = [offer["condition"] for _, offer in offers if offer["from"] == party]
        prior = conditions.count("prior")
        if not conditions:
            word = "no offers"
        elif 2 * prior == len(conditions):
            word = "mixed"
        else:
            word = "sticks and carrots" if 2 * prior > len(conditions) else "engagement"
        return {"word": word, **{name: conditions.count(name) for name in ("prior", "simultaneous", "none")}}

    # E-15

    def row(self, day, before):
        messages = [message for _, message in self.messages(day) if message["state"] == "open"]
        offers = [seen for seen, message in self.messages(day) if seen.offer and message["state"] == "open"]
        promises = [self.promise(agreement, promise, day)["state"]
                    for agreement in self.ledgers(day) for promise in agreement.promises]
        parts, total = self.climate(day)
        period = [seen for seen in self.upto(day) if seen.first > before]
        result = {"day": day_text(day), "phase": self.phase(day)["name"], "climate": three(total),
                  self.parties[0]: three(parts[0]), self.parties[1]: three(parts[1]), "joint": three(parts[2]),
                  "trend": three(total - self.climate(day - 90)[1])}
        if "neglect" in self.contact(day):
            result["neglect"] = self.contact(day)["neglect"]
        return {**result, "unanswered": len(messages), "open_offers": len(offers),
                "outstanding": sum(state in ("open", "due", "overdue") for state in promises),
                "overdue": promises.count("overdue"),
                "exercises": sum(seen.is_exercise for seen in period),
                "tests": sum(seen.is_test for seen in period),
                **({"provisional": contested} if (contested := sum(bool(seen.event.get("contested")) for seen in self.upto(day))) else {})}


def later(day, step, count):
    """E-15.1."""
    if step in ("day", "week"):
        return day + count * (7 if step == "week" else 1)
    date = datetime.date.fromordinal(day + 719_163)
    month = date.year * 12 + date.month - 1 + count * {"month": 1, "quarter": 3, "year": 12}[step]
    year, month = month // 12, month % 12 + 1
    return number(year, month, min(date.day, calendar.monthrange(year, month)[1]))


def series(dyad, first, last, step):
    rows, count = [], 0
    while (day := later(first, step, count)) <= last:
        rows.append(dyad.row(day, later(first, step, count - 1)))
        count += 1
    return rows


# E-16

TOLD = ("phase", "silence", "offer", "message", "commitment")


def known(items, *keys):
    """The items of a list by what they are known by; the later of two alike."""
    return {tuple(item.get(key) for key in keys): item for item in items}


def both(before, after):
    """(X's, Y's) of each: what Y has, in its order, then what X has alone."""
    return [(before.get(name), after[name]) for name in after] + [
        (before[name], None) for name in before if name not in after]


def change(what, old, new, by=None, **more):
    result = {"what": what, **{key: value for key, value in more.items() if value is not None}}
    for side, value in (("from", old), ("to", new)):
        if value is not None:
            result[side] = value
    if by is not None:
        result["by"] = by
    return result


def changes(x, y):
    """What is different in the state `y` compared with the state `x`."""
    result = []

    def compare(what, old, new, by=None, **more):
        if old != new:
            result.append(change(what, old, new, by, **more))

    def get(item, key):
        return None if item is None else item.get(key)

    phases = x["phase"], y["phase"]
    compare("phase", phases[0]["name"], phases[1]["name"], phases[1]["moved"])
    if phases[0]["name"] == phases[1]["name"] and x["events"] and y["events"]:
        compare("since", phases[0]["since"], phases[1]["since"], phases[1]["moved"])
    spoke = [event["id"] for event in x["contact"]["last"]]
    fresh = [event["id"] for event in y["contact"]["last"] if event["id"] not in spoke]
    compare("silence", x["contact"].get("silent_since"), y["contact"].get("silent_since"), list(dict.fromkeys(fresh)))

    old = {kind: known(x[kind], "id") for kind in ("offers", "messages")}
    new = {kind: known(y[kind], "id") for kind in ("offers", "messages")}
    for kind, other in (("offers", "messages"), ("messages", "offers")):
        for name, item in new[kind].items():
            if kind == "messages" and name in new["offers"]:
                continue
            was = old["offers"].get(name) or old["messages"].get(name)
            compare(kind[:-1], get(was, "state"), item["state"],
                    [item["by"]] if "by" in item else [] if was else [item["id"]], id=item["id"], title=item["title"])
        for name, item in old[kind].items():
            if name in new["offers"] or name in new["messages"] or kind == "messages" and name in old["offers"]:
                continue
            compare(kind[:-1], item["state"], None, [], id=item["id"], title=item["title"])

    for was, now in both(known(x["commitments"], "agreement", "key"), known(y["commitments"], "agreement", "key")):
        shown = now or was
        by = [now["event"]] if now and "event" in now else [] if was else [now["agreement"]]
        compare("commitment", get(was, "state"), get(now, "state"), by, key=shown["key"], id=shown["agreement"],
                title=shown["what"])
    agreements = both(known(x["agreements"], "id"), known(y["agreements"], "id"))
    for what in ("owed", "moved_last", "in_force"):
        for was, now in agreements:
            shown = now or was
            nothing = None if what == "in_force" else []
            compare(what, was[what] if was else nothing, now[what] if now else nothing, id=shown["id"], title=shown["title"])

    for key in ("conducive", "joint_action", "rewards", "respect"):
        compare("criterion", x["criteria"][key]["verdict"], y["criteria"][key]["verdict"], key=key)
    for key in y["parties"]:
        compare("approach", x["approach"][key]["word"], y["approach"][key]["word"], key=key)
    compare("reciprocity", x["reciprocity"]["ratio"], y["reciprocity"]["ratio"])
    for key in ["total", "trend"] + y["parties"] + ["joint"]:
        compare("climate", x["climate"][key], y["climate"][key], key=key)

    for was, now in both(known(x["contact"]["last"], "from"), known(y["contact"]["last"], "from")):
        shown = now or was
        compare("contact", get(was, "id"), get(now, "id"), key=shown["from"], title=shown["title"])
    compare("neglect", x["contact"].get("neglect"), y["contact"].get("neglect"))
    for was, now in both(known(x["interests"], "party", "key"), known(y["interests"], "party", "key")):
        # Tables of two moments may have other rows.
        shown = now or was
        ids = [[offer["id"] for offer in row["offers"]] if row else [] for row in (was, now)]
        if ids[0] != ids[1]:
            result.append(change("interest", len(ids[0]), len(ids[1]), [id for id in ids[1] if id not in ids[0]],
                                 party=shown["party"], key=shown["key"], title=shown["name"]))
    for was, now in both(known(x["under_way"], "id"), known(y["under_way"], "id")):
        shown = now or was
        compare("under_way", was and "under way", now and "under way", id=shown["id"], title=shown["title"])
    for was, now in both(known(x["tests"]["last"], "subtype"), known(y["tests"]["last"], "subtype")):
        shown = now or was
        compare("test", get(was, "id"), get(now, "id"), key=shown.get("subtype"), title=shown["title"])
    compare("events", x["events"], y["events"])
    ids = [{id: id for id in state["provisional"]} for state in (x, y)]
    for was, now in both(*ids):
        compare("provisional", was and "provisional", now and "provisional", id=now or was)
    for was, now in both(*(known(state["left_out"], "id", "rel", "to", "reason") for state in (x, y))):
        shown = now or was
        compare("left_out", get(was, "reason"), get(now, "reason"), key=shown["rel"] + " " + shown["to"], id=shown["id"])
    return result


def diary(dyad, first, last):
    """E-16.4."""
    result = []
    before = dyad.state(first - 1)
    for day in range(first, last + 1):
        after = dyad.state(day)
        result += [{"day": day_text(day), **change} for change in changes(before, after) if change["what"] in TOLD]
        before = after
    return result
