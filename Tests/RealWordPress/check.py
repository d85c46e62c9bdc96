#!/usr/bin/env python3
"""Writes, edits and withdraws in a real WordPress while the hub reads it, and compares; see `run`."""

import os
import pathlib
import shutil
import signal
import sys
import time

from hub import Follower, Hub, Missing
from published import Published, source_of
from wordpress import WordPress

SECONDS = 210
WINDOW = 10
FEEDS = {"posts-rss": "rss2", "posts-atom": "atom", "comments-rss": "comments-rss2", "comments-atom": "comments-atom"}

POSTS = [
    ("zoe", "Fish & Chips, <em>twice</em>", "<p>Caf&eacute; &amp; cr&ecirc;me &mdash; 3 &lt; 5 &#8364;.</p><p>A<br>B</p>"),
    ("admin", "Don't \"quote\" me -- ever...", "Two lines\nwithout markup, \"quoted\" & 'so on'.\n\nAnd a paragraph of its own."),
    ("zoe", "Emoji 🦜🏳️‍🌈 in the title", "<p>Family 👨‍👩‍👧‍👦, flag 🇫🇷, skin 👍🏽, and plain ☺ text.</p>"),
    ("zoe", "A script that WordPress filters", "<p>Before</p><script>alert('zoe')</script><p onclick='x()'>After</p>"),
    ("admin", "A script that it lets pass", "<p>Before</p><script>alert('admin')</script><p onclick=\"x()\">After</p>"),
    (
        "admin",
        "Pictures",
        '<p>See <img src="https://pictures.example/cat.png" alt="A cat &amp; a &quot;dog&quot;" width="3" height="2"> and '
        '<img src="https://pictures.example/line.png" alt=""> there.</p>'
        '<figure><img src="https://pictures.example/sea.jpg" alt="Ολ θάλασσα"><figcaption>The sea</figcaption></figure>',
    ),
    (
        "admin",
        "Lists, tables, code",
        "<!-- wp:list --><ul><li>One</li><li>Two <b>bold</b></li></ul><!-- /wp:list -->"
        "<pre><code>if (a &lt; b &amp;&amp; c) {}</code></pre><blockquote><p>Said.</p></blockquote><!--more--><h2>Below</h2><p>More.</p>",
    ),
    ("admin", "Right to left: مرحبا بالعالم", "<p>שלום <a href='https://example.org/?a=1&amp;b=2'>עולם</a> 你好，世界。]]&gt; end</p>"),
    ("zoe", "A long one", "".join(f"<p>Paragraph {n}: {'lorem ipsum & dolor ' * 30}</p>" for n in range(150))),
]


