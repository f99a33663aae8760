using Microsoft.Extensions.Logging;

namespace Pelican.Transfer;

/// <summary>
/// The federation as its users see it: objects by URL. One instance serves a whole process; its connections, discovery
/// and director answers are shared by everything that runs at once.
/// </summary>
internal sealed partial class FederationClient : IDisposable
{
    private readonly ClientSettings _settings;
    private readonly TimeProvider _clock;
    private readonly Random _random;
    private readonly HttpStack _http;
    private readonly Resolver _resolver;

    public FederationClient(
        ClientSettings settings, TokenEnvironment tokens, Redactor redactor, ILoggerFactory logs, TimeProvider clock, Random random)
    {
        _settings = settings;
        _clock = clock;
        _random = random;
        _http = new HttpStack(settings, clock);
        _resolver = new Resolver(
            _http, new Discovery(_http, settings, clock), new Director(_http, settings, clock, random),
            new TokenFinder(tokens, redactor, clock, logs.CreateLogger<TokenFinder>()), settings, logs.CreateLogger<Resolver>());
    }

    /// <summary>Asks what is there.</summary>
    /// <param name="url">URL of an object or collection.</param>
    /// <param name="options">Token and caches.</param>
    /// <param name="checksums">Digests wanted; empty for none.</param>
    /// <param name="cancellationToken">Ends the question.</param>
    /// <exception cref="PelicanException">Among others <see cref="Errors.NotFound"/>.</exception>
    public Task<ObjectInfo> StatAsync(
        string url, TransferOptions options, IReadOnlyList<ChecksumAlgorithm> checksums, CancellationToken cancellationToken) =>
        ReadAsync(Parse(url), options, TokenPurpose.Read, async resolution =>
        {
            ObjectInfo info = await FirstAsync(resolution.Servers, async server =>
                await server.StatAsync(cancellationToken) ?? throw NotFound(server));
            return checksums.Count == 0 || info.IsCollection
                ? info
                : info with { Checksums = await FirstAsync(resolution.Servers, server => ChecksumsAsync(server, checksums, cancellationToken)) };
        }, cancellationToken);

    /// <summary>Lists a collection, in the server's order; an object lists as itself.</summary>
    public async Task<IReadOnlyList<ObjectInfo>> ListAsync(string url, TransferOptions options, CancellationToken cancellationToken) =>
        (await ListAsync(Parse(url), options, cancellationToken)).Entries;

    /// <summary>The same, and which server listed it (host and port).</summary>
    internal Task<(IReadOnlyList<ObjectInfo> Entries, string Server)> ListAsync(
        ObjectUrl url, TransferOptions options, CancellationToken cancellationToken) =>
        ReadAsync(url, options, TokenPurpose.List, resolution =>
        {
            IReadOnlyList<ObjectServer> servers = resolution.Answer.CollectionsUrl is { } collections
                ? [_resolver.Server(Director.At(collections, url.Path), url.Path, resolution.Tokens)]
                : resolution.Servers;
            return FirstAsync(servers, async server => (await server.ListAsync(cancellationToken), server.Name));
        }, cancellationToken);

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

    /// <summary>Downloads one object.</summary>
    /// <param name="source">URL of the object.</param>
    /// <param name="destination">
    /// Absolute local path. An existing directory, or a name that ends with a slash, receives the object under its own name.
    /// </param>
    /// <param name="options">Token, caches, checks.</param>
    /// <param name="progress">Counters to keep up to date.</param>
    /// <param name="cancellationToken">Stops it; what was received stays for the next run.</param>
    public async Task<TransferResult> GetAsync(
        string source, string destination, TransferOptions options, TransferProgress progress, CancellationToken cancellationToken)
    {
        ObjectUrl url = ParseObject(source);
        if (options.DryRun)
        {
            ObjectInfo info = await StatAsync(url.Text, options, [], cancellationToken);
            if (info.IsCollection)
            {
                throw new PelicanException(Errors.IsCollection, $"'{url.Path}' is a collection, not an object",
                    "Download everything in it with -r, or name an object; 'pelican object ls' shows them.");
            }

            return Planned(source, LocalDestination.IsDevice(destination) ? destination : LocalDestination.Decide(destination, url.Path.Name), info.Size);
        }

        if (LocalDestination.IsDevice(destination))
        {
            using FileStream device = LocalDestination.OpenDevice(destination);
            return await GetToStreamAsync(source, device, destination, options, progress, cancellationToken);
        }

        using LocalDestination local = LocalDestination.Prepare(destination, url.Path.Name, options.FileMode);
        return await GetToFileAsync(url, local, null, options, progress, cancellationToken);
    }

