using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Pelican.Federation;
using Pelican.Server;
using Pelican.Transfer;

namespace Pelican.Tests.Server;

/// <summary>The API on a Unix socket in front of a small federation, with a directory of its own. It can be stopped and started again.</summary>
internal sealed class ApiServer : IAsyncDisposable
{
    public const string Base = "/api/v1/xfer";

    private readonly FederationClient _client;
    private readonly int _maxJobs;
    private DaemonFront? _front;

    private ApiServer(TestFederation federation, int maxJobs)
    {
        (Federation, _maxJobs) = (federation, maxJobs);
        Settings = new ClientSettings
        {
            CaCertificateFile = federation.CaFile,
            RetryDelay = TimeSpan.FromMilliseconds(1),
            DiscoveryUrl = $"https://{federation.DiscoveryHost}",
        };
        _client = new FederationClient(
            Settings, new TokenEnvironment { UserId = 0, TemporaryDirectory = Folder }, new Redactor(), NullLoggerFactory.Instance, TimeProvider.System,
            new Random(1));
        Http = new HttpClient(new SocketsHttpHandler { ConnectCallback = ConnectAsync }) { BaseAddress = new Uri("http://localhost") };
    }

    public TestFederation Federation { get; }

    public ClientSettings Settings { get; }

    public HttpClient Http { get; }

    public JobTable Jobs { get; private set; } = null!;

    public string Folder { get; } = Directory.CreateTempSubdirectory("pelican-api-").FullName;

    public string Database => Path.Combine(Folder, "jobs.db");

    private string Socket => Path.Combine(Folder, "api.sock");

    public static async Task<ApiServer> StartAsync(int maxJobs = 5, FederationOptions? options = null)
    {
        ApiServer server = new(await TestFederation.StartAsync(options), maxJobs);
        await server.StartAgainAsync();
        return server;
    }

    public async Task StartAgainAsync()
    {
        Jobs = JobTable.Open(
            new JobTableOptions { Database = Database, MaxJobs = _maxJobs, Settings = Settings, Rest = TimeSpan.FromMilliseconds(10) }, _client, NullLoggerFactory.Instance, TimeProvider.System);
        ApiRouter routes = new();
        routes.MapClientApi(Jobs, _client, NullLoggerFactory.Instance);
        _front = await DaemonFront.StartAsync(InstanceSocket.Bind(Socket), NullLoggerFactory.Instance, routes.RouteAsync, CancellationToken.None);
    }

    public async Task StopAsync()
    {
        await Jobs.DisposeAsync();
        await _front!.DisposeAsync();
    }

    /// <summary>A path in <see cref="Folder"/>.</summary>
    public string File(string name) => Path.Combine(Folder, name);

    public string Write(string name, byte[] content)
    {
        System.IO.File.WriteAllBytes(File(name), content);
        return File(name);
    }

    public string Url(string path) => $"pelican://{Federation.DiscoveryHost}{path}";

    /// <summary>The JSON of a transfer.</summary>
    public static string Transfer(string operation, string source, string destination) =>
        $$"""{"operation":"{{operation}}","source":"{{source}}","destination":"{{destination}}"}""";

    public string Get(string path, string file) => Transfer("get", Url(path), File(file));

    public string Put(string file, string path) => Transfer("put", File(file), Url(path));

    /// <summary>Sends a request and reads its JSON.</summary>
    public async Task<(HttpStatusCode Status, JsonElement Body, HttpResponseHeaders Headers)> SendAsync(
        string method, string path, string? body, CancellationToken cancellationToken, params (string Name, string Value)[] headers)
    {
        using HttpRequestMessage request = new(new HttpMethod(method), path.StartsWith("/api", StringComparison.Ordinal) ? path : Base + path);
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using HttpResponseMessage response = await Http.SendAsync(request, cancellationToken);
        using JsonDocument json = JsonDocument.Parse(await response.Content.ReadAsStringAsync(cancellationToken));
        ApiContract.Check(method, path.StartsWith("/api", StringComparison.Ordinal) ? path : Base + path, (int)response.StatusCode, json.RootElement);
        return (response.StatusCode, json.RootElement.Clone(), response.Headers);
    }

    /// <summary>Creates a job of these transfers.</summary>
    /// <returns>Its id.</returns>
    public async Task<string> CreateAsync(CancellationToken cancellationToken, params string[] transfers)
    {
        (HttpStatusCode status, JsonElement body, _) = await SendAsync(
            "POST", "/jobs", $$"""{"transfers":[{{string.Join(',', transfers)}}]}""", cancellationToken);
        return status == HttpStatusCode.Created ? body.GetProperty("job_id").GetString()! : throw new InvalidOperationException(body.ToString());
    }

    /// <summary>Waits until a job is final.</summary>
    public async Task<JsonElement> EndAsync(string job, CancellationToken cancellationToken) =>
        (await SendAsync("GET", $"/jobs/{job}?wait=60s", null, cancellationToken)).Body;

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Http.Dispose();
        _client.Dispose();
        await Federation.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        System.Net.Sockets.Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), cancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
