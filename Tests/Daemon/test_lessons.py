"""What went wrong elsewhere, played through here (docs/lessons.md)."""

import json
import threading
import unittest

from daemon import Daemon


class Lessons(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon().start()
        self.addCleanup(self.daemon.remove)

    def watched(self, client, after, count):
        client.send("WATCH " + json.dumps({"after": after}))
        self.assertTrue(client.reply().startswith("OK"))
        return [json.loads(client.reply().removeprefix("EVENT "))["title"] for _ in range(count)]

    def test_a_readers_place_is_right_over_a_restart(self):
        client = self.daemon.client()
        client.append(title="seen")
        place = client.stream("QUERY {}")[1]["position"]
        client.append(title="not seen")
        client.close()
        self.daemon.stop()
        self.daemon.start()
        client = self.daemon.client()
        client.append(title="new")
        self.assertEqual(self.watched(client, place, 2), ["not seen", "new"])
        client.close()

    def test_a_reader_passes_nothing_while_many_write(self):
        reader = self.daemon.client()
        start = reader.stream("QUERY {}")[1]["position"]
        order = {}

        def write(writer):
            client = self.daemon.client()
            for number in range(50):
                title = f"{writer}-{number}"
                order[client.append(title=title)["seq"]] = title
            client.close()

        writers = [threading.Thread(target=write, args=[writer]) for writer in range(8)]
        for writer in writers:
            writer.start()
        titles = self.watched(reader, start, 400)
        for writer in writers:
            writer.join()
        self.assertEqual(titles, [order[seq] for seq in range(1, 401)])
        reader.close()


if __name__ == "__main__":
    unittest.main()
