using Microsoft.Extensions.Logging;

namespace Pelican.Transfer;

/// <summary>
/// The federation as its users see it: objects by URL. One instance serves a whole process; its connections, discovery
/// and director answers are shared by everything that runs at once.
/// </summary>
internal sealed class FederationClient(
    ClientSettings settings, TokenEnvironment tokens, ILoggerFactory logs, TimeProvider clock, Random random) : IDisposable
{
    private readonly (ClientSettings, TokenEnvironment, ILoggerFactory, TimeProvider, Random) _parts = (settings, tokens, logs, clock, random);

    /// <summary>Asks what is there.</summary>
    /// <param name="url">URL of an object or collection.</param>
    /// <param name="options">Token and caches.</param>
    /// <param name="checksums">Digests wanted; empty for none.</param>
    /// <param name="cancellationToken">Ends the question.</param>
    public Task<ObjectInfo> StatAsync(
        string url, TransferOptions options, IReadOnlyList<ChecksumAlgorithm> checksums, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>Lists a collection, by name; an object lists as itself.</summary>
    public Task<IReadOnlyList<ObjectInfo>> ListAsync(string url, TransferOptions options, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>Removes an object or an empty collection.</summary>
    public Task DeleteAsync(string url, TransferOptions options, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>Downloads one object.</summary>
    /// <param name="source">URL of the object.</param>
    /// <param name="destination">
    /// Absolute local path. An existing directory, or a name that ends with a slash, receives the object under its own name.
    /// </param>
    /// <param name="options">Token, caches, checks.</param>
    /// <param name="progress">Counters to keep up to date.</param>
    /// <param name="cancellationToken">Stops it; what was received stays for the next run.</param>
    public Task<TransferResult> GetAsync(
        string source, string destination, TransferOptions options, TransferProgress progress, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>Downloads one object into a stream that cannot be rewound, such as standard output.</summary>
    public Task<TransferResult> GetToStreamAsync(
        string source, Stream destination, TransferOptions options, TransferProgress progress, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>Uploads one file.</summary>
    /// <param name="source">Absolute local path.</param>
    /// <param name="destination">URL of the object, or of the collection that receives it under the file's own name.</param>
    /// <param name="intoCollection">Take the destination for a collection without asking: there are several sources.</param>
    /// <param name="options">Token, overwriting, checks.</param>
    /// <param name="progress">Counters to keep up to date.</param>
    /// <param name="cancellationToken">Stops it; the part that reached the server is removed.</param>
    public Task<TransferResult> PutAsync(
        string source, string destination, bool intoCollection, TransferOptions options, TransferProgress progress,
        CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dispose() => _ = _parts;
}
