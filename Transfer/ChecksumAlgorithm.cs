namespace Pelican.Transfer;

/// <summary>Digests that a server may report in <c>Digest</c> (RFC 3230; xrootd.md 5), best first.</summary>
internal enum ChecksumAlgorithm
{
    /// <summary>CRC-32C (Castagnoli): what servers compute fastest, and so do we.</summary>
    Crc32c,

    /// <summary>Adler-32 (RFC 1950).</summary>
    Adler32,

    /// <summary>MD5 (RFC 1321).</summary>
    Md5,

    /// <summary>CRC-32 of ISO 3309, as in zlib.</summary>
    Crc32,

    /// <summary>SHA-1, called <c>sha</c> on the wire.</summary>
    Sha1,
}
