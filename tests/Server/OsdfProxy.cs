using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Pelican.Federation;

namespace Pelican.Tests.Server;

/// <summary>
/// An HTTP proxy on loopback, by which a program finds the test federation behind <c>osdf://</c>: what it wants of osg-htc.org
/// it gets of a discovery of ours, with a certificate for that name. It leads nowhere else.
/// </summary>
internal sealed class OsdfProxy : IAsyncDisposable
{
    private const string Target = "osg-htc.org:443";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly X509Certificate2 _certificate;
    private readonly ScriptedServer _discovery;
    private readonly CancellationTokenSource _end = new();
    private readonly Task _accepting;

    public OsdfProxy(TestFederation federation)
    {
        _certificate = federation.Certificates.Issue("osg-htc.org");
        _discovery = new ScriptedServer(_certificate, (_, _) => Task.FromResult(Reply.Json(200,
            $$"""{"director_endpoint":"{{federation.DiscoveryUrl}}","jwks_uri":"{{federation.Issuer.Url}}/.well-known/issuer.jwks"}""")));
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>For <c>HTTPS_PROXY</c>.</summary>
    public string Url => $"http://{_listener.LocalEndpoint}";

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _accepting;
        _listener.Dispose();
        await _discovery.DisposeAsync();
        _certificate.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> tunnels = [];
        try
        {
            while (true)
            {
                tunnels.Add(TunnelAsync(await _listener.AcceptTcpClientAsync(_end.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(tunnels);
        }
    }

    private async Task TunnelAsync(TcpClient client)
    {
        using TcpClient near = client;
        NetworkStream stream = near.GetStream();
        try
        {
            byte[] head = new byte[4096];
            int read = await stream.ReadAsync(head, _end.Token);
            if (!Encoding.ASCII.GetString(head, 0, read).StartsWith($"CONNECT {Target} ", StringComparison.Ordinal))
            {
                await stream.WriteAsync("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray(), _end.Token);
                return;
            }

            using TcpClient far = new();
            string[] target = _discovery.Host.Split(':');
            await far.ConnectAsync(IPAddress.Loopback, int.Parse(target[1], System.Globalization.CultureInfo.InvariantCulture), _end.Token);
            await stream.WriteAsync("HTTP/1.1 200 OK\r\n\r\n"u8.ToArray(), _end.Token);
            using var over = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
            await Task.WhenAll(CopyAsync(stream, far.GetStream(), over), CopyAsync(far.GetStream(), stream, over));
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // Who used it has gone, or the test is over.
        }
    }

    // The end of one direction is the end of both.
    private static async Task CopyAsync(NetworkStream from, NetworkStream to, CancellationTokenSource over)
    {
        try
        {
            await from.CopyToAsync(to, over.Token);
        }
        finally
        {
            await over.CancelAsync();
        }
    }
}
