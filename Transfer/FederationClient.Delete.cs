namespace Pelican.Transfer;

/// <summary>Removal of one object or empty collection.</summary>
internal sealed partial class FederationClient
{
    private static readonly TimeSpan AfterMove = TimeSpan.FromSeconds(30);

    /// <summary>Removes an object or an empty collection, at every origin that has it.</summary>
    /// <remarks>
    /// Pelican's own origins take a collection with everything in it (pelican-servers.md 8.1), so nothing is removed that was not seen
    /// to be an object or empty. XRootD alone keeps a collection that is not empty by itself: there it may go unseen.
    /// </remarks>
    public async Task DeleteAsync(string url, TransferOptions options, CancellationToken cancellationToken)
    {
        ObjectUrl target = Parse(url);
        Resolution resolution = await ResolveForDeletionAsync(target, options, cancellationToken);
        List<(ObjectServer Server, bool IsCollection)> found = [];
        List<PelicanException> failures = [];
        foreach (ObjectServer server in resolution.Servers)
        {
            try
            {
                if (await LookAsync(server, cancellationToken) is { } isCollection)
                {
                    found.Add((server, isCollection));
                }
            }
            catch (PelicanException e) when (e.Retryable && resolution.Servers.Count > 1)
            {
                // What one origin cannot tell now keeps nobody from removing it at the others; that it may be left is told.
                failures.Add(e);
            }
        }

        if (found.Count == 0)
        {
            throw failures.Count > 0 ? failures[0] : await resolution.Servers[0].InTheWayAsync(cancellationToken) ?? NotFound(resolution.Servers[0]);
        }

        List<string> gone = [];
        foreach ((ObjectServer server, bool isCollection) in found)
        {
            try
            {
                if (await (isCollection && !server.KeepsWhatIsFull ? RemoveEmptyAsync(server, resolution, cancellationToken) : server.DeleteAsync(cancellationToken)))
                {
                    gone.Add(server.Name);
                }
            }
            catch (PelicanException e)
            {
                failures.Add(e);
            }
        }

        if (failures.Count > 0)
        {
            string done = gone.Count == 0 ? "" : $"; '{target.Path}' was removed at {string.Join(" and ", gone)}";
            throw new PelicanException(failures[0].Row, string.Join("; ", failures.Select(failure => failure.Message)) + done, failures[0].NextStep, failures[0])
            {
                Retryable = failures.TrueForAll(failure => failure.Retryable),
                RetryAfter = failures.Max(failure => failure.RetryAfter),
            };
        }

        if (gone.Count == 0)
        {
            throw NotFound(found[0].Server);
        }
    }

    /// <summary>Where an object is to be removed. The token is to look as well: what is removed unseen may be anything.</summary>
    internal Task<Resolution> ResolveForDeletionAsync(ObjectUrl url, TransferOptions options, CancellationToken cancellationToken) =>
        _resolver.ResolveAsync(new ResolutionRequest(HttpMethod.Delete, url, options, [TokenPurpose.Read, TokenPurpose.Delete]), cancellationToken);

    // Whether it is a collection, an empty one then; null when nothing is there.
    private static async Task<bool?> LookAsync(ObjectServer server, CancellationToken cancellationToken)
    {
        try
        {
            ObjectInfo? info = await server.StatAsync(cancellationToken);
            if (info is { IsKindTold: false } && !server.KeepsWhatIsFull)
            {
                throw info.KindUnknown(server.Name);
            }

            if (info is { IsCollection: true } && (await server.ListAsync(cancellationToken)).Count > 0)
            {
                throw Faults.NotEmpty(server.Path);
            }

            return info?.IsCollection;
        }
        catch (PelicanException e) when (e.Row == Errors.Authorization)
        {
            return server.KeepsWhatIsFull ? false : throw new PelicanException(e.Row,
                $"{e.Message}; whether '{server.Path}' is an object cannot be seen, and {server.Name} would remove a collection with everything in it: nothing was removed",
                $"{e.NextStep} Or remove it with -r, whatever it is.", e);
        }
    }

    // Somebody may put something into it between the look and the removal. Under another name nobody does, and what came before shows.
    private async Task<bool> RemoveEmptyAsync(ObjectServer server, Resolution resolution, CancellationToken cancellationToken)
    {
        string name = server.Path.Name;
        ObjectPath aside = server.Path.Parent!.Value.Append($".{name[..Math.Min(name.Length, 40)]}.{_random.NextInt64():x16}.pelican-deleted");
        ObjectServer moved = _resolver.Server(Director.At(WithoutPath(server), aside), aside, resolution.Tokens);
        bool? outcome;
        try
        {
            outcome = await server.TryMoveAsync(moved.Url, cancellationToken);
        }
        catch (PelicanException e) when (e.Retryable)
        {
            // The answer may have been lost, and only that.
            if (await moved.StatAsync(cancellationToken) is null)
            {
                throw;
            }

            outcome = true;
        }

        switch (outcome)
        {
            case null:
                // Not offered: seen a moment ago is all that can be had.
                return await server.DeleteAsync(cancellationToken);
            case false:
                return false;
        }

        // From here on it has a name that nobody knows: whatever happens, that is told. A stop waits for the end of it.
        using CancellationTokenSource limit = new(AfterMove, _clock);
        try
        {
            if ((await moved.ListAsync(limit.Token)).Count == 0)
            {
                await moved.DeleteAsync(limit.Token);
                return true;
            }

            if (await moved.TryMoveAsync(server.Url, limit.Token) != true)
            {
                throw new PelicanException(Errors.CollectionNotEmpty, $"something was put into '{server.Path}' while it was removed");
            }
        }
        catch (Exception e) when (e is PelicanException or OperationCanceledException)
        {
            PelicanException? why = e as PelicanException;
            throw new PelicanException(why?.Row ?? Errors.HeaderTimeout,
                $"{why?.Message ?? $"{server.Name} did not answer within {AfterMove.TotalSeconds:0} s"}; what was '{server.Path}' is '{aside}' at {server.Name} now", "Remove it, or move it back.", e)
            {
                Retryable = false,
            };
        }

        throw Faults.NotEmpty(server.Path);
    }
}
