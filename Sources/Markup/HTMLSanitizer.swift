/// Makes HTML from strangers safe to show.
///
/// What comes out is written anew from an allow-list; nothing of the input is copied as markup. It holds: only elements for
/// text, lists, tables, pictures, sound and video; only the attributes they need, always quoted; `& < > "` escaped everywhere;
/// links to http, https, mailto and tel, other URLs http and https alone, judged after references are decoded and after
/// what browsers ignore is stripped; every element closed in order. There is no script, style, form, frame, foreign markup
/// (`svg`, `math`), comment, or element that browsers read in another mode, so reading it again in any browser gives
/// the same tree or a harmless one. Links carry `rel="nofollow noopener noreferrer"`: the authors are strangers, and where
/// the HTML is shown is nobody's business. Sanitising what is sanitised changes nothing.
public enum HTMLSanitizer {
    /// Sanitises one piece; to read many, keep an ``HTMLReader``.
    public static func sanitize(_ html: String, base: String? = nil) -> String {
        var options = HTMLReader.Options()
        options.text = false
        options.links = false
        return HTMLReader(options: options).read(html, base: base).html
    }
}
