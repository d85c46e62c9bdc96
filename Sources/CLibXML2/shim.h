// A push parser of libxml2, for Swift: callbacks and handles are spelt out here, because libxml2 has changed the declaration of its error
// callback over its versions; what is below stays the same for Swift whichever is installed.

#ifndef CLIBXML2_SHIM_H
#define CLIBXML2_SHIM_H

#include <libxml/parser.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef unsigned char clibxml2_byte;

// `attributes` holds five pointers for each: local name, prefix, namespace URI, start and end of the value.
typedef void (*clibxml2_start_function)(void *context, const clibxml2_byte *name, const clibxml2_byte *prefix, const clibxml2_byte *uri,
                                        int namespace_count, const clibxml2_byte **namespaces, int attribute_count, int defaulted_count,
                                        const clibxml2_byte **attributes);
typedef void (*clibxml2_end_function)(void *context, const clibxml2_byte *name, const clibxml2_byte *prefix, const clibxml2_byte *uri);
typedef void (*clibxml2_text_function)(void *context, const clibxml2_byte *text, int length);
typedef void (*clibxml2_error_function)(void *context, const void *error);

static inline void clibxml2_initialize(void) { xmlInitParser(); }

// A parser of UTF-8 without a byte order mark, whatever encoding the document declares. It has callbacks for elements, texts and errors
// alone, so that it builds nothing, loads nothing and prints nothing. NULL if there is no memory.
static inline void *clibxml2_parser(void *context, clibxml2_start_function start, clibxml2_end_function end, clibxml2_text_function text,
                                    clibxml2_error_function error) {
    xmlSAXHandler handler;
    memset(&handler, 0, sizeof handler);
    handler.initialized = XML_SAX2_MAGIC;
    handler.startElementNs = start;
    handler.endElementNs = end;
    handler.characters = text;
    handler.cdataBlock = text;
    // The same function for both spares libxml2 from asking whether a text is white space between tags.
    handler.ignorableWhitespace = text;
    handler.serror = (xmlStructuredErrorFunc)error;
    xmlParserCtxtPtr parser = xmlCreatePushParserCtxt(&handler, context, NULL, 0, NULL);
    // NOENT makes `&amp;` in an attribute a `&`; there are no other entities, since no document type is ever given to the parser.
    if (parser != NULL) xmlCtxtUseOptions(parser, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC | XML_PARSE_RECOVER | XML_PARSE_NOENT);
    return parser;
}

// Parses a whole document of at most INT_MAX bytes.
static inline void clibxml2_parse(void *parser, const void *bytes, size_t count) {
    xmlParseChunk((xmlParserCtxtPtr)parser, (const char *)bytes, (int)count, 1);
}

// From inside a callback: no more of them.
static inline void clibxml2_stop(void *parser) { xmlStopParser((xmlParserCtxtPtr)parser); }

// From inside a callback: how many bytes have been read.
static inline long clibxml2_offset(void *parser) { return xmlByteConsumed((xmlParserCtxtPtr)parser); }

static inline void clibxml2_free(void *parser) { xmlFreeParserCtxt((xmlParserCtxtPtr)parser); }

// Whether an error makes the document ill-formed; those of namespaces do not.
static inline int clibxml2_is_fatal(const void *error) {
    return error != NULL && ((const xmlError *)error)->level == XML_ERR_FATAL;
}

#endif
