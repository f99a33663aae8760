using System.Web;

namespace Pelican.Federation;

/// <summary>A request as it came, and what became of it.</summary>
public sealed class Request
{
    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Request(RequestBody received)
    {
        Received = received;
        Body = received;
        received.Owner = this;
    }

    public required string Method { get; init; }

    /// <summary>Request target as sent.</summary>
    public required string Target { get; init; }

    /// <summary>Header lines; names compare as the server compares them.</summary>
    public required HeaderList Headers { get; init; }

    /// <summary>Body, decoded if chunked. The first read sends <c>100 Continue</c> if the client waits for it.</summary>
    public Stream Body { get; set; }

    /// <summary>Number of the request on its connection, from 0.</summary>
    public required int NumberOnConnection { get; init; }

    /// <summary>Number of the connection on its server, from 0.</summary>
    public required int Connection { get; init; }

    /// <summary>Whether the head announced a body that is not empty, or of unknown length.</summary>
    public required bool HasBody { get; init; }

    /// <summary>Whether a fault makes the server overlook the <c>Range</c> header.</summary>
    public bool RangeIgnored { get; set; }

    /// <summary>Path as sent.</summary>
    public string RawPath => Target.Split('?', 2)[0];

    /// <summary>What the server has before the federation's paths in its URLs (pelican-servers.md 1).</summary>
    public string Prefix { get; internal set; } = "";

    /// <summary>The federation's path, decoded as UTF-8.</summary>
    public string Path => Uri.UnescapeDataString(RawPath[Prefix.Length..]);

    /// <summary>Query as sent, without question mark; empty when there is none.</summary>
    public string Query => Target.Contains('?', StringComparison.Ordinal) ? Target.Split('?', 2)[1] : "";

    /// <summary>Status of the answer; 0 while there is none, and when the connection ended without one.</summary>
    public int Status { get; internal set; }

    /// <summary>Bytes of the answer's body that were written.</summary>
    public long BytesSent { get; internal set; }

    /// <summary>Bytes of the request's body that were read.</summary>
    public long BytesReceived { get; internal set; }

    /// <summary>Completes when the answer was written, or the connection given up.</summary>
    public Task Answered => _answered.Task;

    /// <summary>Whether it has this method and decoded path.</summary>
    public bool Is(string method, string path) => Method == method && Path == path;

    /// <summary>A decoded query parameter; null when absent, empty when it has no value.</summary>
    public string? Parameter(string name) =>
        Query.Split('&').Select(pair => pair.Split('=', 2))
            .Where(pair => HttpUtility.UrlDecode(pair[0]) == name)
            .Select(pair => pair.Length == 2 ? HttpUtility.UrlDecode(pair[1]) : "")
            .FirstOrDefault();

    public override string ToString() => $"{Method} {Target} → {Status}";

    /// <summary>The body as it comes from the wire, whatever faults have put around it.</summary>
    internal RequestBody Received { get; }

    internal void Done() => _answered.TrySetResult();
}
