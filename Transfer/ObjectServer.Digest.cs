using System.Net;

namespace Pelican.Transfer;

/// <summary>What a server says of an object's digest.</summary>
/// <param name="Size">Bytes of the object; null when not said.</param>
/// <param name="Digests">The digests; empty when there are none.</param>
/// <param name="Why">Why there are none; null when there are.</param>
internal sealed record DigestAnswer(long? Size, IReadOnlyList<ServerDigest> Digests, string? Why);

/// <summary>Questions for digests.</summary>
internal sealed partial class ObjectServer
{
    private const int SlowestDigestBytesPerSecond = 20_000_000;

    /// <summary>How long the first question waits, beside the time that the object takes to be read.</summary>
    private static readonly TimeSpan FirstPatience = TimeSpan.FromSeconds(3);

    /// <summary>
    /// Asks for digests by a HEAD of its own: on a GET the question can spoil the answer, and a digest that nobody asked for
    /// can be another object's (xrootd.md 5.4, 5.7).
    /// </summary>
    /// <param name="wanted">Algorithms, best first.</param>
    /// <param name="size">Bytes of the object, by which the patience goes; null when unknown.</param>
    /// <param name="cancellationToken">Ends the question.</param>
    /// <exception cref="PelicanException"><see cref="Errors.IsCollection"/>, <see cref="Errors.NotFound"/>, or a fault of transport.</exception>
    public async Task<DigestAnswer> DigestAsync(IReadOnlyList<ChecksumAlgorithm> wanted, long? size, CancellationToken cancellationToken)
    {
        // XRootD takes the first that it knows. Pelican's origins compute all that they are asked for, before they answer: the best alone.
        bool alone = wanted.Count > 1 && size is null or > DigestTurns.Small && _software is not null && !IsXrootd();
        using HttpResponseMessage response = await AskForDigestAsync(alone ? [wanted[0]] : wanted, size, cancellationToken);
        if (response.StatusCode == HttpStatusCode.OK)
        {
            DigestAnswer answer = ReadDigest(response);
            if (alone && answer.Digests.Count == 0)
            {
                return await DigestAsync([.. wanted.Skip(1)], size, cancellationToken);
            }

            http.DigestTurns.TellsWithObject(Name, answer.Digests.Count > 0 && TakesBoth);
            return answer;
        }

        switch (response.StatusCode)
        {
            case HttpStatusCode.Conflict:
                throw Faults.IsCollection(path);
            case HttpStatusCode.NotFound:
                throw await RefusalAsync(response, cancellationToken);
            default:
                // Not configured: 403 or 405, at a cache 500, whatever the object (xrootd.md 5.4, 12.2).
                using (HttpResponseMessage plain = await HeadAsync(cancellationToken))
                {
                    return new DigestAnswer(plain.StatusCode == HttpStatusCode.OK ? ObjectLength.Of(plain) : null, [],
                        $"{Name} computes no digests (HTTP status {(int)response.StatusCode})");
                }
        }
    }

    /// <summary>
    /// Starts the download of a whole object: of a small one, where the server takes both in one request, with a question for its
    /// digest. The answer's status is not judged here.
    /// </summary>
    /// <param name="size">Bytes of the object; null when unknown.</param>
    /// <param name="wanted">Algorithms, best first.</param>
    /// <param name="cancellationToken">Ends the wait for the head of the answer.</param>
    /// <returns>The answer, and what it says of the digest; null when that was not asked.</returns>
    public async Task<(HttpResponseMessage Response, DigestAnswer? Digest)> GetWholeAsync(
        long? size, IReadOnlyList<ChecksumAlgorithm> wanted, CancellationToken cancellationToken)
    {
        if (http.DigestTurns.AsksWithObject(Name, size))
        {
            bool tells = false;
            try
            {
                // Without the trailer of other downloads: the answer then has a length, and the digest shows whether all was read.
                HttpResponseMessage both = await http.DigestTurns.TakeAsync(Name, stumbles: false, size ?? 0, _ => SendAsync(
                    HttpMethod.Get, request => Want(request, wanted), settings.ResponseHeaderTimeout, cancellationToken), cancellationToken);
                DigestAnswer answer = ReadDigest(both);
                tells = answer.Digests.Count > 0 && TakesBoth;
                if (both.StatusCode == HttpStatusCode.OK)
                {
                    return (both, answer);
                }

                both.Dispose();
            }
            finally
            {
                http.DigestTurns.TellsWithObject(Name, tells);
            }
        }

        // Pelican's caches tell what they know without being asked. With XRootD what nobody asked for can be another object's (xrootd.md 5.7).
        HttpResponseMessage response = await GetAsync(null, cancellationToken);
        return (response, !IsXrootd() && ReadDigest(response) is { Digests.Count: > 0 } told ? told : null);
    }

    /// <summary>Notes the size of an object that arrived whole: of the next one it may not be known.</summary>
    public void Sent(long size) => http.DigestTurns.Sent(Name, size);

    // The first question makes the server read the whole object. One that hangs beyond that is asked again, once: 6.2 forgets one of a few thousand.
    // So is one whose connection broke.
    private async Task<HttpResponseMessage> AskForDigestAsync(
        IReadOnlyList<ChecksumAlgorithm> wanted, long? size, CancellationToken cancellationToken)
    {
        TimeSpan last = size is { } bytes
            ? settings.ResponseHeaderTimeout + TimeSpan.FromSeconds((double)bytes / SlowestDigestBytesPerSecond)
            : settings.DigestTimeout;
        TimeSpan first = size is null || settings.ResponseHeaderTimeout <= FirstPatience ? last : last - settings.ResponseHeaderTimeout + FirstPatience;
        try
        {
            return await AskAsync(first);
        }
        catch (PelicanException e) when (e.Row == Errors.HeaderTimeout || e.Row == Errors.ConnectionReset)
        {
            return await AskAsync(last);
        }

        Task<HttpResponseMessage> AskAsync(TimeSpan patience) => http.DigestTurns.TakeAsync(Name, stumbles: _software is null || IsXrootd("/v5"), size,
            sender => SendAsync(HttpMethod.Head, request => Want(request, wanted), patience, sender, cancellationToken), cancellationToken);
    }

    private static void Want(HttpRequestMessage request, IReadOnlyList<ChecksumAlgorithm> wanted) =>
        request.Headers.TryAddWithoutValidation("Want-Digest", string.Join(",", wanted.Select(Checksum.WireName)));

    private DigestAnswer ReadDigest(HttpResponseMessage response)
    {
        List<ServerDigest> digests = DigestHeader.Read(response);
        return new DigestAnswer(ObjectLength.Of(response), digests, digests.Count > 0 ? null
            : DigestHeader.IsThere(response) ? $"{Name} tells no digest that can be read"
            : $"{Name} has no digest of it");
    }

    // XRootD 6, which does not say its version as all before did. Those may end when a GET asks for a digest.
    private bool TakesBoth => IsXrootd() && !IsXrootd("/");
}
