/// Messages of platforms' streams, shaped and sized like real ones, for measuring.
enum PlatformPayloads {
    /// A line of X's filtered stream: a reply with what is asked for of it, its author and the person it answers.
    static let x = #"""
        {"data":{"id":"1900000000000000001","text":"@acme_help bonjour 👋 déçu par #AcmeMobile: plus de réseau depuis ce matin \#
        à Lyon, et l'application affiche une erreur… Vous avez une idée ? https://t.co/AbCdEf0123 cc @zoe_martin #panne","created_at":\#
        "2026-03-01T08:30:00.000Z","author_id":"2244994945","conversation_id":"1899999999999999990","in_reply_to_user_id":\#
        "783214783214783214","lang":"fr","possibly_sensitive":false,"reply_settings":"everyone","edit_history_tweet_ids":\#
        ["1900000000000000001"],"edit_controls":{"edits_remaining":5,"is_edit_eligible":true,"editable_until":\#
        "2026-03-01T09:30:00.000Z"},"public_metrics":{"retweet_count":3,"reply_count":2,"like_count":17,"quote_count":1,\#
        "bookmark_count":4,"impression_count":2381},"entities":{"hashtags":[{"start":30,"end":41,"tag":"AcmeMobile"},\#
        {"start":179,"end":185,"tag":"panne"}],"mentions":[{"start":0,"end":10,"username":"acme_help","id":"783214783214783214"},\#
        {"start":167,"end":178,"username":"zoe_martin","id":"1350123456789012345"}],"urls":[{"start":140,"end":163,"url":\#
        "https://t.co/AbCdEf0123","expanded_url":"https://example.org/forum/topics/pas-de-reseau-a-lyon?page=2",\#
        "display_url":"example.org/forum/topics/p…","status":200,"title":"Pas de réseau à Lyon","description":\#
        "Sujet ouvert par plusieurs clients","unwound_url":"https://example.org/forum/topics/pas-de-reseau-a-lyon?page=2"}],\#
        "annotations":[{"start":76,"end":79,"probability":0.9411,"type":"Place","normalized_text":"Lyon"}]},\#
        "referenced_tweets":[{"type":"replied_to","id":"1899999999999999990"}],"context_annotations":[{"domain":{"id":"46",\#
        "name":"Business Taxonomy","description":"Categories within Brand Verticals that narrow down the scope of Brands"},\#
        "entity":{"id":"1557697121477832705","name":"Telecommunications"}}],"geo":{"place_id":"09f6a7707f18e0b1"}},\#
        "includes":{"users":[{"id":"2244994945","name":"Camille Rousseau","username":"camille_rousseau","created_at":\#
        "2013-12-14T04:35:55.000Z","description":"Lyon. Vélo, photo, et un peu de râleries. Les avis sont les miens, \#
        les fautes aussi. Ici depuis 2013, sans robot ni programme. 🚲📷","url":"https://t.co/camille0001",\#
        "profile_image_url":"https://pbs.twimg.com/profile_images/1683899100922511378/5lY42eHs_normal.jpg","verified":false,\#
        "protected":false,"public_metrics":{"followers_count":1482,"following_count":731,"tweet_count":9120,"listed_count":12}},\#
        {"id":"783214783214783214","name":"Acme Aide","username":"acme_help","created_at":"2010-02-20T14:35:54.000Z",\#
        "profile_image_url":"https://pbs.twimg.com/profile_images/1683325380441128960/yRsRRjGO_normal.jpg","verified":true,\#
        "protected":false,"public_metrics":{"followers_count":98211,"following_count":15,"tweet_count":204113,"listed_count":310}}]},\#
        "matching_rules":[{"id":"1700000000000000001","tag":"acme care"},{"id":"1700000000000000002","tag":"french"}]}
        """#

    /// A status of Mastodon: two paragraphs with a mention, hashtags and a link, a picture, a preview card.
    static let mastodon = #"""
        {"id":"115500000000000001","created_at":"2026-03-01T08:30:00.000Z","in_reply_to_id":"115499999999999990","in_reply_to_account_id":\#
        "109300000000000007","sensitive":false,"spoiler_text":"","visibility":"public","language":"fr","uri":\#
        "https://social.example/users/camille/statuses/115500000000000001","url":"https://social.example/@camille/115500000000000001",\#
        "replies_count":2,"reblogs_count":3,"favourites_count":17,"quotes_count":1,"edited_at":null,"content":\#
        "<p><span class=\"h-card\" translate=\"no\"><a href=\"https://acme.example/@aide\" class=\"u-url mention\">@<span>aide</span></a></span> \#
        bonjour 👋 déçue par <a href=\"https://social.example/tags/AcmeMobile\" class=\"mention hashtag\" rel=\"tag\">#<span>AcmeMobile</span></a> : \#
        plus de réseau depuis ce matin à Lyon, et l’application affiche une erreur…</p><p>Vous avez une idée ? \#
        <a href=\"https://example.org/forum/topics/pas-de-reseau-a-lyon?page=2\" target=\"_blank\" rel=\"nofollow noopener\" translate=\"no\">\#
        <span class=\"invisible\">https://</span><span class=\"ellipsis\">example.org/forum/topics/pas-de</span><span class=\"invisible\">-reseau-a-lyon?page=2</span></a></p>",\#
        "filtered":[],"reblog":null,"application":{"name":"Web","website":null},"account":{"id":"109300000000000042","username":"camille",\#
        "acct":"camille","display_name":"Camille Rousseau 🚲","locked":false,"bot":false,"discoverable":true,"group":false,"created_at":\#
        "2022-11-07T00:00:00.000Z","note":"<p>Lyon. Vélo, photo, et un peu de râleries.</p>","url":"https://social.example/@camille","uri":\#
        "https://social.example/users/camille","avatar":"https://files.social.example/accounts/avatars/109/300/42/original/ab12cd34.jpg",\#
        "avatar_static":"https://files.social.example/accounts/avatars/109/300/42/original/ab12cd34.jpg","header":\#
        "https://files.social.example/accounts/headers/109/300/42/original/ef56ab78.jpg","followers_count":482,"following_count":331,\#
        "statuses_count":9120,"last_status_at":"2026-03-01","emojis":[],"fields":[]},"media_attachments":[{"id":"115500000000000900","type":\#
        "image","url":"https://files.social.example/media_attachments/files/115/500/900/original/0a1b2c3d.png","preview_url":\#
        "https://files.social.example/media_attachments/files/115/500/900/small/0a1b2c3d.png","remote_url":null,"meta":{"original":{"width":1170,\#
        "height":2532,"size":"1170x2532","aspect":0.462},"small":{"width":326,"height":706,"size":"326x706","aspect":0.461}},"description":\#
        "Capture d’écran de l’application : « aucun réseau »","blurhash":"UBL_:rOpGG-oBUNG,qRj2so|=eE1w^n4S5NH"}],"mentions":[{"id":\#
        "109300000000000007","username":"aide","url":"https://acme.example/@aide","acct":"aide@acme.example"}],"tags":[{"name":"acmemobile",\#
        "url":"https://social.example/tags/acmemobile"}],"emojis":[],"card":{"url":"https://example.org/forum/topics/pas-de-reseau-a-lyon?page=2",\#
        "title":"Pas de réseau à Lyon","description":"Sujet ouvert par plusieurs clients","type":"link"},"poll":null}
        """#

    /// A message of Jetstream: a reply with facets, an image and languages.
    static let jetstream = #"""
        {"did":"did:plc:camillerousseau00000000","time_us":1772353800123456,"kind":"commit","commit":{"rev":"3lj2abcdefg2x","operation":"create",\#
        "collection":"app.bsky.feed.post","rkey":"3lj2abcdefg2w","cid":"bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy","record":\#
        {"$type":"app.bsky.feed.post","createdAt":"2026-03-01T08:30:00.000Z","langs":["fr"],"text":\#
        "@aide.acme.example bonjour 👋 déçue par #AcmeMobile : plus de réseau depuis ce matin à Lyon, et l’application affiche une erreur… \#
        example.org/forum/topics/p...","facets":[{"index":{"byteStart":0,"byteEnd":18},"features":[{"$type":"app.bsky.richtext.facet#mention",\#
        "did":"did:plc:acmeaide000000000000000"}]},{"index":{"byteStart":44,"byteEnd":55},"features":[{"$type":"app.bsky.richtext.facet#tag","tag":\#
        "AcmeMobile"}]},{"index":{"byteStart":140,"byteEnd":169},"features":[{"$type":"app.bsky.richtext.facet#link","uri":\#
        "https://example.org/forum/topics/pas-de-reseau-a-lyon?page=2"}]}],"reply":{"root":{"cid":\#
        "bafyreihzwnyumvubacqyflkxpsejegc6sxwkcaxv3iwm3lrn3kiquyxsyu","uri":"at://did:plc:acmeaide000000000000000/app.bsky.feed.post/3lj2aaaaaaa2k"},\#
        "parent":{"cid":"bafyreihzwnyumvubacqyflkxpsejegc6sxwkcaxv3iwm3lrn3kiquyxsyu","uri":\#
        "at://did:plc:acmeaide000000000000000/app.bsky.feed.post/3lj2aaaaaaa2k"}},"embed":{"$type":"app.bsky.embed.images","images":[{"alt":\#
        "Capture d’écran de l’application : « aucun réseau »","aspectRatio":{"width":1170,"height":2532},"image":{"$type":"blob","ref":{"$link":\#
        "bafkreibabalobzn6cd366ukcsjycp4yymjymgfxcv6xczmlgpemzkz3cfa"},"mimeType":"image/jpeg","size":760898}}]}}}}
        """#

    /// A delivery of WhatsApp: an answer of a customer, about 1 KB.
    static func whatsApp(_ number: Int) -> String {
        #"""
        {"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp","metadata":\#
        {"display_phone_number":"15550783881","phone_number_id":"106540352242922"},"contacts":[{"profile":{"name":"Camille Rousseau","username":\#
        "camille.rousseau"},"wa_id":"33612345678","user_id":"FR.13491208655302741918"}],"messages":[{"context":{"from":"15550783881","id":\#
        "wamid.HBgLMzM2MTIzNDU2NzgVAgARGBI4QjM0REY5MzA5NzlCODlDRTIA"},"from":"33612345678","from_user_id":"FR.13491208655302741918","id":\#
        "wamid.HBgLMzM2MTIzNDU2NzgVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0\#(number)","timestamp":"1772353800","text":{"body":\#
        "Bonjour \ud83d\udc4b je suis d\u00e9\u00e7ue : plus de r\u00e9seau depuis ce matin \u00e0 Lyon, et l\u2019application affiche une \#
        erreur\u2026 Vous avez une id\u00e9e ? J\u2019ai lu https://example.org/forum/topics/pas-de-reseau-a-lyon?page=2 et tout essay\u00e9."},\#
        "type":"text"}]},"field":"messages"}]}]}
        """#
    }

    /// A delivery of WhatsApp: how far a message of a broadcast has come.
    static let whatsAppStatus = #"""
        {"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp","metadata":\#
        {"display_phone_number":"15550783881","phone_number_id":"106540352242922"},"statuses":[{"id":\#
        "wamid.HBgLMzM2MTIzNDU2NzgVAgARGBI4QjM0REY5MzA5NzlCODlDRTIA","status":"delivered","timestamp":"1772353800","recipient_id":"33612345678",\#
        "recipient_user_id":"FR.13491208655302741918","conversation":{"id":"b9c0a5e7f1d24c0f8a1b2c3d4e5f6071","expiration_timestamp":"1772440200",\#
        "origin":{"type":"marketing"}},"pricing":{"billable":true,"pricing_model":"PMP","category":"marketing","type":"regular"},\#
        "biz_opaque_callback_data":"spring-sale-2026"}]},"field":"messages"}]}]}
        """#

    /// A delivery of Instagram: a comment under a picture.
    static let instagram = #"""
        {"object":"instagram","entry":[{"id":"17841405726653026","time":1772353800,"changes":[{"field":"comments","value":{"id":\#
        "17894227972186120","parent_id":"17894227972186119","from":{"id":"5614879045272581","username":"camille.rousseau"},"text":\#
        "@acme.aide bonjour \ud83d\udc4b d\u00e9\u00e7ue par #AcmeMobile : plus de r\u00e9seau depuis ce matin \u00e0 Lyon, et \#
        l\u2019application affiche une erreur\u2026 Vous avez une id\u00e9e ?","media":{"id":"17918195224117851","media_product_type":"FEED"}}}]}]}
        """#
}
