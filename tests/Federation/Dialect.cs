namespace Pelican.Federation;

/// <summary>
/// How a kind and version of object server speaks HTTP and WebDAV. Numbers are sections of the XRootD reference; what
/// Pelican's own servers do is in pelican-servers.md. Vary a dialect by <c>with</c>.
/// </summary>
public sealed record Dialect
{
    /// <summary>
    /// Pelican's own origins (posixv2) and caches (V2), release 7.27. In a process of their own they send no <c>Server</c>
    /// header; see <see cref="FederationOptions.OneProcess"/>.
    /// </summary>
    public static Dialect Pelican { get; } = new()
    {
        Name = "pelican",
        ServerHeader = "pelican/7.27.0",
        BusyStatus = 423,
        TooLongStatus = 404,
        CopyDeniedStatus = 401,
    };

    /// <summary>XRootD 5.5.3.</summary>
    public static Dialect Xrootd55 { get; } = new()
    {
        Name = "xrootd55",
        ServerHeader = "XrootD/v5.5.3",
        IsXrootd = true,
        HeadersByCase = true,
        LooseRanges = true,
        OldDigests = true,
        OldTokens = true,
        UnaskedDigest = true,
        KeepsExpiredTokens = true,
        Trailers = false,
        TrailerAnnounced = false,
        RangesAnnounced = false,
        Ages = false,
        UnknownReasons = true,
        PutStatus = 200,
        BusyStatus = 423,
        NotEmptyStatus = 500,
        TooLongStatus = 500,
        FullStatus = null,
        ReadOnlyStatus = 500,
        OriginDownStatus = 500,
        OriginDownText = "connection refused",
        NoDigestsStatus = 405,
        CopyStatus = 201,
        CopyDeniedStatus = 401,
        CopyOverwriteStatus = 412,
    };

    /// <summary>XRootD 5.8.1.</summary>
    public static Dialect Xrootd58 { get; } = Xrootd55 with
    {
        Name = "xrootd58",
        ServerHeader = "XrootD/v5.8.1",
        HeadersByCase = false,
        LooseRanges = false,
        OldDigests = false,
        CksumForCrc32 = true,
        OldTokens = false,
        UnaskedDigest = false,
        Trailers = true,
        RangesAnnounced = true,
        Ages = true,
        PutStatus = 201,
        NotEmptyStatus = 405,
        OriginDownStatus = 502,
        NoDigestsStatus = 403,
    };

    /// <summary>XRootD 6.2.0.</summary>
    public static Dialect Xrootd62 { get; } = Xrootd58 with
    {
        Name = "xrootd62",
        ServerHeader = "XRootD",
        CksumForCrc32 = false,
        InodeETag = true,
        KeepsExpiredTokens = false,
        TrailerAnnounced = true,
        UnknownReasons = false,
        OverwriteHeader = true,
        BusyStatus = 500,
        NotEmptyStatus = 409,
        TooLongStatus = 414,
        FullStatus = 507,
        ReadOnlyStatus = 403,
        OriginDownText = "[FATAL] Connection error",
        NoDigestsStatus = 405,
        CopyStatus = 202,
        CopyDeniedStatus = 403,
        CopyOverwriteStatus = 500,
    };

    /// <summary>Every dialect.</summary>
    public static IReadOnlyList<Dialect> All { get; } = [Pelican, Xrootd55, Xrootd58, Xrootd62];

    /// <summary>Name on the command line.</summary>
    public required string Name { get; init; }

    public required string ServerHeader { get; init; }

    /// <summary>Whether it is XRootD; everything that all its versions share follows from this.</summary>
    public bool IsXrootd { get; init; }

    /// <summary>Pelican's origin writes uploads elsewhere and renames them at their end, <c>Origin.Posc.Enabled</c> (pelican-servers.md 16.5).</summary>
    public bool Posc { get; init; }

    /// <summary>Request header names must be in canonical capitals (2.3).</summary>
    public bool HeadersByCase { get; init; }

    /// <summary>Open ranges are empty, suffixes ignored, ends beyond the object promised (3.5).</summary>
    public bool LooseRanges { get; init; }

    /// <summary>crc32c in base64, no crc32, no <c>q</c> in <c>Want-Digest</c>; caches answer crc32c under other names (5, 12.2).</summary>
    public bool OldDigests { get; init; }

    /// <summary>crc32 is the <c>cksum</c> of POSIX (5).</summary>
    public bool CksumForCrc32 { get; init; }

    /// <summary>Scopes match by string prefix, and modify does not include HEAD and DELETE (10).</summary>
    public bool OldTokens { get; init; }

    /// <summary>Once a digest was answered, later GETs carry it (5.7).</summary>
    public bool UnaskedDigest { get; init; }

    /// <summary>A token that was accepted is accepted for a minute, expired or not (10).</summary>
    public bool KeepsExpiredTokens { get; init; }

    /// <summary>Answers in chunks with <c>X-Transfer-Status</c> when asked (4).</summary>
    public bool Trailers { get; init; } = true;

    /// <summary>Announces the trailer by a <c>Trailer</c> header (4).</summary>
    public bool TrailerAnnounced { get; init; } = true;

    /// <summary>HEAD carries <c>Accept-Ranges</c> (2).</summary>
    public bool RangesAnnounced { get; init; } = true;

    /// <summary>HEAD carries an ETag that is an inode number (2.1).</summary>
    public bool InodeETag { get; init; }

    /// <summary>Caches send <c>Age</c> (12.1).</summary>
    public bool Ages { get; init; } = true;

    /// <summary>201, 409, 423 and 501 come with the phrase <c>Unknown</c> (2).</summary>
    public bool UnknownReasons { get; init; }

    /// <summary><c>Overwrite: F</c> on PUT protects what exists (6).</summary>
    public bool OverwriteHeader { get; init; }

    public int PutStatus { get; init; } = 201;

    /// <summary>Another writer has it open (2.4).</summary>
    public int BusyStatus { get; init; } = 409;

    /// <summary>DELETE of a collection that is not empty (2.4); 0 deletes it whole, as Pelican's origins do (pelican-servers.md 8.1).</summary>
    public int NotEmptyStatus { get; init; }

    /// <summary>A name over 255 bytes (2.4).</summary>
    public int TooLongStatus { get; init; } = 500;

    /// <summary>Disk full; null resets the connection (2.4).</summary>
    public int? FullStatus { get; init; } = 507;

    /// <summary>PUT to a cache (12.1.4).</summary>
    public int ReadOnlyStatus { get; init; } = 405;

    /// <summary>The origin behind a cache is unreachable (2.4).</summary>
    public int OriginDownStatus { get; init; } = 504;

    public string OriginDownText { get; init; } = "upstream_timeout";

    /// <summary><c>Want-Digest</c> where no digest is configured (5.4).</summary>
    public int NoDigestsStatus { get; init; } = 200;

    /// <summary>A COPY has started (11.1).</summary>
    public int CopyStatus { get; init; } = 201;

    /// <summary>A COPY without the right to it (11).</summary>
    public int CopyDeniedStatus { get; init; } = 403;

    /// <summary><c>Overwrite: F</c> on a COPY to what exists (11).</summary>
    public int CopyOverwriteStatus { get; init; } = 412;

    /// <summary>Its name, also in the names of tests.</summary>
    public override string ToString() => Name;
}
