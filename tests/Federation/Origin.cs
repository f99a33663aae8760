namespace Pelican.Federation;

/// <summary>An origin: the objects of a directory.</summary>
public sealed class Origin(ObjectServerOptions options) : ObjectServer(options, isCache: false)
{
    /// <summary>
    /// Whether it was stopped properly: it has told the director, and goes on answering for a while (pelican-servers.md 16.2.2).
    /// A server that is merely down is offered as before.
    /// </summary>
    public bool IsWithdrawn { get; set; }

    private protected override Task<Found> FindAsync(Request request, string path, CancellationToken cancellationToken) =>
        Task.FromResult(new Found(EntryAt(FileOf(path))));
}
