import Markup
import Testing

@Suite("Sanitised HTML")
struct HTMLSanitizerTests {
    @Test(
        "attacks come out as nothing or as harmless text, with and without a base",
        arguments: [
            "<script>alert(1)</script>", "<SCRIPT SRC=//e.x/x.js></SCRIPT>", "<script>alert(1)",
            "<scr<script>ipt>alert(1)</script>",
            "<script/x>alert(1)</script >x", "<<script>alert(1);//<</script>", "<script\u{0}>alert(1)</script>",
            "<img src=x onerror=alert(1)>", "<IMG SRC=x OnErRoR=alert(1)>", "<img/src=x/onerror=alert(1)>",
            "<img src=x\u{0C}onerror=alert(1)>", "<img src='x' 'onerror=alert(1)'>",
            "<img \"\"\"><script>alert(1)</script>\">",
            "<img src=\"x` `<script>alert(1)</script>\"` `>", "<img src=`x`onerror=alert(1)>",
            "<img src=x:alert(alt) onerror=eval(src)>",
            "<img src=javascript:alert(1)>", "<img src=data:image/svg+xml;base64,PHN2Zz4=>",
            "<img lowsrc=javascript:alert(1)>",
            "<a href=javascript:alert(1)>x</a>", "<a href=\" &#14;  javascript:alert(1)\">x</a>",
            "<a href=\"jav&#x0A;ascript:alert(1)\">x</a>",
            "<a href=\"jav\tascript:alert(1)\">x</a>", "<a href=\"java\u{0}script:alert(1)\">x</a>",
            "<a href=JaVaScRiPt:alert(1)>x</a>",
            "<a href=\"&#106;&#97;&#118;&#97;&#115;&#99;&#114;&#105;&#112;&#116;&#58;alert(1)\">x</a>",
            "<a href=\"&#0000106avascript&#0000058alert(1)\">x</a>",
            "<a href=\"&#x6A&#x61&#x76&#x61script:alert(1)\">x</a>",
            "<a href=\"javascript&colon;alert(1)\">x</a>", "<a href=\"java&Tab;script:alert(1)\">x</a>",
            "<a href=\"java&NewLine;script:alert(1)\">x</a>", "<a href=vbscript:msgbox(1)>x</a>",
            "<a href=data:text/html,<script>alert(1)</script>>x</a>",
            "<a href=\"data&#58;text/html;base64,PHNjcmlwdD4=\">x</a>",
            "<a href=\"\u{1}javascript:alert(1)\">x</a>", "<a href='x' href='javascript:alert(1)'>x</a>",
            "<a href=feed:javascript:alert(1)>x</a>",
            "<a href=\"view-source:javascript:alert(1)\">x</a>",
            "<a href=\"&#x20;&#x09;javascript:alert(1)\" style=x>x</a>",
            "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\"></noscript>",
            "<svg><style><img src=x onerror=alert(1)></style></svg>", "<svg onload=alert(1)>", "<svg/onload=alert(1)//",
            "<svg><script>alert(1)</script></svg>",
            "<svg><a xlink:href=javascript:alert(1)><text>x</text></a></svg>",
            "<svg></p><style><a id=\"</style><img src=1 onerror=alert(1)>\">",
            "<math><mi//xlink:href=\"data:x,<script>alert(4)</script>\">",
            "<math><a xlink:href=javascript:alert(1)>x</a></math>",
            "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
            "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
            "<svg><foreignObject><iframe src=javascript:alert(1)></iframe></foreignObject></svg>",
            "<svg><![CDATA[><img src=x onerror=alert(1)>]]></svg>",
            "<![CDATA[<script>alert(1)</script>]]>", "<!--><script>alert(1)</script>-->",
            "<!---><img src=x onerror=alert(1)>-->",
            "<!-- --!><img src=x onerror=alert(1)>-->", "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->",
            "<?xml ><img src=x onerror=alert(1)> ?>",
            "<title><a href=\"</title><img src=x onerror=alert(1)>\">",
            "<textarea><img title=\"</textarea><img src=x onerror=alert(1)>\">",
            "<xmp><p title=\"</xmp><img src=x onerror=alert(1)>\">",
            "<noembed><img title=\"</noembed><img src=x onerror=alert(1)>\">",
            "<iframe srcdoc=\"<script>alert(1)</script>\"></iframe>", "<iframe src=javascript:alert(1)>",
            "<object data=javascript:alert(1)></object>",
            "<embed src=javascript:alert(1)>", "<applet code=x></applet>", "<base href=javascript:alert(1)//>",
            "<meta http-equiv=refresh content=\"0;url=javascript:alert(1)\">",
            "<link rel=stylesheet href=javascript:alert(1)>", "<style>@import 'javascript:alert(1)';</style>",
            "<p style=\"background:url(javascript:alert(1))\">x</p>",
            "<div style=\"width:expression(alert(1))\">x</div>",
            "<form action=javascript:alert(1)><button formaction=javascript:alert(1)>x</button></form>",
            "<input onfocus=alert(1) autofocus>", "<video><source onerror=alert(1)></video>",
            "<video poster=javascript:alert(1) src=x></video>",
            "<audio src=x onerror=alert(1)>", "<details open ontoggle=alert(1)>", "<body onload=alert(1)>",
            "<bgsound src=javascript:alert(1)>",
            "<table background=javascript:alert(1)><td background=javascript:alert(1)>x",
            "<blockquote cite=javascript:alert(1)>x</blockquote>",
            "<template><img src=x onerror=alert(1)></template>",
            "<select><style></select><img src=x onerror=alert(1)></style>", "<plaintext><img src=x onerror=alert(1)>",
            "<p id=x name=y class=z onclick='x'>t</p>", "<p/onclick=alert(1)>t", "<p onclick\n=\nalert(1)>t</p>",
            "<p\u{B}onclick=alert(1)>t</p>",
            "<a href=\"http://e.x/\"onclick=alert(1)>x</a>", "<a href='http://e.x/?\"><script>alert(1)</script>'>x</a>",
            "<x onclick=alert(1)>t</x>",
            "<custom-element onclick=alert(1)>t</custom-element>",
            "<img src=\"http://e.x/\" title='\"><script>alert(1)</script>'>",
            "<a href=\"http://e.x/&quot;onmouseover=alert(1)\">x</a>", "&lt;script&gt;alert(1)&lt;/script&gt;",
            "%3Cscript%3Ealert(1)%3C/script%3E",
            "<b><i></b></i></p></div></table>", "<a href=//e.x/%0a%0djavascript:1>x</a>",
            "<listing>&lt;img src=x onerror=alert(1)&gt;</listing>",
        ]
    )
    func attacks(html: String) {
        for base in [nil, "https://example.org/a/b", "javascript:alert(1)//", "data:text/html,"] {
            let clean = HTMLSanitizer.sanitize(html, base: base)
            #expect(SafeHTML.flaw(in: clean) == nil, "\(clean)")
            #expect(HTMLSanitizer.sanitize(clean, base: base) == clean)
        }
    }

