"""What went wrong elsewhere, played through here (docs/internals/lessons.md)."""

import json
import threading
import unittest

from daemon import Daemon, event


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
        position = client.stream("QUERY {}")[1]["position"]
        client.append(title="not seen")
        client.close()
        self.daemon.stop()
        self.daemon.start()
        client = self.daemon.client()
        client.append(title="new")
        self.assertEqual(self.watched(client, position, 2), ["not seen", "new"])
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
        self.assertEqual(titles, [order[seq] for seq in sorted(order)])
        reader.close()


    def memory(self):
        """Bytes of its own that the daemon holds; the log's pages are the system's."""
        with open(f"/proc/{self.daemon.process.pid}/status") as file:
            return next(int(line.split()[1]) << 10 for line in file if line.startswith("RssAnon"))

    def test_a_reader_that_stands_still_is_not_thrown_out_and_costs_no_memory(self):
        """More is written than any buffer on the way holds, while one reader takes nothing and another keeps up."""
        writer, still, quick = (self.daemon.client() for _ in range(3))
        writer.append(title="0")
        start = writer.stream("QUERY {}")[1]["position"]
        for reader in (still, quick):
            reader.send("WATCH " + json.dumps({"after": start}))
            self.assertTrue(reader.reply().startswith("OK"))
        batches, size = 30, 500
        text = "x" * 2000

        def write(batch):
            writer.send(f"APPENDMANY {size}")
            for number in range(size):
                writer.send(json.dumps(event(f"{batch * size + number + 1}", summary=text)))
            self.assertTrue(writer.reply().startswith("OK "))

        def read(reader, first, last):
            titles = [json.loads(reader.reply().removeprefix("EVENT "))["title"] for _ in range(first, last)]
            self.assertEqual(titles, [str(number) for number in range(first, last)])

        for batch in range(batches):
            write(batch)
            read(quick, batch * size + 1, (batch + 1) * size + 1)
            if batch == 4:
                before = self.memory()
        # 25 MB were written since, of which the one that stands still has taken nothing.
        self.assertLess(self.memory() - before, 12 << 20)
        read(still, 1, batches * size + 1)
        # And both are live.
        writer.append(title="last")
        for reader in (quick, still):
            self.assertEqual(json.loads(reader.reply().removeprefix("EVENT "))["title"], "last")
        for client in (writer, still, quick):
            client.close()


if __name__ == "__main__":
    unittest.main()
