using System.Globalization;

namespace Pelican.Federation;

/// <summary>The body of a request, by length or in chunks.</summary>
internal sealed class RequestBody(Wire wire, long? length, Func<CancellationToken, Task> beforeFirstRead) : BodyStream
{
    private bool _started;
    private long _left = length ?? 0;
    private bool _ended = length == 0;

    /// <summary>The request this is the body of, for its count of bytes.</summary>
    public Request? Owner { get; set; }

    /// <summary>Whether the last chunk was followed by trailer lines, which XRootD refuses (xrootd.md 6.2).</summary>
    public bool HadTrailers { get; private set; }

    /// <summary>Read without <c>100 Continue</c>, as who refuses late does (pelican-servers.md 7.5).</summary>
    public bool IsQuiet { get; set; }

    /// <summary>Whether the body was read to its end.</summary>
    public bool Ended => _ended;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!_started)
        {
            _started = true;
            await (IsQuiet ? Task.CompletedTask : beforeFirstRead(cancellationToken));
        }

        if (length is null && _left == 0 && !_ended)
        {
            await StartChunkAsync(cancellationToken);
        }

        if (_ended)
        {
            return 0;
        }

        int count = await wire.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _left)], cancellationToken);
        if (count == 0)
        {
            throw new EndOfStreamException("the client left in the middle of the body");
        }

        _left -= count;
        Owner!.BytesReceived += count;
        if (length is null && _left == 0)
        {
            await wire.ReadLineAsync(2, cancellationToken);
        }

        _ended = length is not null && _left == 0;
        return count;
    }

    private async Task StartChunkAsync(CancellationToken cancellationToken)
    {
        string line = await wire.ReadLineAsync(4096, cancellationToken) ?? throw new EndOfStreamException();
        if (!long.TryParse(line.Split(';')[0].Trim(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _left))
        {
            throw new IOException($"'{line}' is no chunk size");
        }

        if (_left == 0)
        {
            HadTrailers = await wire.ReadHeadAsync(cancellationToken) is { Count: > 0 };
            _ended = true;
        }
    }
}