    @Test(
        "what is allowed stays, what is not goes, and what was left open is closed",
        arguments: [
            ("a < b & c > d \"e\"", "a &lt; b &amp; c &gt; d &quot;e&quot;"),
            ("&lt;&amp;amp;&copy;&hellip;&nope;", "&lt;&amp;amp;©…&amp;nope;"),
            ("<P CLASS=x>Hi <B>you", "<p>Hi <b>you</b></p>"), ("<b><i>x</b>y</i>z", "<b><i>x</i></b>yz"),
            ("<p>a<p>b<div>c", "<p>a</p><p>b</p><div>c</div>"),
            ("<ul><li>a<li>b<ul><li>c</ul>d</ul>", "<ul><li>a</li><li>b<ul><li>c</li></ul>d</li></ul>"),
            ("<dl><dt>a<dd>b<dt>c</dl>", "<dl><dt>a</dt><dd>b</dd><dt>c</dt></dl>"),
            (
                "<table><tr><td>a<td>b<tr><th scope=row colspan=2>c</table>",
                "<table><tr><td>a</td><td>b</td></tr><tr><th scope=\"row\" colspan=\"2\">c</th></tr></table>"
            ),
            ("<div><table><tr><td></div>x</table></div>", "<div><table><tr><td>x</td></tr></table></div>"),
            ("<h1>a<h2>b", "<h1>a</h1><h2>b</h2>"), ("a<br/>b<BR>c</br>d<hr>", "a<br>b<br>cd<hr>"),
            ("<font color=red>x</font><blink>y", "xy"),
            (
                "<a href=x>1<a href=y>2</a>",
                "<a href=\"x\" rel=\"nofollow noopener noreferrer\">1</a><a href=\"y\" rel=\"nofollow noopener noreferrer\">2</a>"
            ),
            ("<a name=x>1</a>", "1"),
            ("<a HREF=' mailto:a@b.c '>m</a>", "<a href=\"mailto:a@b.c\" rel=\"nofollow noopener noreferrer\">m</a>"),
            (
                "<img src='http://e.x/a b.png' alt='x&quot;y' width=10 height=1em>",
                "<img src=\"http://e.x/a%20b.png\" alt=\"x&quot;y\" width=\"10\">"
            ),
            ("<img alt=x>", ""),
            (
                "<q cite=http://e.x/ lang=en dir=rtl title=t>x</q>",
                "<q cite=\"http://e.x/\" lang=\"en\" dir=\"rtl\" title=\"t\">x</q>"
            ),
            (
                "<video src=v autoplay loop><track src=t kind=captions>no</video>",
                "<video src=\"v\" controls=\"\"><track src=\"t\" kind=\"captions\">no</video>"
            ),
            (
                "<ol start=3 reversed type=a><li value=5>x</ol>",
                "<ol start=\"3\" reversed=\"\" type=\"a\"><li value=\"5\">x</li></ol>"
            ),
            ("<pre>a\n  b</pre>", "<pre>a\n  b</pre>"), ("a\r\nb\u{1}c\u{0}", "a\nbc"),
            ("<!-- x -->a<!doctype html>b<?php c ?>", "ab"),
            ("<svg><circle/><p>x", "<p>x</p>"), ("<select><option>1</select>x", "x"),
            ("<form>a<input value=b><label>c</label></form>", "ac"),
            (
                "<a href=\"?a=1&copy=2&amp;b=3&lt=4\">x</a>",
                "<a href=\"?a=1&amp;copy=2&amp;b=3&amp;lt=4\" rel=\"nofollow noopener noreferrer\">x</a>"
            ),
            ("<", "&lt;"), ("</", "&lt;/"), ("<a", ""), ("x<p title=\"y", "x"), ("", ""), ("<>", "&lt;&gt;"),
            ("</>x", "x"), ("a<3", "a&lt;3"),
        ]
    )
    func table(html: String, expected: String) {
        let clean = HTMLSanitizer.sanitize(html)
        #expect(clean == expected)
        #expect(SafeHTML.flaw(in: clean) == nil)
        #expect(HTMLSanitizer.sanitize(clean) == clean)
    }

