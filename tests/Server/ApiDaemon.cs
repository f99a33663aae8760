using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Pelican.Federation;
using Pelican.Tests.Support;

namespace Pelican.Tests.Server;

/// <summary>
/// The published executable as a server, in front of a small federation that it also finds behind <c>osdf://</c>, with a home directory of its
/// own. It is started by the first test that wants it. Answers are held against the description of the API.
/// </summary>
public sealed class ApiDaemon : IAsyncDisposable
{
    private readonly SemaphoreSlim _starting = new(1);
    private readonly StringBuilder _said = new();
    private OsdfProxy? _proxy;
    private Process? _process;

    /// <summary>The federation; there once it has been started.</summary>
    public TestFederation Federation { get; private set; } = null!;

    public string Home { get; } = Directory.CreateTempSubdirectory("pelican-home-").FullName;

    public string Socket => Home + "/.pelican/client-api.sock";

    public HttpClient Http { get; private set; } = null!;

    public int Pid => _process!.Id;

    /// <summary>What it has written to its standard error.</summary>
    public string Said
    {
        get
        {
            lock (_said)
            {
                return _said.ToString();
            }
        }
    }

    private Dictionary<string, string> Variables => new()
    {
        ["HOME"] = Home,
        ["SSL_CERT_FILE"] = Federation.CaFile,
        ["PELICAN_FEDERATION_DISCOVERYURL"] = Federation.DiscoveryUrl,
        ["HTTPS_PROXY"] = _proxy!.Url,
        ["NO_PROXY"] = "localhost,127.0.0.1",
        ["BEARER_TOKEN"] = EnvironmentToken,
    };

    /// <summary>A token in the environment of the server and of programs; of nobody.</summary>
    public string EnvironmentToken { get; set; } = "";

    /// <summary>Starts it, unless it runs.</summary>
    public async Task<ApiDaemon> StartedAsync()
    {
        string executable = PublishedExecutable.Find().Path;
        await _starting.WaitAsync();
        try
        {
            if (_process is null)
            {
                Federation ??= await TestFederation.StartAsync(new FederationOptions
                {
                    Namespaces = [.. FederationOptions.UsualNamespaces, new FederationNamespace("/osgconnect")],
                });
                _proxy ??= new OsdfProxy(Federation);
                Http ??= new HttpClient(new SocketsHttpHandler { ConnectCallback = ConnectAsync }) { BaseAddress = new Uri("http://localhost") };
                await RunServerAsync(executable);
            }
        }
        finally
        {
            _starting.Release();
        }

        return this;
    }

    /// <summary>As by <c>kill</c>; it is gone when this returns. <see cref="StartedAsync"/> starts it again.</summary>
    public async Task StopAsync()
    {
        if (_process is not null)
        {
            _ = Pelican.Commands.Posix.Kill(_process.Id, 15);
            await EndAsync();
        }
    }

    /// <summary>Waits until it has ended by itself.</summary>
    /// <returns>Exit status.</returns>
    public async Task<int> EndAsync()
    {
        await _process!.WaitForExitAsync();
        int status = _process.ExitCode;
        _process.Dispose();
        _process = null;
        return status;
    }

    /// <summary>The URL of an object.</summary>
    public string Url(string path) => Federation.UrlOf(path);

    /// <summary>Sends a request and reads its JSON.</summary>
    public async Task<(int Status, JsonElement Body, HttpResponseHeaders Headers)> SendAsync(
        string method, string path, string? body, CancellationToken cancellationToken, params (string Name, string Value)[] headers)
    {
        string whole = path.StartsWith("/api", StringComparison.Ordinal) || path is "/health" or "/shutdown" ? path : OpenApiDocument.Base + path;
        using HttpRequestMessage request = new(new HttpMethod(method), whole) { Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json") };
        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using HttpResponseMessage response = await Http.SendAsync(request, cancellationToken);
        var json = JsonElement.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        await Assert.That(response.Content.Headers.ContentType!.ToString()).IsEqualTo("application/json; charset=utf-8");
        ApiContract.Check(method, whole, (int)response.StatusCode, json);
        return ((int)response.StatusCode, json, response.Headers);
    }

    /// <summary>Creates a job of one download.</summary>
    /// <returns>Its id.</returns>
    public async Task<string> GetAsync(string path, string file, CancellationToken cancellationToken) =>
        (await SendAsync("POST", "/jobs", $$"""{"transfers":[{{ApiServer.Transfer("get", Url(path), $"{Home}/{file}")}}]}""", cancellationToken))
        .Body.GetProperty("job_id").GetString()!;

    /// <summary>Waits until a job is final.</summary>
    public async Task<JsonElement> EndAsync(string job, CancellationToken cancellationToken) =>
        (await SendAsync("GET", $"/jobs/{job}?wait=60s", null, cancellationToken)).Body;

    /// <summary>Opens the events of a job.</summary>
    public async Task<HttpResponseMessage> EventsAsync(string job, long? after, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, $"{OpenApiDocument.Base}/jobs/{job}/events");
        if (after is not null)
        {
            request.Headers.Add("Last-Event-ID", after.ToString());
        }

        return await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    /// <summary>A connection.</summary>
    public async Task<Socket> ConnectAsync(CancellationToken cancellationToken)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), cancellationToken);
        return socket;
    }

    /// <summary>Runs a program with the same environment.</summary>
    internal Task<ProgramRun> ProgramAsync(string program, IEnumerable<string> arguments, params (string Name, string Value)[] more)
    {
        Dictionary<string, string> variables = Variables;
        foreach ((string name, string value) in more)
        {
            variables[name] = value;
        }

        return PublishedExecutable.RunAsync(program, arguments, variables);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (Federation is not null)
        {
            Http.Dispose();
            await _proxy!.DisposeAsync();
            await Federation.DisposeAsync();
        }

        _starting.Dispose();
        Directory.Delete(Home, recursive: true);
    }

    private async Task RunServerAsync(string executable)
    {
        ProcessStartInfo start = new(executable, ["--debug", "client-api", "serve", "--foreground", "--log-file", Home + "/.pelican/client-api.log"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment.Clear();
        foreach ((string name, string value) in Variables)
        {
            start.Environment[name] = value;
        }

        Process process = new() { StartInfo = start };
        process.ErrorDataReceived += (_, line) =>
        {
            lock (_said)
            {
                _said.AppendLine(line.Data);
            }
        };
        process.Start();
        process.BeginErrorReadLine();
        if (await process.StandardOutput.ReadLineAsync() is null)
        {
            await process.WaitForExitAsync();
            throw new InvalidOperationException($"It ended with {process.ExitCode}: {Said}");
        }

        _process = process;
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken) =>
        new NetworkStream(await ConnectAsync(cancellationToken), ownsSocket: true);
}
