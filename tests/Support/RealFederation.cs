using Pelican.Federation;
using TUnit.Core.Interfaces;

namespace Pelican.Tests.Support;

/// <summary>
/// Real XRootD servers behind a director of the test federation. Namespaces: <c>/public</c>, <c>/open</c> and <c>/protected</c> at
/// the TLS origin with both caches in front, and <c>/plain</c> at the plain HTTP origin.
/// </summary>
public sealed class RealFederation : IAsyncInitializer, IAsyncDisposable
{
    private TestFederation? _federation;

    /// <summary>The servers.</summary>
    public XrootdServers Xrootd { get; private set; } = new();

    /// <summary>Director and discovery.</summary>
    public TestFederation Front => _federation!;

    /// <summary>Base of object URLs.</summary>
    public string Url => $"pelican://{Front.DiscoveryHost}";

    /// <summary>A set of servers for the caller alone.</summary>
    public static async Task<RealFederation> StartAsync(CancellationToken cancellationToken)
    {
        RealFederation real = new() { Xrootd = await XrootdServers.StartAsync(cancellationToken) };
        await real.StartFrontAsync();
        return real;
    }

    /// <inheritdoc/>
    /// <remarks>The test framework has started <see cref="Xrootd"/> by then: it starts what a fixture consists of first.</remarks>
    public Task InitializeAsync() => StartFrontAsync();

    /// <summary>The client under test, with one of the ready-made tokens or none.</summary>
    internal TestClient CreateClient(XrootdToken? token = null, Pelican.Transfer.ClientSettings? settings = null) =>
        new(Front.CaFile, Url, settings, token is { } kind ? Xrootd.Token(kind) : null);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_federation is not null)
        {
            await _federation.DisposeAsync();
        }

        await Xrootd.DisposeAsync();
    }

    private async Task StartFrontAsync()
    {
        Uri[] readers = [Xrootd.Cache, Xrootd.Cache2];
        Uri[] origin = [Xrootd.Https];
        string[] issuers = [Xrootd.IssuerUrl.OriginalString.TrimEnd('/')];
        _federation = await TestFederation.StartAsync(new()
        {
            Origins = [],
            Caches = [],
            OtherCaFiles = [Xrootd.CaFile],
            Namespaces =
            [
                new("/public") { Servers = readers, Writers = origin, Collections = Xrootd.Https, Issuers = issuers },
                new("/open") { Servers = readers, Writers = origin, Collections = Xrootd.Https, Issuers = issuers },
                new("/protected") { PublicReads = false, Servers = readers, Writers = origin, Collections = Xrootd.Https, Issuers = issuers },
                new("/plain") { Servers = [Xrootd.Http], Writers = [Xrootd.Http], Collections = Xrootd.Http, Issuers = issuers },
            ],
        });
    }
}
