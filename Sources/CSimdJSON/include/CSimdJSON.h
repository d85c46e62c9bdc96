#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A plain C face for simdjson's DOM parser: bytes in, simdjson's tape and string buffer out.
// The layout of both is described in simdjson's doc/tape.md.

#ifdef __cplusplus
extern "C" {
#endif

typedef enum CSimdJSONStatus : int32_t {
    CSimdJSONStatusOK = 0,
    CSimdJSONStatusEmpty,
    CSimdJSONStatusTooLarge,
    CSimdJSONStatusTooDeep,
    CSimdJSONStatusInvalidUTF8,
    CSimdJSONStatusInvalidString,
    CSimdJSONStatusInvalidNumber,
    CSimdJSONStatusInvalidSyntax,
    CSimdJSONStatusOutOfMemory,
} CSimdJSONStatus;

/// A parser with its buffers. For one thread at a time.
typedef struct CSimdJSONParser CSimdJSONParser;

/// Both pointers belong to the parser and last until it parses again, trims its buffers or is destroyed.
typedef struct CSimdJSONDocument {
    const uint64_t *_Nullable tape;
    const uint8_t *_Nullable strings;
} CSimdJSONDocument;

/// NULL when there is no memory.
CSimdJSONParser *_Nullable csimdjson_create(size_t maximum_depth);

void csimdjson_destroy(CSimdJSONParser *_Nullable parser);

/// Copies the bytes into a padded buffer and parses them. `document` is written only when the status is OK.
CSimdJSONStatus csimdjson_parse(CSimdJSONParser *_Nonnull parser, const void *_Nullable bytes, size_t length,
                                CSimdJSONDocument *_Nonnull document);

/// Gives buffers back that have grown for documents longer than `length`.
void csimdjson_trim(CSimdJSONParser *_Nonnull parser, size_t length);

/// Whether the bytes are valid UTF-8.
bool csimdjson_is_utf8(const void *_Nullable bytes, size_t length);

#ifdef __cplusplus
}
#endif
