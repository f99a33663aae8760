namespace Pelican.Transfer;

/// <summary>How a body ended that did not fail, and so what is known of its length.</summary>
internal enum BodyEnd
{
    /// <summary>A length was met, or a trailer says that everything was sent.</summary>
    Confirmed,

    /// <summary>With the last chunk. XRootD ends a body so, too, that it could not read to its end.</summary>
    LastChunk,

    /// <summary>The connection ended, or a trailer was promised and did not come: a cut looks the same.</summary>
    Open,
}
