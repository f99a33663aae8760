namespace Pelican.Transfer;

/// <summary>Removes what an upload that was cut has made, although the server may not have noticed yet that it was cut, or begun.</summary>
internal static class CutUpload
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// Longest wait for an object that is not there: a DELETE on another connection overtakes the PUT that it is to undo, and the server
    /// makes the object afterwards of what had come.
    /// </summary>
    private static readonly TimeSpan Overtaken = TimeSpan.FromSeconds(2.5);

    /// <summary>Removes it.</summary>
    /// <param name="server">The object.</param>
    /// <param name="answered">Whether the upload had its answer: then nothing comes later.</param>
    /// <param name="clock">Times the waits.</param>
    /// <param name="limit">Ends it.</param>
    /// <returns>False when there is nothing.</returns>
    /// <exception cref="PelicanException">It cannot be removed.</exception>
    /// <exception cref="OperationCanceledException">It could not be removed until then: a cut upload holds a lock for a while.</exception>
    public static async Task<bool> RemoveAsync(ObjectServer server, bool answered, TimeProvider clock, CancellationToken limit)
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
