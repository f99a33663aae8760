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
        _http = new HttpStack(settings, clock, random, logs.CreateLogger<HttpStack>());
        _resolver = new Resolver(
            _http, new Discovery(_http, settings, clock), new Director(_http, settings, clock),
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
        ReadAsync(HttpStack.Propfind, Parse(url), options, TokenPurpose.Read, async resolution =>
        {
            ObjectInfo info = await FirstAsync(resolution.Servers, async server =>
                await server.StatAsync(cancellationToken) is not { } told ? throw await server.InTheWayAsync(cancellationToken) ?? NotFound(server)
                : told.IsKindTold ? told : throw told.KindUnknown(server.Name));
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
        ReadAsync(HttpStack.Propfind, url, options, TokenPurpose.List, resolution =>
        {
            IReadOnlyList<ObjectServer> servers = resolution.Answer.CollectionsUrl is { } collections
                ? [_resolver.Server(Director.At(collections, url.Path), url.Path, resolution.Tokens)]
                : resolution.Servers;
            return FirstAsync(servers, async server =>
            {
                try
                {
                    return (await server.ListAsync(cancellationToken), server.Name);
                }
                catch (PelicanException e) when (e.Row == Errors.NotFound)
                {
                    throw await server.InTheWayAsync(cancellationToken) ?? e;
                }
            });
        }, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private Task<T> ReadAsync<T>(
        ObjectUrl url, TransferOptions options, TokenPurpose purpose, Func<Resolution, Task<T>> read, CancellationToken cancellationToken) =>
        ReadAsync(HttpMethod.Get, url, options, purpose, read, cancellationToken);

    // Resolves and reads. A director is asked for looks and listings by PROPFIND: of a collection it says 404 to GET where it asks
    // its origins first. What led to nothing is resolved again where that can help: with a token that nobody said was
    // needed; afresh, when the answer was another object's; from the origins, when the caches hold something else.
    private async Task<T> ReadAsync<T>(
        HttpMethod method, ObjectUrl url, TransferOptions options, TokenPurpose purpose, Func<Resolution, Task<T>> read, CancellationToken cancellationToken)
    {
        ResolutionRequest request = new(method, url, options with { DirectRead = options.DirectRead || url.DirectRead }, [purpose]);
        (IReadOnlyList<ObjectServer> Servers, PelicanException Why)? before = null;
        while (true)
        {
            Resolution resolution = await _resolver.ResolveAsync(request, cancellationToken);
            if (before is { } asked && asked.Servers.Select(server => server.Url).SequenceEqual(resolution.Servers.Select(server => server.Url)))
            {
                // The same servers would say the same again.
                throw asked.Why;
            }

            before = null;
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
                before = e.Row == Errors.NotFound ? (resolution.Servers, e) : null;
                request = request with { Afresh = true };
            }
            catch (PelicanException e) when (e.Row == Errors.ChecksumMismatch && e.Retryable && !request.Options.DirectRead && options.Caches is null)
            {
                request = request with { Options = request.Options with { DirectRead = true } };
            }
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
                if (e.Row == Errors.TokenExpired && !e.Retryable)
                {
                    // It is so for all servers.
                    break;
                }
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

    private static PelicanException NotFound(ObjectServer server) => new(Errors.NotFound, $"{server.Name} has no '{server.Path}'", Faults.WhereToLook(server.Path));

    private ObjectUrl Parse(string text)
    {
        ObjectUrl url = ObjectUrl.Parse(text, _settings);
        return url.Recursive
            ? throw new PelicanException(Errors.NotSupported, $"'?recursive' in {text}: only get, put and delete work on whole trees", "Leave it out.")
            : url;
    }
}
