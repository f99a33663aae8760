using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>Turns what the transfers say into the records that are printed.</summary>
internal static class Reports
{
    private const long NanosecondsPerTick = 100;
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>A transfer that succeeded.</summary>
    public static TransferReport Of(TransferResult result) => new(
        result.Source,
        result.Destination,
        result.Size,
        Moved(result),
        result.ResumedFrom,
        result.WasThere ? true : null,
        result.Server,
        Seconds(result.Elapsed),
        new VerificationReport(
            result.Verification == Verification.Verified ? "verified" : "unverified",
            result.Algorithm is { } algorithm ? Checksum.WireName(algorithm) : null,
            result.Checksum,
            result.UnverifiedReason),
        [.. result.Attempts.Select(Of)])
    {
        CacheAge = (int?)result.Age?.TotalSeconds,
        DiffersFromOrigin = result.DiffersFromOrigin ? true : null,
    };

    /// <summary>An error.</summary>
    /// <param name="error">What happened.</param>
    /// <param name="source">The object or file it is about; null for the command as a whole.</param>
    public static ErrorReport Of(PelicanException error, string? source) => new(
        error.Message,
        error.Row.Name,
        error.Row.Code,
        error.Retryable,
        error.NextStep,
        source,
        error.RetryAfter?.TotalSeconds,
        [.. error.Attempts.Select(Of)]);

    /// <summary>What a server says of an object.</summary>
    public static ObjectEntry Of(ObjectInfo info) => new(
        info.Path, info.Size, info.Modified?.UtcDateTime, info.IsCollection, info.ETag, info.Checksums.Count > 0 ? info.Checksums : null);

    /// <summary>The Go client's record of a transfer that succeeded.</summary>
    public static TransferStats Stats(Guid job, DateTimeOffset start, string url, TransferResult result)
    {
        IReadOnlyList<ChecksumStats>? checksums = result is { Algorithm: { } algorithm, Checksum: { } hex }
            ? [new ChecksumStats(NumberOf(algorithm), Convert.FromHexString(hex))]
            : null;
        return new TransferStats(
            job, null, Moved(result), checksums, checksums, start.UtcDateTime, SchemeOf(url), result.Source, [.. result.Attempts.Select(Stats)]);
    }

    /// <summary>The Go client's record of a transfer that failed.</summary>
    public static TransferStats Stats(Guid job, DateTimeOffset start, string url, string source, PelicanException error) => new(
        job, error.Message, error.Attempts.Sum(attempt => attempt.Bytes), null, null, start.UtcDateTime, SchemeOf(url), source,
        [.. error.Attempts.Select(Stats)]);

    private static AttemptStats Stats(Attempt attempt, int index) => new(
        index,
        attempt.Bytes,
        attempt.Elapsed.Ticks * NanosecondsPerTick,
        attempt.CacheAge is { } age ? age * NanosecondsPerSecond : -1,
        attempt.Server,
        attempt.ServerVersion ?? "",
        attempt.Error);

    private static AttemptReport Of(Attempt attempt) => new(
        attempt.Server, attempt.Bytes, Seconds(attempt.Elapsed), attempt.Error, attempt.Row?.Code, attempt.CacheAge, attempt.ServerVersion);

    private static long Moved(TransferResult result) =>
        result.Attempts.Count > 0 ? result.Attempts.Sum(attempt => attempt.Bytes) : result.Size - result.ResumedFrom;

    private static double Seconds(TimeSpan time) => Math.Round(time.TotalSeconds, 6);

    private static string SchemeOf(string url)
    {
        int end = url.IndexOf("://", StringComparison.Ordinal);
        return end < 0 ? "" : url[..end];
    }

    // client/handle_http.go: the constants begin in the middle of a block, hence not at 0.
    private static int NumberOf(ChecksumAlgorithm algorithm) => algorithm switch
    {
        ChecksumAlgorithm.Md5 => 3,
        ChecksumAlgorithm.Crc32c => 4,
        ChecksumAlgorithm.Crc32 => 5,
        ChecksumAlgorithm.Sha1 => 6,
        _ => 7,
    };
}
