namespace Pelican.Federation;

/// <summary>An origin: the objects of a directory.</summary>
public sealed class Origin(ObjectServerOptions options) : ObjectServer(options)
{
    private protected override Task<Found> FindAsync(Request request, string path, CancellationToken cancellationToken) =>
        Task.FromResult(new Found(EntryAt(FileOf(path))));
}
