using System.Net;

namespace Pelican.Transfer;

/// <summary>Whose the object is that is there after a sending.</summary>
internal enum UploadOwner
{
    /// <summary>Not ours: nothing was sent, or it was refused.</summary>
    Nobody,

    /// <summary>Ours, if it is the beginning of the file.</summary>
    Unknown,

    /// <summary>Ours: the server has taken bytes for it.</summary>
    Us,
}

/// <summary>One sending of a file to one server, and what is known of its end.</summary>
/// <param name="server">The object.</param>
/// <param name="source">The file.</param>
/// <param name="settings">Limits.</param>
/// <param name="progress">Is told of the bytes.</param>
/// <param name="clock">Times it.</param>
internal sealed class UploadSending(ObjectServer server, UploadSource source, ClientSettings settings, TransferProgress progress, TimeProvider clock) : IDisposable
{
    /// <summary>Timers may end a little early.</summary>
    private static readonly TimeSpan TimerSlack = TimeSpan.FromMilliseconds(50);

    private readonly long _started = clock.GetTimestamp();
    private long _asked;
    private UploadBody? _body;
    private bool _announced;

    /// <summary>The object at the server.</summary>
    public ObjectServer Server => server;

    /// <summary>What was there before and may be replaced; null for nothing.</summary>
    public ObjectInfo? There { get; set; }

    /// <summary>Whether nothing may be replaced.</summary>
    public bool OnlyNew { get; set; }

    /// <summary>Of the bytes sent. One digest, one sending: a redirect sends it again.</summary>
    public Crc32cChecksum Digest { get; } = new();

    /// <summary>The server's answer; null without one.</summary>
    public HttpStatusCode? Status { get; private set; }

    /// <summary>Whether the server says that it has it all.</summary>
    public bool IsTaken => Status is HttpStatusCode.OK or HttpStatusCode.Created or HttpStatusCode.NoContent;

    /// <summary>Whether the server does not know <c>Expect</c>.</summary>
    public bool IsExpectRefused { get; private set; }

    /// <summary>Whether it came to a request.</summary>
    public bool HasBegun => _body is not null;

    /// <summary>Bytes handed to the connection.</summary>
    public long Sent => _body?.Sent ?? 0;

    /// <summary>What went wrong with the file; null when nothing did.</summary>
    public Exception? FileFault => _body?.FileFault;

    /// <summary>Time since the look before it began.</summary>
    public TimeSpan Elapsed => clock.GetElapsedTime(_started);

    /// <summary>
    /// After a refusal what is there is somebody else's, who may be writing it at this moment; but for a full disk, or another fault of the server,
    /// which is told after the first bytes. Without an answer it is ours if the server had asked for the body: by its 100, long before our patience ended.
    /// </summary>
    public UploadOwner Owner => Status switch
    {
        _ when IsTaken => UploadOwner.Us,
        >= HttpStatusCode.InternalServerError when Sent > 0 => UploadOwner.Unknown,
        not null => UploadOwner.Nobody,
        _ when _body?.StartedAt is { } at =>
            _announced && clock.GetElapsedTime(_asked, at) < HttpStack.PatienceForContinue - TimerSlack ? UploadOwner.Us : UploadOwner.Unknown,
        _ => UploadOwner.Nobody,
    };

    /// <summary>Sends it. Who does not know <c>Expect</c> gets the same again, unannounced (RFC 9110, 10.1.1): in another sending, after a look.</summary>
    /// <exception cref="PelicanException">It was refused, or the connection broke.</exception>
    public async Task SendAsync(bool announced, CancellationToken cancellationToken)
    {
        if (await PutAsync(announced, cancellationToken) is { } refusal)
        {
            IsExpectRefused = announced && Status == HttpStatusCode.ExpectationFailed;
            throw IsExpectRefused ? new PelicanException(Errors.Transfer, $"{server.Name} takes no upload that is announced") : refusal;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Digest.Dispose();

    private async Task<PelicanException?> PutAsync(bool announced, CancellationToken cancellationToken)
    {
        (_announced, Status, _asked) = (announced, null, clock.GetTimestamp());
        using TransferWatch watch = new(settings, slowRule: false, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, watch.Stopped);
        try
        {
            using HttpResponseMessage response = await server.PutAsync(NewBody, new PutTerms(OnlyNew, announced), either.Token);
            Status = response.StatusCode;
            return IsTaken ? null : await server.PutRefusalAsync(response, cancellationToken);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && watch.Reason != StopReason.None)
        {
            throw new PelicanException(Errors.Stopped, $"{server.Name} took nothing more of '{server.Path}' for too long");
        }

        HttpContent NewBody()
        {
            Digest.Reset();
            return _body = new UploadBody(source.Handle, source.Length, Digest, watch, progress, clock);
        }
    }
}
