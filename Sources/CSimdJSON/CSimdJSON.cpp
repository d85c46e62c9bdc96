#include "CSimdJSON.h"

#include <simdjson.h>

#include <cstring>
#include <memory>
#include <new>

using simdjson::error_code;

struct CSimdJSONParser {
    simdjson::dom::parser parser;
    simdjson::dom::document document;
    std::unique_ptr<uint8_t[]> input;
    size_t capacity = 0;
    size_t depth;

    explicit CSimdJSONParser(size_t maximum_depth) : depth(maximum_depth) {}

    void release() noexcept {
        document = simdjson::dom::document();
        parser = simdjson::dom::parser();
        input.reset();
        capacity = 0;
    }

    bool grow(size_t length) noexcept {
        // Doubling keeps a stream of slowly growing documents from allocating each time.
        size_t wanted = capacity < 4096 ? 4096 : capacity;
        while (wanted < length) wanted *= 2;
        release();
        input.reset(new (std::nothrow) uint8_t[wanted + simdjson::SIMDJSON_PADDING]);
        // simdjson counts one level for the scalars inside the innermost container.
        if (!input || parser.allocate(wanted, depth + 1) || document.allocate(wanted)) {
            release();
            return false;
        }
        capacity = wanted;
        return true;
    }
};

static CSimdJSONStatus status(error_code error) noexcept {
    // Later releases tell integers beyond 64 bits by a code of their own, next to NUMBER_ERROR.
    if (error >= simdjson::NUMBER_ERROR && error < simdjson::UTF8_ERROR) return CSimdJSONStatusInvalidNumber;
    switch (error) {
    case simdjson::SUCCESS: return CSimdJSONStatusOK;
    case simdjson::EMPTY: return CSimdJSONStatusEmpty;
    case simdjson::CAPACITY: return CSimdJSONStatusTooLarge;
    case simdjson::MEMALLOC: return CSimdJSONStatusOutOfMemory;
    case simdjson::DEPTH_ERROR: return CSimdJSONStatusTooDeep;
    case simdjson::UTF8_ERROR: return CSimdJSONStatusInvalidUTF8;
    case simdjson::STRING_ERROR:
    case simdjson::UNESCAPED_CHARS:
    case simdjson::UNCLOSED_STRING: return CSimdJSONStatusInvalidString;
    default: return CSimdJSONStatusInvalidSyntax;
    }
}

CSimdJSONParser *csimdjson_create(size_t maximum_depth) {
    return new (std::nothrow) CSimdJSONParser(maximum_depth);
}

void csimdjson_destroy(CSimdJSONParser *parser) {
    delete parser;
}

CSimdJSONStatus csimdjson_parse(CSimdJSONParser *parser, const void *bytes, size_t length,
                                CSimdJSONDocument *document) {
    if (length == 0) return CSimdJSONStatusEmpty;
    if (length > simdjson::SIMDJSON_MAXSIZE_BYTES / 2) return CSimdJSONStatusTooLarge;
    if (length > parser->capacity && !parser->grow(length)) return CSimdJSONStatusOutOfMemory;
    uint8_t *const input = parser->input.get();
    memcpy(input, bytes, length);
    memset(input + length, 0, simdjson::SIMDJSON_PADDING);
    error_code error = parser->parser.parse_into_document(parser->document, input, length, false).error();
    if (error) return status(error);
    document->tape = parser->document.tape.get();
    document->strings = parser->document.string_buf.get();
    return CSimdJSONStatusOK;
}

void csimdjson_trim(CSimdJSONParser *parser, size_t length) {
    if (parser->capacity > length) parser->release();
}

bool csimdjson_is_utf8(const void *bytes, size_t length) {
    return length == 0 || simdjson::validate_utf8(static_cast<const char *>(bytes), length);
}
