namespace Pelican.Json;

/// <summary>One object that was moved, as <c>object get</c>, <c>put</c> and <c>copy</c> print it with <c>--json</c>, a line each.</summary>
/// <param name="Source">Object URL or local path.</param>
/// <param name="Destination">Local path or object URL.</param>
/// <param name="Size">Bytes of the object.</param>
/// <param name="BytesTransferred">Bytes that this run moved, those of failed attempts included.</param>
/// <param name="ResumedFrom">Byte at which this run went on; 0 when it began at the beginning.</param>
/// <param name="AlreadyThere">True when it was at the destination already, the same by size and digest, and nothing was moved; else absent.</param>
/// <param name="Server">Host and port of the server that finished it.</param>
/// <param name="Seconds">From the start to the end.</param>
/// <param name="Verification">Whether the bytes were checked.</param>
/// <param name="Attempts">Every attempt, oldest first.</param>
internal sealed record TransferReport(
    string Source,
    string Destination,
    long Size,
    long BytesTransferred,
    long ResumedFrom,
    bool? AlreadyThere,
    string Server,
    double Seconds,
    VerificationReport Verification,
    IReadOnlyList<AttemptReport> Attempts)
{
    /// <summary>Seconds that the object had been in the cache that sent it; absent when not said.</summary>
    public int? CacheAge { get; init; }

    /// <summary>True when the origin is known to have another version than the cache that sent this one; else absent.</summary>
    public bool? DiffersFromOrigin { get; init; }
}

/// <summary>Whether the bytes of an object were checked.</summary>
/// <param name="Outcome"><c>verified</c> or <c>unverified</c>; a mismatch is an error.</param>
/// <param name="Algorithm">Name of the digest (<c>crc32c</c>, …); absent when unverified.</param>
/// <param name="Value">The digest in lower-case hexadecimal; absent when unverified.</param>
/// <param name="Reason">Why it could not be checked; absent when verified.</param>
internal sealed record VerificationReport(string Outcome, string? Algorithm, string? Value, string? Reason);

/// <summary>One attempt at one server.</summary>
/// <param name="Server">Host and port.</param>
/// <param name="Bytes">Bytes that it moved.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Error">Why it ended; absent when it succeeded.</param>
/// <param name="Code">Number of the error; absent when it succeeded.</param>
/// <param name="CacheAge">Seconds the object had been in the cache; absent when not said.</param>
/// <param name="ServerVersion">What the server calls itself; absent when not said.</param>
internal sealed record AttemptReport(
    string Server, long Bytes, double Seconds, string? Error, int? Code, int? CacheAge, string? ServerVersion);

/// <summary>What would be done, with <c>--dry-run</c>.</summary>
/// <param name="Action"><c>download</c> or <c>upload</c>.</param>
/// <param name="Source">Path of the object in the federation, or local path.</param>
/// <param name="Destination">The other of the two.</param>
internal sealed record PlanReport(string Action, string Source, string? Destination = null);

/// <summary>An object that was removed, with <c>--json</c>.</summary>
/// <param name="Deleted">URL of the object.</param>
internal sealed record DeletionReport(string Deleted);