    private async Task<TransferResult> GetToFileAsync(
        ObjectUrl url, LocalDestination local, (ObjectInfo, string)? listed, TransferOptions options, TransferProgress progress,
        CancellationToken cancellationToken)
    {
        if (await SameAsync(url, local.Path, listed, options, cancellationToken) is { } same)
        {
            local.Keep();
            return same;
        }

        using PartFile part = PartFile.Open(local.Path, url, options.FileMode);
        try
        {
            TransferResult result = await DownloadAsync(url, part, local.Path, listed, options, progress, cancellationToken);
            part.Publish(options.FileMode);
            local.Keep();
            return result;
        }
        catch (PelicanException e) when (!e.Retryable)
        {
            part.Discard();
            throw;
        }
        catch (PelicanException e) when (part.CanBeResumed)
        {
            local.Keep();
            throw new PelicanException(e.Row, e.Message, $"The {part.Length} bytes received are kept: the same command goes on from there.", e)
            {
                Retryable = e.Retryable,
                RetryAfter = e.RetryAfter,
                Attempts = e.Attempts,
            };
        }
        catch (OperationCanceledException) when (part.CanBeResumed)
        {
            local.Keep();
            throw;
        }
    }

    /// <summary>Downloads one object to standard output, which cannot be rewound.</summary>
    public Task<TransferResult> GetToStreamAsync(
        string source, Stream output, TransferOptions options, TransferProgress progress, CancellationToken cancellationToken) =>
        GetToStreamAsync(source, output, "standard output", options, progress, cancellationToken);

    private async Task<TransferResult> GetToStreamAsync(
        string source, Stream destination, string name, TransferOptions options, TransferProgress progress, CancellationToken cancellationToken)
    {
        using StreamTarget target = new(destination, name);
        return await DownloadAsync(ParseObject(source), target, "-", null, options, progress, cancellationToken);
    }

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
        PutAsync(source, Parse(destination), intoCollection, options, () => { }, progress, cancellationToken);

    /// <summary>The same; <paramref name="begins"/> is called when nothing is in the way and bytes are about to move.</summary>
    internal async Task<TransferResult> PutAsync(
        string source, ObjectUrl url, bool intoCollection, TransferOptions options, Action begins, TransferProgress progress,
        CancellationToken cancellationToken)
    {
        Upload.CheckSource(source);
        string name = Path.GetFileName(source);
        if (intoCollection || url.EndsWithSlash)
        {
            url = url with { Path = url.Path.Append(name), EndsWithSlash = false };
        }

        Resolution resolution = await ResolveForUploadAsync(url, options, cancellationToken);
        IReadOnlyList<ObjectServer> servers = resolution.Servers;
        ObjectInfo? existing = await ExistingAsync(servers[0], options, cancellationToken);
        if (existing is { IsCollection: true })
        {
            url = url with { Path = url.Path.Append(name) };
            servers = [.. servers.Select(server => _resolver.Server(Director.At(WithoutPath(server), url.Path), url.Path, resolution.Tokens))];
            existing = await ExistingAsync(servers[0], options, cancellationToken);
        }

        return await SendAsync(source, url, (servers, existing), options, begins, progress, cancellationToken);
    }

