using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Pelican.Commands;
using Pelican.Federation;
using Pelican.Tests.Support;

namespace Pelican.Tests.Server;

/// <summary>The published executable as a server with a home directory of its own. It can be killed, stopped, and started again.</summary>
internal sealed class PublishedDaemon : IAsyncDisposable
{
    private const int Terminate = 15;

    private readonly PublishedExecutable _executable = PublishedExecutable.Find();
    private readonly Dictionary<string, string> _environment;
    private readonly string[] _arguments;
    private readonly StringBuilder _said = new();
    private Process? _process;

    private PublishedDaemon(TestFederation? federation, string[] arguments)
    {
        _environment = new Dictionary<string, string> { ["HOME"] = Home };
        if (federation is not null)
        {
            _environment["PELICAN_SERVER_TLSCACERTIFICATEFILE"] = federation.CaFile;
        }

        _arguments = arguments;
        Http = new HttpClient(new SocketsHttpHandler { ConnectCallback = ConnectAsync }) { BaseAddress = new Uri("http://localhost") };
    }

    public string Home { get; } = Directory.CreateTempSubdirectory("pelican-home-").FullName;

    public string Database => File("db");

    public HttpClient Http { get; }

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

    /// <summary>Starts one, and waits until it answers.</summary>
    /// <param name="federation">Whose authority it trusts; null for none.</param>
    /// <param name="arguments">More arguments of <c>client-api serve</c>.</param>
    public static async Task<PublishedDaemon> StartAsync(TestFederation? federation, params string[] arguments)
    {
        PublishedDaemon daemon = new(federation, arguments);
        await daemon.StartAgainAsync();
        return daemon;
    }

    /// <summary>One of its files.</summary>
    public string File(string extension) => $"{Home}/.pelican/client-api.{extension}";

    /// <summary>Starts it again, and waits until it answers.</summary>
    public async Task StartAgainAsync()
    {
        ProcessStartInfo start = PublishedExecutable.StartInfo(_executable.Path, ["client-api", "serve", "--foreground", .. _arguments]);
        start.Environment.Clear();
        foreach ((string name, string value) in _environment)
        {
            start.Environment[name] = value;
        }

        _process = new Process { StartInfo = start };
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_said)
            {
                _said.AppendLine(line.Data);
            }
        };
        _process.Start();
        _process.BeginErrorReadLine();
        if (await _process.StandardOutput.ReadLineAsync() is null)
        {
            await _process.WaitForExitAsync();
            throw new InvalidOperationException($"It ended with {_process.ExitCode}: {Said}");
        }
    }

    /// <summary>As by <c>kill -9</c>; it is gone when this returns.</summary>
    public void Kill()
    {
        _process!.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    /// <summary>As by <c>kill</c>; it is gone when this returns.</summary>
    /// <returns>Exit status.</returns>
    public async Task<int> StopAsync()
    {
        _ = Posix.Kill(_process!.Id, Terminate);
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    /// <summary>Sends a request and reads its JSON.</summary>
    public async Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(
        string method, string path, string? body, CancellationToken cancellationToken, string? key = null)
    {
        using HttpRequestMessage request = new(new HttpMethod(method), path.StartsWith("/api", StringComparison.Ordinal) ? path : ApiServer.Base + path);
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        using HttpResponseMessage response = await Http.SendAsync(request, cancellationToken);
        using JsonDocument json = JsonDocument.Parse(await response.Content.ReadAsStringAsync(cancellationToken));
        return (response.StatusCode, json.RootElement.Clone());
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_process is { HasExited: false })
            {
                await StopAsync();
            }
        }
        catch (InvalidOperationException)
        {
            // It was killed.
        }

        _process?.Dispose();
        Http.Dispose();
        Directory.Delete(Home, recursive: true);
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(File("sock")), cancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
