using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.WebUtilities;
using Pelican.ClientApi;
using Pelican.Json;

namespace Pelican.Server;

/// <summary>
/// Gives a body to the answers that Kestrel makes by itself, to what it cannot take for a request: it has no place for one, and a
/// client of ours is promised an <c>error</c> and a <c>code</c> always.
/// </summary>
internal sealed class FaultBodies : PipeWriter, IDuplexPipe
{
    private const string NoBody = "Content-Length: 0\r\n";

    private readonly IDuplexPipe _transport;
    private Memory<byte> _memory;

    private FaultBodies(IDuplexPipe transport) => _transport = transport;

    /// <inheritdoc/>
    public PipeReader Input => _transport.Input;

    /// <inheritdoc/>
    public PipeWriter Output => this;

    /// <inheritdoc/>
    public override bool CanGetUnflushedBytes => _transport.Output.CanGetUnflushedBytes;

    /// <inheritdoc/>
    public override long UnflushedBytes => _transport.Output.UnflushedBytes;

    /// <summary>Does so on a connection.</summary>
    public static void Give(ConnectionContext connection) => connection.Transport = new FaultBodies(connection.Transport);

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0) => _memory = _transport.Output.GetMemory(sizeHint);

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <inheritdoc/>
    public override void Advance(int bytes)
    {
        Span<byte> written = _memory.Span[..Math.Min(bytes, _memory.Length)];
        bool isFault = written.StartsWith("HTTP/1.1 4"u8) || written.StartsWith("HTTP/1.1 5"u8);
        _transport.Output.Advance(isFault ? Extend(written) : bytes);
    }

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => _transport.Output.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public override void CancelPendingFlush() => _transport.Output.CancelPendingFlush();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => _transport.Output.Complete(exception);

    /// <inheritdoc/>
    public override ValueTask CompleteAsync(Exception? exception = null) => _transport.Output.CompleteAsync(exception);

    // Kestrel writes such an answer at once: its head, and nothing after it. Ours always have a body.
    private int Extend(Span<byte> head)
    {
        string text = Encoding.Latin1.GetString(head);
        if (!text.EndsWith("\r\n\r\n", StringComparison.Ordinal) || !text.Contains(NoBody, StringComparison.Ordinal))
        {
            return head.Length;
        }

        const int statusAt = 9, statusEnd = 12;
        int status = int.Parse(text.AsSpan(statusAt..statusEnd), CultureInfo.InvariantCulture);
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(
            new ApiError($"the request is not taken for HTTP: {ReasonPhrases.GetReasonPhrase(status)}", "INVALID_REQUEST"), PelicanJson.Output.ApiError);
        byte[] whole =
        [
            .. Encoding.Latin1.GetBytes(text.Replace(NoBody, FormattableString.Invariant(
                $"Content-Type: application/json; charset=utf-8\r\nContent-Length: {body.Length}\r\n"), StringComparison.Ordinal)),
            .. body,
        ];
        if (whole.Length > _memory.Length)
        {
            return head.Length;
        }

        whole.CopyTo(_memory.Span);
        return whole.Length;
    }
}
