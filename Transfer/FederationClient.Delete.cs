namespace Pelican.Transfer;

/// <summary>Removal of one object or empty collection.</summary>
internal sealed partial class FederationClient
{
    /// <summary>Removes an object or an empty collection.</summary>
    public async Task DeleteAsync(string url, TransferOptions options, CancellationToken cancellationToken)
    {
        ObjectUrl target = Parse(url);
        ObjectServer server = (await ResolveForDeletionAsync(target, options, cancellationToken)).Servers[0];
        ObjectInfo? info = await TellAsync(() => server.StatAsync(cancellationToken));
        if (info is { IsCollection: true } && (await server.ListAsync(cancellationToken)).Count > 0)
        {
            throw new PelicanException(Errors.CollectionNotEmpty, $"'{target.Path}' is a collection that is not empty",
                "Delete what is in it first, or delete it whole with -r.");
        }

        if (!await server.DeleteAsync(cancellationToken))
        {
            throw NotFound(server);
        }
    }

    /// <summary>Where an object is to be removed.</summary>
    internal Task<Resolution> ResolveForDeletionAsync(ObjectUrl url, TransferOptions options, CancellationToken cancellationToken) =>
        _resolver.ResolveAsync(new ResolutionRequest(HttpMethod.Delete, url, options, [TokenPurpose.Delete]), cancellationToken);

    private static async Task<ObjectInfo?> TellAsync(Func<Task<ObjectInfo?>> stat)
    {
        try
        {
            return await stat();
        }
        catch (PelicanException e) when (e.Row == Errors.Authorization)
        {
            // A token that may delete need not be one that may look.
            return null;
        }
    }
}
