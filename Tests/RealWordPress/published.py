"""What WordPress published, as its REST API says, and whether the events of the hub say the same."""

import html
import html.parser
import re

BLOCKS = {"address", "article", "aside", "blockquote", "br", "caption", "dd", "div", "dl", "dt", "figcaption", "figure"}
BLOCKS |= {"footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "ol", "p", "pre", "section", "table"}
BLOCKS |= {"tbody", "td", "th", "thead", "tr", "ul"}
DANGEROUS = re.compile(r"<(script|style|iframe|object|embed|form)\b|<[^>]*\son[a-z]+\s*=|javascript:", re.IGNORECASE)


class Text(html.parser.HTMLParser):
    """The words a reader sees: without scripts, with pictures as their descriptions."""

    def __init__(self, markup):
        super().__init__(convert_charrefs=True)
        self.parts = []
        self.hidden = None
        self.pictures = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag in {"script", "style"}:
            self.hidden = tag
        elif tag in BLOCKS:
            self.parts.append("\n- " if tag == "li" else "\n")
        elif tag == "img":
            self.parts.append(attributes.get("alt") or "")
            if attributes.get("alt"):
                self.pictures.append((attributes.get("src"), attributes["alt"]))

    def handle_endtag(self, tag):
        if tag == self.hidden:
            self.hidden = None
        elif tag in BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data):
        if not self.hidden:
            self.parts.append(data)


def words(markup):
    return " ".join("".join(Text(markup).parts).split())


def utc(date):
    return f"{date}.000Z"