class Check:
    def __init__(self, folder, program):
        self.wordpress = WordPress(folder)
        feeds = {name: f"{self.wordpress.base}/?feed={kind}" for name, kind in FEEDS.items()}
        self.hub = Hub(program, folder, feeds)
        self.published = Published(self.wordpress)
        self.differences = []
        self.edits = 0
        self.follower = None

    def run(self):
        self.step("MariaDB, PHP and WordPress")
        self.wordpress.start()
        self.step("the hub reads what is there already")
        self.take_stock()
        self.hub.start()
        self.follower = Follower(self.hub, time.monotonic() + SECONDS)
        self.arrived()
        for part in (
            self.write_posts,
            self.edit_posts,
            self.write_comments,
            self.edit_and_trash_comments,
            self.write_within_a_second,
            self.trash_posts,
            self.write_while_stopped,
            self.write_while_killed,
            self.write_more_than_the_window,
        ):
            self.step(part.__doc__)
            part()
        self.step("what the hub serves against what WordPress has")
        self.quiet()
        self.compare()
        return self.differences

    def step(self, what):
        print(f"  {time.monotonic() - BEGIN:5.1f} s  {what}", flush=True)

    def arrived(self):
        self.follower.wait(self.published.lacking)

    def quiet(self):
        """Gives the hub every occasion to say something that it should not."""
        self.follower.wait_for_pulls(2, FEEDS)

    # MARK: Writing

    def post(self, title, content, user="admin", **fields):
        """A draft at first, as editors do: what WordPress inserts at once is public before it has its categories and its id."""
        fields = {"title": title, "content": content, "status": "draft", "categories": [1]} | fields
        draft = self.wordpress.call("POST", "posts", fields, user)
        return self.published.add(self.wordpress.call("POST", f"posts/{draft['id']}", {"status": "publish"}, user))

    def edit(self, number, **fields):
        self.edits += 1
        return self.published.add(self.wordpress.call("POST", f"posts/{number}", fields))

    def comment(self, post, content, user="admin", **fields):
        return self.published.add(self.wordpress.call("POST", "comments", {"post": post, "content": content} | fields, user))

    # MARK: The parts

    def take_stock(self):
        self.category = self.wordpress.call("POST", "categories", {"name": "R&D <lab> naïve"})["id"]
        self.tag = self.wordpress.call("POST", "tags", {"name": "çok güzel 'tag'"})["id"]
        old = {"title": "Of long ago", "status": "publish", "date_gmt": "2011-03-04T05:06:07"}
        self.long_ago = self.wordpress.call("POST", "posts", old)["id"]
        for post in self.wordpress.all("posts", context="edit"):
            self.published.add(post)
        for comment in self.wordpress.all("comments", context="edit"):
            self.published.add(comment)

    def write_posts(self):
        """posts of many kinds, by two people, a draft among them"""
        draft = self.wordpress.call("POST", "posts", {"title": "A draft", "content": "<p>Not yet.</p>", "status": "draft"})
        self.first = [
            self.post(title, content, user, categories=[1, self.category] if user == "admin" else [1], tags=[self.tag])
            for user, title, content in POSTS
        ]
        self.arrived()
        self.quiet()
        self.published.add(self.wordpress.call("POST", f"posts/{draft['id']}", {"status": "publish"}))
        self.arrived()

    def edit_posts(self):
        """edits, of what the feeds still have and of what they have no more"""
        self.edit(self.first[-1], title="No longer long", content="<p>Short &amp; good.</p>")
        self.edit(self.first[-2], categories=[self.category], tags=[])
        self.arrived()
        self.edit(self.first[-1], content="<p>Short, good, <i>better</i>.</p>")
        self.edit(self.first[-3], content=POSTS[-3][2] + '<p><img src="https://pictures.example/new.png" alt="New"></p>')
        self.arrived()
        # Saved again as it was, and out of the feeds' reach: nothing to tell.
        self.wordpress.call("POST", f"posts/{self.first[-1]}", {"content": "<p>Short, good, <i>better</i>.</p>"})
        self.wordpress.call("POST", f"posts/{self.long_ago}", {"title": "Of long ago, edited"})
        self.quiet()

    def write_comments(self):
        """comments: answers to answers, by guests and by users, with what WordPress filters"""
        post = self.first[0]
        guest = {"author_name": "Guest <b>& Co", "author_email": "guest@mail.example", "author_url": "https://guest.example/?a=1&b=2"}
        one = self.comment(post, "First! <b>bold</b> <script>alert(1)</script> & 🦜", **guest)
        two = self.comment(post, "Answer to the first\n\nwith a paragraph, \"quotes\" and a < b.", parent=one)
        guest = {"author_name": "Ğüven", "author_email": "guven@mail.example"}
        three = self.comment(post, "Answer to the answer: https://example.org/?x=1&y=2", parent=two, **guest)
        self.comment(self.first[1], "From an author", user="zoe")
        self.arrived()
        self.comment(post, "And on <a href='https://example.org/'>it</a> goes", parent=three)
        self.commented = two
        self.arrived()

    def edit_and_trash_comments(self):
        """a comment is edited, which shows only with the next change, and one is trashed"""
        fields = {"content": "Answer to the first, said better"}
        edited = self.wordpress.call("POST", f"comments/{self.commented}", fields)
        self.quiet()
        # From here on the feeds say so: this comment gives them new validators.
        self.published.add(edited)
        self.edits += 1
        trashed = self.comment(self.first[2], "Soon to be gone")
        self.arrived()
        self.wordpress.call("DELETE", f"comments/{trashed}")
        self.quiet()

    def write_within_a_second(self):
        """a post in the very second in which the hub has read the one before, when validators cannot tell them apart"""
        for attempt in range(6):
            for name in Published.POSTS:
                self.hub.get(f"/v1/sources/{name}/pause", method="POST")
            time.sleep(1 - time.time() % 1)
            one = self.post(f"First of a second {attempt}", "<p>One.</p>")
            for name in Published.POSTS:
                self.hub.get(f"/v1/sources/{name}/resume", method="POST")
            self.arrived()
            two = self.post(f"Second of a second {attempt}", "<p>Two.</p>")
            times = {self.published.versions[self.published.subject(n)][0]["created_at"] for n in (one, two)}
            if len(times) == 1:
                break
            self.arrived()
        else:
            self.step("(this machine is too slow for that)")
        self.quiet()
        if lacking := self.published.lacking(self.follower.events):
            self.differences.append(f"hidden behind a 304 until the feed changes in another second: {lacking}")

    def trash_posts(self):
        """posts are trashed, so that older ones come back into the feeds, and one is taken out of the trash"""
        trashed = [self.post(f"To be trashed {n}", "<p>Gone soon.</p>") for n in range(3)]
        self.arrived()
        for number in trashed:
            self.wordpress.call("DELETE", f"posts/{number}")
        self.quiet()
        self.wordpress.call("POST", f"posts/{trashed[0]}", {"status": "publish"})
        self.trashed = trashed[1:]
        self.quiet()

    def write_while_stopped(self):
        """posts, an edit and comments while the hub is stopped in order"""
        known = self.post("Known before it went", "<p>Read.</p>")
        self.arrived()
        self.hub.stop_in_order()
        post = self.post("While it was away", "<p>Nobody reads this yet.</p>", "zoe")
        self.post("While it was still away", "<p>Nor this.</p>")
        self.edit(known, title="Edited while it was away")
        self.comment(post, "Is anybody there?")
        self.hub.start()
        self.arrived()

    def write_while_killed(self):
        """posts and comments before, during and after three kill -9"""
        for turn in range(3):
            post = self.post(f"Before kill {turn}", "<p>Perhaps it is read, perhaps not.</p>")
            if turn:
                self.follower.wait(lambda events: None if self.is_told(post, events) else f"post {post}")
            self.hub.kill()
            self.post(f"After kill {turn}", "<p>It is dead.</p>")
            self.comment(post, f"Killed {turn}")
            self.hub.start()
        self.arrived()

    def is_told(self, post, events):
        subject = self.published.subject(post)
        return any(event.get("subject") == subject for event in events)

    def write_more_than_the_window(self):
        """more posts and comments than the feeds have at once, while the hub is stopped"""
        self.hub.stop_in_order()
        posts = [self.post(f"Burst {n}", f"<p>Number {n}.</p>") for n in range(2 * WINDOW + 3)]
        comments = [self.comment(posts[0], f"Comment {n} of many") for n in range(WINDOW + 2)]
        self.hub.start()
        # Older pages of a feed of comments do not exist: `paged` is ignored there.
        beyond = [self.published.subject(number, "comment") for number in comments[:-WINDOW]]
        versions = {subject: self.published.versions[subject] for subject in beyond}
        for subject in beyond:
            self.published.forget(subject)
        self.arrived()
        self.quiet()
        events = self.follower.events
        for source in FEEDS:
            own = [event for event in events if event["subject"].startswith(f"hub:gap:{source}/")]
            opened = {e["subject"] for e in own if e["type"] == "hub.gap.opened"}
            closed = {e["subject"] for e in own if e["type"] == "hub.gap.closed"}
            if not opened:
                self.differences.append(f"{source}: more came than the feed has at once, and no gap was opened")
            if source in Published.POSTS and opened != closed:
                self.differences.append(f"{source}: gaps were not closed although older pages are there: {opened - closed}")
            told = {e["subject"] for e in events if source_of(e) == source}
            if source in Published.COMMENTS and closed and not told.issuperset(versions):
                self.differences.append(f"{source}: a gap was called closed, but {len(versions)} comments were never read")

    # MARK: The end

    def compare(self):
        events = self.hub.pages(duplicates="true")
        if events != self.follower.events:
            self.differences.append("a reader that followed the hub all the time has other events than one that reads them now")
        self.differences += self.published.compare(events)

        first = {}
        for event in events:
            original = first.setdefault(event["id"], event["sequence"])
            expected = None if original == event["sequence"] else original
            if event.get("duplicateof") != expected:
                says = event.get("duplicateof")
                self.differences.append(f"{event['id']} at {event['sequence']} is a duplicate of {says}, not {expected}")
        once = [event["id"] for event in self.hub.pages()]
        if sorted(once) != sorted(first):
            self.differences.append("who does not ask for duplicates has not every event exactly once")
        for name, source in self.hub.sources().items():
            if source["dead_letters"]:
                self.differences.append(f"{name}: {source['dead_letters']} dead letters")
        # And this script's own books against WordPress.
        has = {self.published.read(post)[0] for post in self.wordpress.all("posts", context="edit")}
        gone = {self.published.subject(number) for number in self.trashed}
        books = {subject for subject in self.published.versions if "#comment-" not in subject} - gone
        if has != books:
            self.differences.append(f"WordPress has other posts than were written: {has ^ books}")

    def summary(self):
        comments = sum("#comment-" in subject for subject in self.published.versions)
        return f"{len(self.published.versions) - comments} posts, {comments} comments, {self.edits} edits compared"


def main():
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} WORKDIR")
    folder = pathlib.Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    check = Check(folder, os.environ["ROOST"])
    try:
        differences = check.run()
    except Missing as missing:
        # What has arrived may say why the rest has not.
        differences = [str(missing)] + check.differences
    finally:
        check.hub.stop()
        check.wordpress.stop()
        if not os.environ.get("KEEP"):
            shutil.rmtree(folder, ignore_errors=True)
    if differences:
        print(f"{check.summary()}: {len(differences)} differences", *differences[:40], sep="\n  - ")
        sys.exit(1)
    print(f"{check.summary()}: equal")


BEGIN = time.monotonic()
if __name__ == "__main__":
    main()