    @Test("relative URLs become absolute where a web base is given, and stay as they are otherwise")
    func bases() {
        let html = "<a href='../x?y#z'><img src='//h/i'></a>"
        #expect(
            HTMLSanitizer.sanitize(html, base: "https://e.org/a/b/c")
                == "<a href=\"https://e.org/a/x?y#z\" rel=\"nofollow noopener noreferrer\"><img src=\"https://h/i\"></a>"
        )
        let relative = "<a href=\"../x?y#z\" rel=\"nofollow noopener noreferrer\"><img src=\"//h/i\"></a>"
        #expect(HTMLSanitizer.sanitize(html) == relative)
        #expect(HTMLSanitizer.sanitize(html, base: "javascript:alert(1)") == relative)
    }

    @Test("sanitising is safe and changes nothing the second time, on thousands of random pieces")
    func random() {
        let pieces = [
            "<p>", "</p>", "<div title=x>", "</div>", "<b>", "</b>", "<i>", "</i>", "<a href=x>", "</a>", "<ul>",
            "<li>", "</li>", "</ul>",
            "<table>", "<tr>", "<td>", "</td>", "</table>", "<dl>", "<dt>", "<dd>", "</dl>", "<h1>", "</h1>", "<br>",
            "<img src=i alt='<'>", "<pre>",
            "</pre>", "<svg>", "</svg>", "<math>", "<style>", "</style>", "<script>", "</script>", "<noscript>",
            "</noscript>", "<title>", "</title>",
            "<template>", "</template>", "<!--", "-->", "<![CDATA[", "]]>", "<a href=\"", "'", "\"", ">", "<", "</",
            "/", "&", "&lt;", "&#60;",
            "&#x3c", "&amp", "javascript:", "onclick=x ", "=", " ", "\n", "\u{0}", "é", "🐦", "<video>",
            "<source src=s>", "</video>", "<tbody>",
            "<caption>", "</caption>", "<select>", "</select>", "<form>", "<plaintext", "<x-y>", "text",
            "<iframe src=z>", "</iframe>", "<center>",
        ]
        var generator = SplitMix(state: 42)
        let reader = HTMLReader()
        for _ in 0..<3000 {
            var html = ""
            for _ in 0..<Int.random(in: 1...24, using: &generator) {
                html += pieces.randomElement(using: &generator) ?? ""
            }
            let first = reader.read(html, base: "http://e.x/")
            #expect(SafeHTML.flaw(in: first.html) == nil, "\(html)")
            let second = reader.read(first.html, base: "http://e.x/")
            #expect(second.html == first.html, "\(html)")
            #expect(second.removed.isEmpty, "\(html)")
        }
    }

    @Test("what was left out is told by kind")
    func removals() {
        func removed(_ html: String) -> HTMLFragment.Removals { HTMLReader().read(html).removed }
        #expect(removed("<p class=x><a href=y rel=z>t</a>").isEmpty)
        #expect(removed("<script></script>") == .scripts)
        #expect(removed("<p onclick=x>") == .scripts)
        #expect(removed("<a href=javascript:x>") == .scripts)
        #expect(removed("<p style=x>") == .styles)
        #expect(removed("<style></style>") == .styles)
        #expect(removed("<iframe></iframe><svg></svg>") == .embeds)
        #expect(removed("<form><input>") == .forms)
        #expect(removed("<font>x</font>") == .elements)
        #expect(removed("<p data-x=1>") == .attributes)
        #expect(removed("<html><body><title>x</title>").isEmpty)
    }

    @Test("nesting, length and amplification are bounded, and what is cut off is told")
    func limits() {
        let count = 100_000
        let nested = String(repeating: "<div>", count: count) + "x" + String(repeating: "</div>", count: count)
        let deep = HTMLReader().read(nested)
        #expect(deep.html == String(repeating: "<div>", count: 100) + "x" + String(repeating: "</div>", count: 100))
        #expect(deep.text == "x")
        #expect(deep.removed == .excess)

        var options = HTMLReader.Options()
        options.inputBytes = 5
        options.outputBytes = 1000
        let long = HTMLReader(options: options).read("éééé")
        #expect(long.html == "éé" && long.removed == .excess)

        options.inputBytes = 1 << 20
        let base = "http://e.x/" + String(repeating: "y", count: 500) + "/"
        let links = HTMLReader(options: options).read(String(repeating: "<a href=x>", count: 10_000), base: base)
        #expect(links.html.utf8.count < 2000 && links.removed == .excess)
        #expect(SafeHTML.flaw(in: links.html) == nil)
    }

    @Test(
        "half a megabyte of what tempts a parser to go back is read in time proportional to its length",
        arguments: [
            "<div></span>", "<a href=\"", "<!-- ", "<!--", "<script>", "</script", "<p", "<p a", "<p a=", "&", "&#",
            "&#x1", "&aaaa", "<svg>",
            "<svg></math>", "<select><x>", "<table><td>", "<b></p>", "-", "<", "</", "<b><a href=x>", "<li>",
            "<title></titl",
        ]
    )
    func linearTime(piece: String) {
        let html = String(repeating: piece, count: (1 << 19) / piece.utf8.count)
        let time = cpuSeconds { _ = HTMLReader().read(html) }
        // Debug builds take a quarter of a second; going back for each piece would take several, or hours.
        #expect(time < 2)
    }
}

/// A small seeded generator, the same on every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
