namespace Pelican.Transfer;

/// <summary>One try of a transfer at one server.</summary>
/// <param name="Server">Host and port of the object server.</param>
/// <param name="Bytes">Object bytes that this attempt moved.</param>
/// <param name="Elapsed">From the request to the end of the attempt.</param>
/// <param name="Error">Why it ended; null when it succeeded.</param>
/// <param name="Row">Row of the error; null when it succeeded.</param>
internal sealed record Attempt(string Server, long Bytes, TimeSpan Elapsed, string? Error, ErrorRow? Row)
{
    /// <summary>Seconds the object has been in the cache (the <c>Age</c> header); null when the server sent none.</summary>
    public int? CacheAge { get; init; }

    /// <summary>The <c>Server</c> header; null when the server sent none.</summary>
    public string? ServerVersion { get; init; }
}
