"""Somebody who records without a break during a test, so that what is copied meanwhile is copied live."""

import json
import threading

from daemon import event


class Recorder:
    """Begins with `more`, and rests after `rest`; `batch` says how many events go out at once."""

    def __init__(self, daemon, batch):
        self.daemon, self.batch = daemon, batch
        self.acknowledged, self.sent = [], set()
        self.enough, self.goes_on, self.is_over, self.wanted = threading.Event(), threading.Event(), threading.Event(), 0
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.goes_on.set()
        self.thread.join()

    def run(self):
        client = self.daemon.client()
        try:
            while self.goes_on.wait() and not self.is_over.is_set():
                titles = [f"event {len(self.sent) + n}" for n in range(self.batch())]
                self.sent.update(titles)
                client.send("".join(f"APPEND {json.dumps(event(t))}\n" for t in titles).encode())
                for title in titles:
                    assert client.reply().startswith("OK")
                    self.acknowledged.append(title)
                if len(self.acknowledged) >= self.wanted:
                    self.enough.set()
        finally:
            # Nobody waits for one that has ended.
            self.is_over.set()
            self.enough.set()
            client.close()

    def more(self, count):
        """Comes back when so many more were acknowledged, with all that were; recording goes on."""
        self.wanted = len(self.acknowledged) + count
        self.enough.clear()
        self.goes_on.set()
        self.enough.wait()
        assert not self.is_over.is_set(), "what was recorded was not acknowledged"
        return list(self.acknowledged)

    def rest(self):
        self.goes_on.clear()