    private async Task<TransferResult> SendAsync(
        string source, ObjectUrl url, (IReadOnlyList<ObjectServer> Servers, ObjectInfo? Existing) at, TransferOptions options, Action begins,
        TransferProgress progress, CancellationToken cancellationToken)
    {
        (IReadOnlyList<ObjectServer> servers, ObjectInfo? existing) = at;
        if (existing is { IsCollection: true })
        {
            throw new PelicanException(Errors.IsCollection, $"'{url.Path}' is a collection", "Name the object to create in it.");
        }

        string names = $"pelican://{url.Federation.Authority}{url.Path.Encoded}";
        DigestVerdict? compared = null;
        if (options.KeepEqual && existing is { } found)
        {
            (existing, compared) = await CompareAsync(source, found, servers[0], options, cancellationToken);
            if (compared?.Verification == Verification.Verified)
            {
                return WasThere((source, names), found.Size, servers[0], compared);
            }
        }

        if (existing is not null && !options.Overwrite && !_settings.EnableOverwrites)
        {
            string differs = compared is null ? "" : $", {compared.Why}";
            throw new PelicanException(Errors.AlreadyExists, $"'{url.Path}' already exists at {servers[0].Name} ({existing.Size} bytes{differs}); nothing was sent",
                "Choose another name, or replace it with --overwrite.");
        }

        if (options.DryRun)
        {
            return Planned(source, names, new FileInfo(source).Length);
        }

        begins();
        Upload upload = new(options, progress, _settings, _clock, _random);
        return await upload.RunAsync(source, servers, created: existing is null, names, cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<TransferResult> DownloadAsync(
        ObjectUrl url, DownloadTarget target, string destination, (ObjectInfo, string)? listed, TransferOptions options, TransferProgress progress,
        CancellationToken cancellationToken)
    {
        using Download download = new(target, options, progress, _settings, _clock, _random) { Listed = listed };
        return await ReadAsync(url, options, TokenPurpose.Read, resolution =>
        {
            IReadOnlyList<ObjectServer> witnesses = resolution.Answer.CollectionsUrl is { } origin
                ? [_resolver.Server(Director.At(origin, url.Path), url.Path, resolution.Tokens)]
                : [];
            return download.RunAsync(resolution.Servers, witnesses, (url.Shown, destination), cancellationToken);
        }, cancellationToken);
    }

    // Resolves and reads. What led to nothing is resolved again where that can help: with a token that nobody said was
    // needed; afresh, when the answer was another object's; from the origins, when the caches hold something else.
    private async Task<T> ReadAsync<T>(
        ObjectUrl url, TransferOptions options, TokenPurpose purpose, Func<Resolution, Task<T>> read, CancellationToken cancellationToken)
    {
        ResolutionRequest request = new(HttpMethod.Get, url, options with { DirectRead = options.DirectRead || url.DirectRead }, [purpose]);
        while (true)
        {
            Resolution resolution = await _resolver.ResolveAsync(request, cancellationToken);
            try
            {
                return await read(resolution);
            }
            catch (PelicanException e) when (e.Row == Errors.Authorization && resolution.Tokens is null && !request.WithToken)
            {
                request = request with { WithToken = true };
            }
            catch (PelicanException e) when ((e.Row == Errors.NotFound || e.Row == Errors.Authorization) && resolution.FromMemory && !request.Afresh)
            {
                request = request with { Afresh = true };
            }
            catch (PelicanException e) when (e.Row == Errors.ChecksumMismatch && e.Retryable && !request.Options.DirectRead && options.Caches is null)
            {
                request = request with { Options = request.Options with { DirectRead = true } };
            }
        }
    }

    private Task<Resolution> ResolveForUploadAsync(ObjectUrl url, TransferOptions options, CancellationToken cancellationToken) =>
        _resolver.ResolveAsync(new ResolutionRequest(HttpMethod.Put, url, options, [TokenPurpose.Read, TokenPurpose.Write]), cancellationToken);

    /// <summary>Where an object is to be removed.</summary>
    internal Task<Resolution> ResolveForDeletionAsync(ObjectUrl url, TransferOptions options, CancellationToken cancellationToken) =>
        _resolver.ResolveAsync(new ResolutionRequest(HttpMethod.Delete, url, options, [TokenPurpose.Delete]), cancellationToken);

    // Whether something is there already. Where the token may not look, only a server that protects what is there by
    // itself may be written to: that is one whose token can create, but not modify (xrootd.md 10).
    private static async Task<ObjectInfo?> ExistingAsync(ObjectServer server, TransferOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return await server.StatAsync(cancellationToken);
        }
        catch (PelicanException e) when (server.MayCreateOnly && e.Row == Errors.Authorization && !options.Overwrite)
        {
            return null;
        }
    }

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

    private static async Task<T> FirstAsync<T>(IReadOnlyList<ObjectServer> servers, Func<ObjectServer, Task<T>> ask)
    {
        List<PelicanException> failures = [];
        List<Attempt> attempts = [];
        foreach (ObjectServer server in servers)
        {
            try
            {
                return await ask(server);
            }
            catch (PelicanException e)
            {
                failures.Add(e);
                attempts.Add(new Attempt(server.Name, 0, TimeSpan.Zero, e.Message, e.Row));
            }
        }

        throw AttemptFailures.Combine($"no server could answer for '{servers[0].Path}'", failures, attempts);
    }

    private static async Task<IReadOnlyDictionary<string, string>> ChecksumsAsync(
        ObjectServer server, IReadOnlyList<ChecksumAlgorithm> wanted, CancellationToken cancellationToken)
    {
        Dictionary<string, string> found = [];
        foreach (ChecksumAlgorithm algorithm in wanted)
        {
            DigestAnswer answer = await server.DigestAsync([algorithm], null, cancellationToken);
            // Servers send another digest than the one asked for; under a wrong name it has the wrong length.
            if (answer.Digests.FirstOrDefault(d => d.Algorithm == algorithm && d.Value.Length == Checksum.Length(algorithm)) is { } digest)
            {
                found[Checksum.WireName(algorithm)] = Convert.ToHexStringLower(digest.Value);
            }
        }

        return found.Count > 0 ? found : throw new PelicanException(Errors.ChecksumMissing,
            $"{server.Name} has no {string.Join(" or ", wanted.Select(Checksum.WireName))} of '{server.Path}'");
    }

    private static Uri WithoutPath(ObjectServer server) => Director.BaseOf(server.Url, server.Path)
        ?? throw new PelicanException(Errors.Protocol, $"the director's answer for '{server.Path}' is the URL of something else: {server.Url}");

    private static TransferResult Planned(string source, string destination, long size) => new()
    {
        Source = source,
        Destination = destination,
        Size = size,
        Server = "",
        Elapsed = TimeSpan.Zero,
        Verification = Verification.Unverified,
        UnverifiedReason = "nothing was moved",
    };

    private static PelicanException NotFound(ObjectServer server) => new(Errors.NotFound, $"{server.Name} has no '{server.Path}'",
        "Check the spelling of the path; 'pelican object ls' shows what is there.");

    private ObjectUrl Parse(string text)
    {
        ObjectUrl url = ObjectUrl.Parse(text, _settings);
        return url.Recursive
            ? throw new PelicanException(Errors.NotSupported, $"'?recursive' in {text}: only get, put and delete work on whole trees", "Leave it out.")
            : url;
    }

    private ObjectUrl ParseObject(string source)
    {
        ObjectUrl url = Parse(source);
        return url.EndsWithSlash
            ? throw new PelicanException(Errors.IsCollection, $"'{source}' ends with a slash: it names a collection, not an object",
                "Download everything in it with -r, or name an object; 'pelican object ls' shows them.")
            : url;
    }
}
