using System.Text.Json.Serialization;

namespace Pelican.Json;

/// <summary>
/// One object in the file of <c>--transfer-stats</c>: the Go client's members and meanings (federation-protocol 3.15),
/// so that what reads its files reads ours.
/// </summary>
/// <param name="JobId">The same for every object of one command.</param>
/// <param name="Error">Why it failed; null when it succeeded.</param>
/// <param name="TransferredBytes">Bytes moved.</param>
/// <param name="ServerChecksums">Digests that a server reported and that agreed; null for none.</param>
/// <param name="ClientChecksums">Digests of the bytes moved; null for none.</param>
/// <param name="TransferStartTime">When it began, UTC.</param>
/// <param name="Scheme">Scheme of the object's URL; empty for a bare path.</param>
/// <param name="Source">Object URL or local path.</param>
/// <param name="Attempts">Every attempt, oldest first.</param>
internal sealed record TransferStats(
    [property: JsonPropertyName("jobId")] Guid JobId,
    [property: JsonPropertyName("error"), JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Error,
    [property: JsonPropertyName("transferredBytes")] long TransferredBytes,
    [property: JsonPropertyName("serverChecksums"), JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    IReadOnlyList<ChecksumStats>? ServerChecksums,
    [property: JsonPropertyName("clientChecksums"), JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    IReadOnlyList<ChecksumStats>? ClientChecksums,
    [property: JsonPropertyName("transferStartTime")] DateTime TransferStartTime,
    [property: JsonPropertyName("scheme")] string Scheme,
    [property: JsonPropertyName("source")] string Source,
    [property: JsonPropertyName("attempts")] IReadOnlyList<AttemptStats> Attempts);

/// <summary>A digest in the file of <c>--transfer-stats</c>.</summary>
/// <param name="Algorithm">The Go client's number: 3 MD5, 4 CRC-32C, 5 CRC-32, 6 SHA-1, 7 unknown to it.</param>
/// <param name="Value">The digest; base64 in the file.</param>
internal sealed record ChecksumStats(
    [property: JsonPropertyName("Algorithm")] int Algorithm,
    [property: JsonPropertyName("Value")] byte[] Value);

/// <summary>An attempt in the file of <c>--transfer-stats</c>.</summary>
/// <param name="AttemptNumber">From 0.</param>
/// <param name="TransferFileBytes">Bytes that it moved.</param>
/// <param name="TransferTime">How long it took, in nanoseconds.</param>
/// <param name="CacheAge">How long the object had been in the cache, in nanoseconds; -1 when not known.</param>
/// <param name="Endpoint">Host and port of the server.</param>
/// <param name="ServerVersion">What the server calls itself; empty when not said.</param>
/// <param name="Error">Why it ended; null when it succeeded.</param>
internal sealed record AttemptStats(
    [property: JsonPropertyName("attemptNumber")] int AttemptNumber,
    [property: JsonPropertyName("transferFileBytes")] long TransferFileBytes,
    [property: JsonPropertyName("transferTime")] long TransferTime,
    [property: JsonPropertyName("cacheAge")] long CacheAge,
    [property: JsonPropertyName("endpoint")] string Endpoint,
    [property: JsonPropertyName("serverVersion")] string ServerVersion,
    [property: JsonPropertyName("error"), JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Error);
