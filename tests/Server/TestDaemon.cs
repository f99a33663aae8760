using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Pelican.Json;
using Pelican.Server;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Server;

/// <summary>A daemon in this process, on a real socket in a home directory of its own. Without a federation it can do no transfers.</summary>
internal sealed class TestDaemon : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly FederationClient _client;

    private TestDaemon(Func<DaemonOptions, DaemonOptions> with, TimeProvider clock)
    {
        _client = new FederationClient(
            new ClientSettings(), new TokenEnvironment { UserId = 0, TemporaryDirectory = Home }, new Redactor(), NullLoggerFactory.Instance, clock, new Random(1));
        Http = new HttpClient(new SocketsHttpHandler { ConnectCallback = ConnectAsync }) { BaseAddress = new Uri("http://localhost") };
        Ended = RunAsync(with, clock);
    }

    private readonly TaskCompletionSource<InstanceRecord> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Home { get; } = Directory.CreateTempSubdirectory("pelican-home-").FullName;

    public HttpClient Http { get; }

    /// <summary>The whole run.</summary>
    public Task Ended { get; }

    /// <summary>Starts one, and waits until it answers.</summary>
    public static async Task<TestDaemon> StartAsync(Func<DaemonOptions, DaemonOptions>? with = null, TimeProvider? clock = null)
    {
        TestDaemon daemon = new(with ?? (options => options), clock ?? TimeProvider.System);
        await (await Task.WhenAny(daemon._ready.Task, daemon.Ended));
        return daemon;
    }

    /// <summary>One of its files.</summary>
    public string File(string extension) => $"{Home}/.pelican/client-api.{extension}";

    /// <summary>Turns its clock until something has come about.</summary>
    public static Task UntilAsync(Func<bool> condition, FakeTimeProvider clock, TimeSpan step, CancellationToken cancellationToken) =>
        Expect.UntilAsync(() =>
        {
            clock.Advance(step);
            return condition();
        }, cancellationToken);

    /// <summary>As by a signal.</summary>
    public void Stop() => _stop.Cancel();

    /// <summary>Sends a request and reads its JSON.</summary>
    public async Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(string method, string path, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(new HttpMethod(method), path);
        using HttpResponseMessage response = await Http.SendAsync(request, cancellationToken);
        using JsonDocument json = JsonDocument.Parse(await response.Content.ReadAsStringAsync(cancellationToken));
        return (response.StatusCode, json.RootElement.Clone());
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Ended;
        Http.Dispose();
        _client.Dispose();
        _stop.Dispose();
        Directory.Delete(Home, recursive: true);
    }

    private async Task RunAsync(Func<DaemonOptions, DaemonOptions> with, TimeProvider clock)
    {
        var host = HostIdentity.Read();
        var paths = InstancePaths.Resolve(new InstanceChoice(), Home, host);
        InstanceClaim claim = new(host, clock);
        Instance instance = await TakeAsync();
        try
        {
            DaemonOptions options = with(new DaemonOptions
            {
                Jobs = new JobTableOptions { Database = paths.Database },
                TakeAgain = async () =>
                {
                    instance.Dispose();
                    instance = await TakeAsync();
                },
            });
            // A clock that is turned by hand may be far ahead of what is done.
            options = clock is FakeTimeProvider ? options with { StopLimit = Timeout.InfiniteTimeSpan } : options;
            DaemonEnd end;
            do
            {
                end = await new Daemon(options, instance, _client, NullLoggerFactory.Instance, clock).RunAsync(record => _ready.TrySetResult(record), _stop.Token);
            }
            while (end == DaemonEnd.Again);
        }
        finally
        {
            instance.Dispose();
        }

        Task<Instance> TakeAsync() => claim.TakeAsync(paths, new ServingManner(false, true, []), CancellationToken.None);
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(File("sock")), cancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
