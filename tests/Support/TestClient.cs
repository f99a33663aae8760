using Microsoft.Extensions.Logging.Abstractions;
using Pelican.Federation;
using Pelican.Transfer;

namespace Pelican.Tests.Support;

/// <summary>The client under test in front of a federation, with a directory of its own; it hardly waits before a retry.</summary>
internal sealed class TestClient : IDisposable
{
    private readonly FederationClient _client;
    private readonly string _base;

    public TestClient(TestFederation federation, ClientSettings? settings = null, string? token = null, TimeProvider? clock = null, FaultyFileSystem? disk = null)
        : this(federation.CaFile, $"pelican://{federation.DiscoveryHost}", settings, token, clock, disk)
    {
    }

    public TestClient(
        string caFile, string federationUrl, ClientSettings? settings = null, string? token = null, TimeProvider? clock = null, FaultyFileSystem? disk = null)
    {
        Folder = disk is null
            ? Directory.CreateTempSubdirectory("pelican-test-").FullName
            : Directory.CreateDirectory(disk.File($"{Guid.NewGuid():N}")).FullName;
        Settings = (settings ?? new ClientSettings()) with { CaCertificateFile = caFile, RetryDelay = TimeSpan.FromMilliseconds(1) };
        _client = new FederationClient(
            Settings, new TokenEnvironment { UserId = 0, BearerToken = token, TemporaryDirectory = Folder }, new Redactor(),
            NullLoggerFactory.Instance, clock ?? TimeProvider.System, new Random(1));
        _base = federationUrl;
    }

    /// <summary>Directory for local files.</summary>
    public string Folder { get; }

    public ClientSettings Settings { get; }

    /// <summary>Progress of the last transfer.</summary>
    public TransferProgress Progress { get; private set; } = new();

    /// <summary>Progress of the last tree.</summary>
    public TreeProgress TreeProgress { get; private set; } = new();

    /// <summary>A path in <see cref="Folder"/>.</summary>
    public string File(string name) => Path.Combine(Folder, name);

    /// <summary>Everything in <see cref="Folder"/>, hidden files included.</summary>
    public string[] Files() => [.. Directory.EnumerateFileSystemEntries(Folder, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Folder, f)).Order(StringComparer.Ordinal)];

    /// <summary>Whether a download has noted what its part file comes from.</summary>
    public bool HasNoted => Files().Any(file => file.EndsWith(".pelican-part.json", StringComparison.Ordinal));

    /// <summary>Makes a local file.</summary>
    public string Write(string name, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File(name))!);
        System.IO.File.WriteAllBytes(File(name), content);
        return File(name);
    }

    public string Url(string path) => _base + path;

    public Task<TransferResult> GetAsync(string path, string name, CancellationToken cancellationToken, TransferOptions? options = null) =>
        _client.GetAsync(Url(path), File(name), options ?? new TransferOptions(), Progress = new TransferProgress(), cancellationToken);

    public Task<TransferResult> GetToStreamAsync(string path, Stream target, CancellationToken cancellationToken) =>
        _client.GetToStreamAsync(Url(path), target, new TransferOptions(), Progress = new TransferProgress(), cancellationToken);

    public Task<TransferResult> PutAsync(
        string name, string path, CancellationToken cancellationToken, TransferOptions? options = null, bool intoCollection = false) =>
        _client.PutAsync(File(name), Url(path), intoCollection, options ?? new TransferOptions(), Progress = new TransferProgress(), cancellationToken);

    public Task<TreeResult> GetTreeAsync(
        string path, string name, CancellationToken cancellationToken, TransferOptions? options = null, TreeListener? listener = null) =>
        GetTreesAsync([path], name, cancellationToken, options, listener);

    public Task<TreeResult> GetTreesAsync(
        IReadOnlyList<string> paths, string name, CancellationToken cancellationToken, TransferOptions? options = null, TreeListener? listener = null) =>
        _client.GetTreeAsync([.. paths.Select(Url)], File(name), options ?? new TransferOptions(), listener ?? new TreeListener(), TreeProgress = new TreeProgress(), cancellationToken);

    public Task<TreeResult> PutTreeAsync(
        string name, string path, CancellationToken cancellationToken, TransferOptions? options = null, TreeListener? listener = null) =>
        PutTreesAsync([name], path, cancellationToken, options, listener);

    public Task<TreeResult> PutTreesAsync(
        IReadOnlyList<string> names, string path, CancellationToken cancellationToken, TransferOptions? options = null, TreeListener? listener = null) =>
        _client.PutTreeAsync([.. names.Select(File)], Url(path), options ?? new TransferOptions(), listener ?? new TreeListener(), TreeProgress = new TreeProgress(), cancellationToken);

    public Task<ObjectInfo> StatAsync(string path, CancellationToken cancellationToken, params ChecksumAlgorithm[] checksums) =>
        _client.StatAsync(Url(path), new TransferOptions(), checksums, cancellationToken);

    public Task<IReadOnlyList<ObjectInfo>> ListAsync(string path, CancellationToken cancellationToken) =>
        _client.ListAsync(Url(path), new TransferOptions(), cancellationToken);

    public Task DeleteAsync(string path, CancellationToken cancellationToken) =>
        _client.DeleteAsync(Url(path), new TransferOptions(), cancellationToken);

    public Task<TreeResult> DeleteTreeAsync(string path, CancellationToken cancellationToken, Action<TreeItem, PelicanException?>? ended = null) =>
        _client.DeleteTreeAsync(Url(path), new TransferOptions(), ended ?? ((_, _) => { }), TreeProgress = new TreeProgress(), cancellationToken);

    public void Dispose()
    {
        _client.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
