/*
 * Linked into both executables, in front of the libraries: what is defined here is not taken from there, and what only that
 * needs stays out as well.
 */
#include <stddef.h>

/*
 * 1. Brotli (0.85 MB). SocketsHttpHandler can decompress it when asked to; nothing here asks. No instance can be made, so that
 *    .NET says IOException if ever something does.
 */
void *BrotliDecoderCreateInstance(void *allocate, void *release, void *opaque);
void *BrotliEncoderCreateInstance(void *allocate, void *release, void *opaque);

void *BrotliDecoderCreateInstance(void *allocate, void *release, void *opaque)
{
    (void)allocate, (void)release, (void)opaque;
    return NULL;
}

void *BrotliEncoderCreateInstance(void *allocate, void *release, void *opaque)
{
    (void)allocate, (void)release, (void)opaque;
    return NULL;
}

/* Without an instance these are never called. */
#define NEVER(name)         \
    void name(void);        \
    void name(void)         \
    {                       \
        __builtin_trap();   \
    }

NEVER(BrotliDecoderDecompress)
NEVER(BrotliDecoderDecompressStream)
NEVER(BrotliDecoderDestroyInstance)
NEVER(BrotliDecoderIsFinished)
NEVER(BrotliEncoderCompress)
NEVER(BrotliEncoderCompressStream)
NEVER(BrotliEncoderDestroyInstance)
NEVER(BrotliEncoderHasMoreOutput)
NEVER(BrotliEncoderMaxCompressedSize)
NEVER(BrotliEncoderSetParameter)

/* 2. Functions of SQL (0.25 MB, most of it tables) that no statement here calls; pow, exp and the like have other users. */
NEVER(acos)
NEVER(acosh)
NEVER(asin)
NEVER(asinh)
NEVER(atan)
NEVER(atan2)
NEVER(atanh)
NEVER(cosh)
NEVER(log10)
NEVER(log2)
NEVER(sinh)
NEVER(tan)
NEVER(tanh)
