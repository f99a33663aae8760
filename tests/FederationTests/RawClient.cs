using System.Net.Sockets;
using System.Text;

namespace Pelican.Tests.FederationTests;

/// <summary>A connection that sends exactly what it is told, to see exactly what comes back.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly NetworkStream _stream;

    private RawClient(NetworkStream stream) => _stream = stream;

    /// <summary>Connects to a plain HTTP server.</summary>
    public static async Task<RawClient> ConnectAsync(string url, CancellationToken cancellationToken)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync("127.0.0.1", new Uri(url).Port, cancellationToken);
        return new RawClient(new NetworkStream(socket, true));
    }

    /// <summary>Sends a text whose lines end as HTTP's do.</summary>
    public async Task SendAsync(string text, CancellationToken cancellationToken) =>
        await _stream.WriteAsync(Encoding.ASCII.GetBytes(text.ReplaceLineEndings("\r\n")), cancellationToken);

    /// <summary>Reads until this text has come.</summary>
    public async Task<string> ReadUntilAsync(string end, CancellationToken cancellationToken)
    {
        StringBuilder text = new();
        byte[] one = new byte[1];
        while (!text.ToString().EndsWith(end, StringComparison.Ordinal) && await _stream.ReadAsync(one, cancellationToken) > 0)
        {
            text.Append((char)one[0]);
        }

        return text.ToString();
    }

    /// <summary>Reads until the server closes; a reset ends the text with <c>&lt;reset&gt;</c>.</summary>
    public async Task<string> ReadToEndAsync(CancellationToken cancellationToken)
    {
        StringBuilder text = new();
        byte[] buffer = new byte[4096];
        try
        {
            int count;
            while ((count = await _stream.ReadAsync(buffer, cancellationToken)) > 0)
            {
                text.Append(Encoding.Latin1.GetString(buffer, 0, count));
            }
        }
        catch (IOException)
        {
            text.Append("<reset>");
        }

        return text.ToString();
    }

    public void Dispose() => _stream.Dispose();
}
