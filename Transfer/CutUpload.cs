namespace Pelican.Transfer;

/// <summary>What became of an object whose upload did not succeed.</summary>
/// <param name="MayBeOurs">Whether something of ours may be there.</param>
/// <param name="Told">In words, for the user; null when there is nothing to tell.</param>
internal sealed record UploadRemains(bool MayBeOurs, string? Told);

/// <summary>Removes what an upload that was cut has made, although the server may not have noticed yet that it was cut, or begun.</summary>
internal static class CutUpload
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <summary>Largest object that is compared before it is removed: a server computes the digest of a larger one for too long.</summary>
    private const long Compared = 16 * 1024 * 1024;

    /// <summary>How many of its answers a server may take to notice a cut.</summary>
    private const int SlowestNotice = 20;

    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// Longest wait for an object that is not there: a DELETE on another connection overtakes the PUT that it is to undo, and the server
    /// makes the object afterwards of what had come.
    /// </summary>
    private static readonly TimeSpan Overtaken = TimeSpan.FromSeconds(2.5);

    /// <summary>Removes what is there, if it is ours, incomplete, and nothing was there before.</summary>
    public static async Task<UploadRemains> CleanUpAsync(UploadSending sending, UploadSource source, TimeProvider clock)
    {
        ObjectServer server = sending.Server;
        if (sending.Owner == UploadOwner.Nobody)
        {
            return new UploadRemains(false, null);
        }

        using CancellationTokenSource limit = new(Limit, clock);
        string replaced = $"'{server.Path}' had been there before, and may now be incomplete at {server.Name}";
        try
        {
            if (sending.There is { } there)
            {
                return await server.StatAsync(limit.Token) is { Size: not null, Modified: not null } now && now.Size == there.Size && now.Modified == there.Modified
                    ? new UploadRemains(false, $"'{server.Path}' at {server.Name} is as it was before")
                    : new UploadRemains(true, replaced);
            }

            return await RemoveAsync(sending, source, clock, limit.Token);
        }
        catch (Exception e) when (e is PelicanException or OperationCanceledException)
        {
            return new UploadRemains(true, sending.There is null ? $"{Incomplete(server)}, and could not be removed" : replaced);
        }
    }

    /// <summary>That something may be there, in words.</summary>
    public static string Incomplete(ObjectServer server) => $"an incomplete '{server.Path}' may be left at {server.Name}";

    /// <summary>
    /// Whether what is found is what a sending of ours has left: nothing was there when it was looked at, so it is if it is the beginning of
    /// the file. That an empty object is, proves nothing; XRootD alone makes one for a body that has not come yet, and lets nobody else write it meanwhile.
    /// </summary>
    public static async Task<bool> IsOursAsync(ObjectServer server, UploadSource source, ObjectInfo found, bool answered, CancellationToken cancellationToken) =>
        (found.Size > 0 || (server.KeepsWhatIsFull && !answered)) && await ContentProof.IsBeginningAsync(server, found.Size, source.Path, cancellationToken);

    // It is looked at before each DELETE: an upload that had its answer makes nothing later, one that was cut may, and holds a lock for a while,
    // in which somebody else waits for his turn.
    private static async Task<UploadRemains> RemoveAsync(UploadSending sending, UploadSource source, TimeProvider clock, CancellationToken limit)
    {
        (ObjectServer server, bool answered, long start) = (sending.Server, sending.Status is not null, clock.GetTimestamp());
        TimeSpan patience = Overtaken;
        for (TimeSpan wait = First; ; wait *= 2)
        {
            try
            {
                long asked = clock.GetTimestamp();
                ObjectInfo? found = await server.StatAsync(limit);
                // Who is slow to answer is slow to notice, too.
                patience = TimeSpan.FromTicks(Math.Max(patience.Ticks, clock.GetElapsedTime(asked).Ticks * SlowestNotice));
                bool isOver = clock.GetElapsedTime(start) >= patience;
                bool mayCome = !answered && (sending.Owner == UploadOwner.Us || server.KeepsWhatIsFull);
                if (found is null && (!mayCome || isOver))
                {
                    return new UploadRemains(false, null);
                }

                if (found is not null && !answered && found.Size == source.Length && source.Length > 0)
                {
                    return new UploadRemains(true, $"'{server.Path}' is at {server.Name} with all its {source.Length} bytes, and not confirmed");
                }

                if (found is not null && await IsToGoAsync(sending, source, found, isFirst: wait == First, limit))
                {
                    if (await server.DeleteAsync(limit))
                    {
                        return new UploadRemains(false, "the incomplete object was removed");
                    }
                }
                else if (found is not null && isOver)
                {
                    // Until then it may be growing, and have the digest of a moment ago.
                    return new UploadRemains(true, Incomplete(server));
                }
            }
            catch (PelicanException e) when (e.Retryable)
            {
                // Locked, or busy: again within the limit.
            }

            await Task.Delay(wait, clock, limit);
        }
    }

    // What a server took bytes for is ours while it is no larger than what it got; after a wait a small one is compared, too, since its lock was free for a moment.
    private static async Task<bool> IsToGoAsync(UploadSending sending, UploadSource source, ObjectInfo found, bool isFirst, CancellationToken cancellationToken) =>
        sending.Owner == UploadOwner.Us && (sending.IsTaken || found.Size is null || found.Size <= sending.Sent) && (isFirst || found.Size is null or 0 or > Compared)
            || await IsOursAsync(sending.Server, source, found, sending.Status is not null, cancellationToken);
}