class Published:
    """The versions of every post and comment that a reader of the feeds had the chance to see, oldest first."""

    POSTS = ("posts-rss", "posts-atom")
    COMMENTS = ("comments-rss", "comments-atom")

    def __init__(self, wordpress):
        self.wordpress = wordpress
        self.versions = {}
        self.numbers = {}
        self.terms = {}
        self.people = {}

    def sources(self, subject):
        return self.COMMENTS if "#comment-" in subject else self.POSTS

    def add(self, answer):
        """Takes up a post or comment as the REST API gave it; returns its number."""
        subject, version = self.read(answer)
        self.versions.setdefault(subject, []).append(version)
        self.numbers[subject] = answer["id"]
        return answer["id"]

    def read(self, answer):
        """The id that its events have, and what they should say."""
        return self._comment(answer) if "author_name" in answer else self._post(answer)

    def subject(self, number, kind="post"):
        return next(s for s, n in self.numbers.items() if n == number and ("#comment-" in s) == (kind == "comment"))

    def title(self, post):
        return self.versions[self.subject(post)][-1]["title"]

    def forget(self, subject):
        """The feeds' window did not reach it."""
        del self.versions[subject]

    def _post(self, answer):
        if missing := set(answer["categories"] + answer["tags"]) - set(self.terms):
            self.terms |= {t["id"]: html.unescape(t["name"]) for k in ("categories", "tags") for t in self.wordpress.all(k)}
            assert missing <= set(self.terms), missing
        if answer["author"] not in self.people:
            self.people |= {user["id"]: user for user in self.wordpress.all("users", context="edit")}
        author = self.people[answer["author"]]
        created, modified = answer["date_gmt"], answer["modified_gmt"]
        markup = answer["content"]["rendered"]
        return "feed:article:" + html.unescape(answer["guid"]["rendered"]), {
            "title": words(answer["title"]["rendered"]),
            "text": words(markup),
            "pictures": Text(markup).pictures,
            "url": answer["link"],
            "created_at": utc(created),
            "edited_at": utc(modified) if modified > created else None,
            "author": html.unescape(author["name"]),
            "author_url": author["url"] or None,
            "tags": sorted(self.terms[number] for number in answer["categories"] + answer["tags"]),
        }

    def _comment(self, answer):
        post = self.subject(answer["post"])
        name = html.unescape(answer["author_name"])
        parent, prefix = post, ""
        if answer["parent"]:
            # Of its own accord, WordPress says in its feeds whom a comment answers.
            parent = f"{post}#comment-{answer['parent']}"
            prefix = f"In reply to {self.versions[parent][-1]['author']}. "
        return f"{post}#comment-{answer['id']}", {
            "title": f"Comment on {self.title(answer['post'])} by {name}",
            "text": prefix + words(answer["content"]["rendered"]),
            "pictures": [],
            "url": html.unescape(answer["link"]),
            "created_at": utc(answer["date_gmt"]),
            "edited_at": None,
            "author": name,
            "author_url": html.unescape(answer["author_url"]) or None,
            "tags": [],
            "post": post,
            "parent": parent,
        }

    def lacking(self, events):
        """The first version that has no event yet, in words; nothing when all have one."""
        told = count(events)
        for subject, versions in self.versions.items():
            for source in self.sources(subject):
                seen = told.get((source, subject), 0)
                if seen < len(versions):
                    return f"version {seen + 1} of {subject} ({versions[seen]['title']!r}) from {source}"
        return None

    def compare(self, events):
        """Every difference between what was published and what these events say, in words."""
        told, differences = {}, []
        for event in events:
            if event["type"].startswith("hub."):
                continue
            told.setdefault((source_of(event), event["subject"]), []).append(event)
        for subject, versions in self.versions.items():
            for source in self.sources(subject):
                own = told.pop((source, subject), [])
                types = [event["type"] for event in own]
                expected = ["social.post.created"] + ["social.post.updated"] * (len(versions) - 1)
                if types != expected:
                    differences.append(f"{source}: {subject} has {types}, expected {expected}")
                for version, event in zip(versions, own):
                    place = f"{source}: {event['id']} ({version['title']!r})"
                    differences += [f"{place}: {words}" for words in self.differences(version, event, source)]
        for (source, subject), own in told.items():
            differences.append(f"{source}: {subject} was never published, but has {[e['type'] for e in own]}")
        return differences

    def differences(self, version, event, source):
        data, atom = event["data"], source.endswith("atom")
        said, actor = data["object"], data.get("actor", {})
        pictures = [(m.get("url"), m["alt"]) for m in said.get("media", []) if m["kind"] == "image" and "alt" in m]
        pairs = {
            "title": (said.get("title"), version["title"]),
            "text": (" ".join(said.get("text", "").split()), version["text"]),
            "words of the html": (words(said.get("html", "")), version["text"]),
            "pictures": (pictures, version["pictures"]),
            "url": (said.get("url"), version["url"]),
            "created_at": (said.get("created_at"), version["created_at"]),
            "author": (actor.get("name"), version["author"]),
            "tags": (sorted(said.get("tags", [])), version["tags"]),
            "kind": (said["kind"], "comment" if "post" in version else "article"),
        }
        if atom:
            # RSS says neither.
            pairs["edited_at"] = (said.get("edited_at"), version["edited_at"])
            pairs["author's page"] = (actor.get("url"), version["author_url"])
        if event["type"] == "social.post.created":
            pairs["time"] = (event["time"], version["created_at"])
        if "post" in version:
            # Which comment is answered only Atom tells.
            parent = version["parent"] if atom else version["post"]
            pairs["in_reply_to"] = (data.get("in_reply_to", {}).get("id"), parent)
            pairs["conversation"] = (data.get("conversation"), version["post"])
        for name, (seen, expected) in pairs.items():
            if seen != expected:
                yield f"{name} is {shortened(seen, expected)}, WordPress says {shortened(expected, seen)}"
        if found := DANGEROUS.search(said.get("html", "")):
            yield f"its html has {found.group()!r}"


def source_of(event):
    return event["source"].removeprefix("/sources/")


def count(events):
    told = {}
    for event in events:
        if "subject" in event:
            key = (source_of(event), event["subject"])
            told[key] = told.get(key, 0) + 1
    return told


def shortened(value, other):
    """A long text from shortly before the place where it differs from another."""
    if not isinstance(value, str) or not isinstance(other, str) or len(value) < 200:
        return repr(value)
    same = next((i for i, (one, two) in enumerate(zip(value, other)) if one != two), min(len(value), len(other)))
    return f"...{value[max(0, same - 40) : same + 80]!r}..."
