namespace Pelican.Transfer;

/// <summary>What became of an object whose upload did not succeed.</summary>
/// <param name="MayBeOurs">Whether something of ours may be there.</param>
/// <param name="Told">In words, for the user; null when there is nothing to tell.</param>
internal sealed record UploadRemains(bool MayBeOurs, string? Told);

/// <summary>Removes what an upload that was cut has made, although the server may not have noticed yet that it was cut, or begun.</summary>
internal static class CutUpload
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// Longest wait for an object that is not there: a DELETE on another connection overtakes the PUT that it is to undo, and the server
    /// makes the object afterwards of what had come.
    /// </summary>
    private static readonly TimeSpan Overtaken = TimeSpan.FromSeconds(2.5);

    /// <summary>Removes what is there, if it is ours and nothing was there before.</summary>
    public static async Task<UploadRemains> CleanUpAsync(UploadSending sending, UploadSource source, TimeProvider clock)
    {
        (ObjectServer server, UploadOwner owner) = (sending.Server, sending.Owner);
        if (owner == UploadOwner.Nobody)
        {
            return new UploadRemains(false, null);
        }

        using CancellationTokenSource limit = new(Limit, clock);
        string replaced = $"'{server.Path}' had been there before, and may now be incomplete at {server.Name}";
        try
        {
            if (sending.There is { } there)
            {
                return await server.StatAsync(limit.Token) is { Size: not null } now && now.Size == there.Size && now.Modified == there.Modified
                    ? new UploadRemains(false, $"'{server.Path}' at {server.Name} is as it was before")
                    : new UploadRemains(true, replaced);
            }

            if (owner == UploadOwner.Us || await IsOursAsync(server, source, limit.Token))
            {
                return new UploadRemains(false, await RemoveAsync(server, answered: sending.Status is not null, clock, limit.Token) ? "the incomplete object was removed" : null);
            }

            return await server.StatAsync(limit.Token) is null ? new UploadRemains(false, null) : new UploadRemains(true, Incomplete(server));
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
    public static async Task<bool> IsOursAsync(ObjectServer server, UploadSource source, ObjectInfo found, CancellationToken cancellationToken) =>
        (found.Size > 0 || server.KeepsWhatIsFull) && await ContentProof.IsBeginningAsync(server, found.Size, source.Path, cancellationToken);

    private static async Task<bool> IsOursAsync(ObjectServer server, UploadSource source, CancellationToken cancellationToken) =>
        await server.StatAsync(cancellationToken) is { } found ? await IsOursAsync(server, source, found, cancellationToken) : server.KeepsWhatIsFull;

    // False when there is nothing. An upload that had its answer (answered) makes nothing later; one that was cut holds a lock for a while.
    private static async Task<bool> RemoveAsync(ObjectServer server, bool answered, TimeProvider clock, CancellationToken limit)
    {
        long start = clock.GetTimestamp();
        for (TimeSpan wait = First; ; wait *= 2)
        {
            try
            {
                if (await server.DeleteAsync(limit))
                {
                    return true;
                }

                if (answered || clock.GetElapsedTime(start) >= Overtaken)
                {
                    return false;
                }
            }
            catch (PelicanException e) when (e.Retryable)
            {
                // Locked, or busy: again within the limit.
            }

            await Task.Delay(wait, clock, limit);
        }
    }
}
